"""The notice catalogue: one typed entry for each thing a participant may be told.

Adding a notice is one entry here, its templates, its translations and its preview sample; the
catalogue test refuses an entry that lacks any of them in either language.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, PositiveInt

from engine.clock import PACIFIC
from engine.i18n import Language

LANGUAGES: Final[tuple[Language, ...]] = ("en", "es")


class Channel(StrEnum):
    """A way to reach a participant."""

    EMAIL = "email"
    MAIL = "mail"
    INBOX = "inbox"
    """The portal's *My Documents*; an email tells that something waits there."""


class Urgency(StrEnum):
    """Which queue a notice travels in; urgent ones overtake any number of bulk ones."""

    URGENT = "urgent"
    BULK = "bulk"


class Facts(BaseModel):
    """What a notice says, frozen when it is recorded. `name` is how a letter greets its reader."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(min_length=1)]


class TemporaryPinFacts(Facts):
    """Nothing but the name: the PIN is a secret, and travels apart from the facts."""


class AppointmentFacts(Facts):
    """When and where; `office` is a meeting at the local agency, `court` a hearing."""

    kind: Literal["office", "court"]
    starts_at: AwareDatetime
    place: str


class PaymentFacts(Facts):
    """A payment the reader `made`, or one that was `sent` to the reader."""

    direction: Literal["made", "sent"]
    amount_cents: PositiveInt
    paid_on: date
    case_number: str


class SecurityAlertFacts(Facts):
    """What of the reader's was changed, and when; never the old value or the new."""

    what: Literal["pin", "email", "address", "phone", "language", "ecommunications"]
    happened_at: AwareDatetime


class ConfirmEmailFacts(Facts):
    """The token of a link that proves the address it is sent to, and works for so many hours."""

    token: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{22,64}$")]
    hours: PositiveInt


class SignInLockedFacts(Facts):
    """When the last of several wrong PINs was typed."""

    locked_at: AwareDatetime


class CaseworkerReplyFacts(Facts):
    """What the caseworker answered, about which case."""

    body: Annotated[str, Field(min_length=1)]
    replied_on: date
    case_number: str


@dataclass(frozen=True, slots=True)
class Secret:
    """What one message carries besides its words, and the last day on which it works."""

    value: str = field(repr=False)
    works_until: date


@dataclass(frozen=True, slots=True)
class Notice:
    """One entry. `days` are business days until the promise of each channel falls due."""

    key: str
    facts: type[Facts]
    urgency: Urgency
    days: Mapping[Channel, int]
    sample: Facts
    carries_secret: bool = False
    sample_secret: Secret | None = None


def _days(**channels: int) -> Mapping[Channel, int]:
    return MappingProxyType({Channel(name): days for name, days in channels.items()})


TEMPORARY_PIN: Final = Notice(
    key="temporary_pin",
    facts=TemporaryPinFacts,
    urgency=Urgency.URGENT,
    days=_days(email=1, mail=10),
    carries_secret=True,
    sample=TemporaryPinFacts(name="María Fernanda Núñez-Ibáñez"),
    # A preview shows where the PIN stands, never a PIN.
    sample_secret=Secret("000000", date(2026, 11, 24)),
)
APPOINTMENT_REMINDER: Final = Notice(
    key="appointment_reminder",
    facts=AppointmentFacts,
    urgency=Urgency.BULK,
    days=_days(email=1, mail=10, inbox=1),
    sample=AppointmentFacts(
        name="María Fernanda Núñez-Ibáñez",
        kind="office",
        starts_at=datetime(2026, 12, 9, 9, 30, tzinfo=PACIFIC),
        place="1200 Example Street, Suite 300, Sacramento, CA 95814",
    ),
)
PAYMENT_NOTICE: Final = Notice(
    key="payment_notice",
    facts=PaymentFacts,
    urgency=Urgency.BULK,
    days=_days(email=1, mail=10, inbox=1),
    sample=PaymentFacts(
        name="María Fernanda Núñez-Ibáñez",
        direction="sent",
        amount_cents=48_250,
        paid_on=date(2026, 11, 20),
        case_number="000000000000042",
    ),
)

SECURITY_ALERT: Final = Notice(
    key="security_alert",
    facts=SecurityAlertFacts,
    urgency=Urgency.URGENT,
    days=_days(email=1, mail=10),
    sample=SecurityAlertFacts(
        name="María Fernanda Núñez-Ibáñez",
        what="email",
        happened_at=datetime(2026, 11, 23, 14, 5, tzinfo=PACIFIC),
    ),
)
CONFIRM_EMAIL: Final = Notice(
    key="confirm_email",
    facts=ConfirmEmailFacts,
    urgency=Urgency.URGENT,
    days=_days(email=1),
    # A preview shows where the token stands, never one that works.
    sample=ConfirmEmailFacts(name="María Fernanda Núñez-Ibáñez", token="0" * 43, hours=24),
)
SIGN_IN_LOCKED: Final = Notice(
    key="sign_in_locked",
    facts=SignInLockedFacts,
    urgency=Urgency.URGENT,
    days=_days(email=1, mail=10),
    sample=SignInLockedFacts(
        name="María Fernanda Núñez-Ibáñez",
        locked_at=datetime(2026, 11, 23, 14, 5, tzinfo=PACIFIC),
    ),
)
CASEWORKER_REPLY: Final = Notice(
    key="caseworker_reply",
    facts=CaseworkerReplyFacts,
    urgency=Urgency.URGENT,
    days=_days(email=1, mail=10, inbox=1),
    sample=CaseworkerReplyFacts(
        name="María Fernanda Núñez-Ibáñez",
        body="Thank you for your message.\nWe received your new pay stubs. You do not need to come "
        "to the office.",
        replied_on=date(2026, 11, 24),
        case_number="000000000000042",
    ),
)

CATALOGUE: Final[Mapping[str, Notice]] = MappingProxyType(
    {
        notice.key: notice
        for notice in (
            TEMPORARY_PIN,
            APPOINTMENT_REMINDER,
            PAYMENT_NOTICE,
            SECURITY_ALERT,
            CONFIRM_EMAIL,
            SIGN_IN_LOCKED,
            CASEWORKER_REPLY,
        )
    }
)
LETTERS: Final[Sequence[Notice]] = tuple(
    notice for notice in CATALOGUE.values() if Channel.MAIL in notice.days
)
"""Those that go by mail: what the print vendor proofs and approves."""
