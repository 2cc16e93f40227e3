"""*Contact My Caseworker*: writing a message, and reading what was answered."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

from starlette.exceptions import HTTPException
from starlette.responses import Response

from engine.caseload.caseworker_messages import (
    BODY_MOST,
    BodyFault,
    CaseworkerMessages,
    Conversation,
    body_fault,
    tidy,
)
from engine.clock import pacific_date
from engine.portal.places import Place, Private
from engine.portal.visit import Visit

MESSAGES: Final = "/messages"
CASE_MISSING: Final = "case_missing"
THREADS_SHOWN: Final = 10
_RATE: Final = "20/hour"
_ID_MOST: Final = 2**63 - 1
_PAGES_MOST: Final = 100_000


class MessagesPages:
    """The form with the latest of each case beneath it; and what is older, case by case."""

    @property
    def places(self) -> Iterator[Place]:
        """Where they are."""
        yield Private(MESSAGES, self.messages, ("GET", "POST"), after=MESSAGES)

    async def messages(self, visit: Visit) -> Response:
        """The page, or a message that was posted with its form."""
        if visit.posted:
            return await self._posted(visit)
        if visit.query("case"):
            return await self._older(visit)
        return await self._page(visit, 200)

    async def _posted(self, visit: Visit) -> Response:
        await visit.count("caseworker_message", str(visit.participant_id), rate=_RATE)
        body = tidy(visit.fields.get("body", ""))
        case_id = number(visit.fields.get("case", ""), _ID_MOST)
        faults: dict[str, str] = {}
        if case_id is None:
            faults["case"] = CASE_MISSING
        if (fault := body_fault(body)) is not None:
            faults["body"] = fault
        if faults or case_id is None:
            # What cannot be read cannot be shown again either.
            shown = "" if fault is BodyFault.UNREADABLE else body
            return await self._page(visit, 422, faults=faults, case=case_id, body=shown)
        async with visit.act("message.written", case=case_id) as doing:
            due = await messages_of(visit).write(
                doing.transaction, visit.participant_id, case_id, body, visit.application.clock()
            )
            if due is None:
                raise HTTPException(404)
        return visit.to(MESSAGES, said="message_sent")

    async def _page(
        self,
        visit: Visit,
        status: int,
        *,
        faults: dict[str, str] | None = None,
        case: int | None = None,
        body: str = "",
    ) -> Response:
        service = messages_of(visit)
        async with visit.reading() as connection:
            cases = await service.cases(connection, visit.participant_id)
            conversations = await service.conversations(
                connection, visit.participant_id, limit=THREADS_SHOWN
            )
            await self._read(visit, conversations)
        return visit.page(
            "messages.html",
            status,
            nav="messages",
            cases=cases,
            conversations=conversations,
            shown=THREADS_SHOWN,
            today=_today(visit),
            faults=faults or {},
            case=case,
            body=body,
            body_most=BODY_MOST,
            reply_days=service.reply_days,
            reply_waits=_reply_waits(conversations),
            sent_due=_latest_due(conversations),
        )

    async def _older(self, visit: Visit) -> Response:
        """All of one case's messages, a page at a time."""
        case_id = number(visit.query("case"), _ID_MOST)
        page = number(visit.query("page") or "1", _PAGES_MOST)
        if case_id is None or page is None:
            raise HTTPException(404)
        service = messages_of(visit)
        async with visit.reading() as connection:
            conversations = await service.conversations(
                connection,
                visit.participant_id,
                limit=THREADS_SHOWN,
                offset=(page - 1) * THREADS_SHOWN,
                case_id=case_id,
            )
            await self._read(visit, conversations)
        if not conversations:
            raise HTTPException(404)
        found = conversations[0]
        return visit.page(
            "message_history.html",
            nav="messages",
            conversation=found,
            page=page,
            pages=-(-found.total // THREADS_SHOWN),
            today=_today(visit),
        )

    async def _read(self, visit: Visit, conversations: Sequence[Conversation]) -> None:
        """Replies that a page is about to show are read; a HEAD request shows nothing."""
        if visit.request.method == "GET" and visit.connection is not None:
            await messages_of(visit).read(
                visit.connection, visit.participant_id, conversations, visit.application.clock()
            )


def number(typed: str, most: int) -> int | None:
    """A whole number from 1 to `most`, as addresses and forms of ours hold it; None for others."""
    if not (typed.isascii() and typed.isdigit() and len(typed) <= len(str(most))):
        return None
    value = int(typed)
    return value if 1 <= value <= most else None


def messages_of(visit: Visit) -> CaseworkerMessages:
    """The service, with the promise of the settings."""
    return CaseworkerMessages(visit.application.settings.caseworker_reply_days)


def _today(visit: Visit) -> date:
    return pacific_date(visit.application.clock())


def _reply_waits(conversations: Sequence[Conversation]) -> bool:
    """Whether a page is about to show a reply that was not read yet."""
    return any(
        message.unread
        for conversation in conversations
        for thread in conversation.threads
        for message in thread.messages
    )


def _latest_due(conversations: Sequence[Conversation]) -> date | None:
    """By when the message that was written last is to be answered; None where it was."""
    threads = [thread for conversation in conversations for thread in conversation.threads]
    latest = max(threads, key=lambda thread: thread.messages[0].id, default=None)
    return latest.reply_due if latest else None
