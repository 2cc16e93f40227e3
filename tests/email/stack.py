"""Messages for a pipeline, in a stack, and what became of them."""

from collections import deque
from collections.abc import Iterable

from engine.email.mail_object import MailObject
from engine.errors import ConnectError


class Stack:
    """A feed without a database."""

    def __init__(self, mails: Iterable[MailObject]) -> None:
        self.waiting = deque(mails)
        self.answers: list[tuple[MailObject, str | ConnectError]] = []
        self.lease_holds = True
        self.patience = 3600.0

    def next(self) -> MailObject | None:
        """The first that waits."""
        return self.waiting.popleft() if self.waiting and self.lease_holds else None

    def may_begin(self) -> bool:
        """Whether the lease holds."""
        return self.lease_holds

    def seconds_left(self) -> float:
        """As long as the test says."""
        return self.patience

    def answered(self, mail: MailObject, answer: str | ConnectError) -> None:
        """Remember it."""
        self.answers.append((mail, answer))

    def returned(self, mail: MailObject) -> None:
        """Back to its place."""
        self.waiting.appendleft(mail)
