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

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt

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


class LegalClass(StrEnum):
    """What the law asks of how a notice is served."""

    ORDINARY = "ordinary"
    COURT = "court"
    """About a hearing: it is never paperless only, whatever its reader chose."""


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


class MovedAppointmentFacts(AppointmentFacts):
    """`was_at` is when it was to be before it was moved."""

    was_at: AwareDatetime


class CourtDateFacts(Facts):
    """A hearing, and the case it is about."""

    starts_at: AwareDatetime
    place: str
    case_number: str


class PaymentFacts(Facts):
    """A payment the reader `made`, or one that was `sent` to the reader."""

    direction: Literal["made", "sent"]
    amount_cents: PositiveInt
    paid_on: date
    case_number: str


class StatementLine(BaseModel):
    """One payment of a month."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    paid_on: date
    direction: Literal["made", "sent"]
    amount_cents: PositiveInt
    case_number: str


class StatementFacts(Facts):
    """The payments of the `month` that begins on that day, oldest first, and the sums of both
    directions."""

    month: date
    lines: tuple[StatementLine, ...]
    made_cents: NonNegativeInt
    sent_cents: NonNegativeInt


class DocumentReadyFacts(Facts):
    """What kind of document of a case waits, and since when."""

    document: Literal["court_order", "case_letter", "tax_statement"]
    ready_on: date
    case_number: str


class InboxReminderFacts(Facts):
    """Since when something has waited unopened in *My Documents*."""

    waiting_since: date


class EnrolmentFacts(Facts):
    """When eCommunications were chosen, or given up."""

    happened_at: AwareDatetime


class RevertedToPaperFacts(Facts):
    """Why email is no longer used: it could not be delivered, or was reported as unwanted."""

    why: Literal["undeliverable", "unwanted"]
    since: date


class WelcomeFacts(Facts):
    """The number with which a new participant signs in; the PIN comes apart from it."""

    participant_number: str


class SecurityAlertFacts(Facts):
    """What of the reader's was changed, and when; never the old value or the new."""

    what: Literal["pin", "email", "address", "phone", "language", "ecommunications"]
    happened_at: AwareDatetime


class ConfirmEmailFacts(Facts):
    """The token of a link that proves the address it is sent to, and works for so many hours."""

    token: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{22,64}$")]
    hours: PositiveInt


class ApplicantAccountFacts(Facts):
    """What came to pass with the account of somebody who applies: it waits for the proof of its
    address (`confirm`), another password was asked for (`reset`) or chosen (`password`), or
    somebody typed wrong ones (`locked`). The first two hold the token of a link that works for so
    many hours."""

    what: Literal["confirm", "reset", "password", "locked"]
    happened_at: AwareDatetime
    token: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{22,64}$")] | None = None
    hours: PositiveInt | None = None


class SignInLockedFacts(Facts):
    """When the last of several wrong PINs was typed."""

    locked_at: AwareDatetime


class CaseworkerReplyFacts(Facts):
    """What the caseworker answered, about which case."""

    body: Annotated[str, Field(min_length=1)]
    replied_on: date
    case_number: str


class ApplicationReceivedFacts(Facts):
    """Under which number an application for services was received, and on which day."""

    number: Annotated[str, Field(pattern=r"^[0-9]{12}$")]
    received_on: date


@dataclass(frozen=True, slots=True)
class Secret:
    """What one message carries besides its words, and the last day on which it works."""

    value: str = field(repr=False)
    works_until: date


@dataclass(frozen=True, slots=True)
class Notice:
    """One entry. `days` are business days until the promise of each channel falls due.

    One that is `optional` can be unsubscribed from with one click (RFC 8058). One with
    `quiet_hours` is not emailed at night. One with `paper_if_unopened` goes by mail too when it was
    left unopened in the inbox. `reviewed` says, by language, who of the agency reviewed its words.
    """

    key: str
    facts: type[Facts]
    urgency: Urgency
    days: Mapping[Channel, int]
    sample: Facts
    carries_secret: bool = False
    sample_secret: Secret | None = None
    legal: LegalClass = LegalClass.ORDINARY
    optional: bool = False
    quiet_hours: bool = False
    paper_if_unopened: bool = False
    reviewed: Mapping[Language, str] = field(default_factory=dict)


def unreviewed(notice: Notice) -> tuple[Language, ...]:
    """The languages whose words nobody of the agency has reviewed: a production profile refuses a
    court-class notice in them."""
    return tuple(language for language in LANGUAGES if not notice.reviewed.get(language))


_SAMPLE_NAME: Final = "María Fernanda Núñez-Ibáñez"


def _days(**channels: int) -> Mapping[Channel, int]:
    return MappingProxyType({Channel(name): days for name, days in channels.items()})


TEMPORARY_PIN: Final = Notice(
    key="temporary_pin",
    facts=TemporaryPinFacts,
    urgency=Urgency.URGENT,
    days=_days(email=1, mail=10),
    carries_secret=True,
    sample=TemporaryPinFacts(name=_SAMPLE_NAME),
    # A preview shows where the PIN stands, never a PIN.
    sample_secret=Secret("000000", date(2026, 11, 24)),
)
_SAMPLE_APPOINTMENT: Final = AppointmentFacts(
    name=_SAMPLE_NAME,
    kind="office",
    starts_at=datetime(2026, 12, 9, 9, 30, tzinfo=PACIFIC),
    place="1200 Example Street, Suite 300, Sacramento, CA 95814",
)
APPOINTMENT_REMINDER: Final = Notice(
    key="appointment_reminder",
    facts=AppointmentFacts,
    urgency=Urgency.BULK,
    days=_days(email=1, mail=10, inbox=1),
    sample=_SAMPLE_APPOINTMENT,
    optional=True,
    quiet_hours=True,
)
APPOINTMENT_SCHEDULED: Final = Notice(
    key="appointment_scheduled",
    facts=AppointmentFacts,
    urgency=Urgency.BULK,
    days=_days(email=1, mail=10, inbox=1),
    sample=_SAMPLE_APPOINTMENT,
    quiet_hours=True,
    paper_if_unopened=True,
)
APPOINTMENT_CHANGED: Final = Notice(
    key="appointment_changed",
    facts=MovedAppointmentFacts,
    urgency=Urgency.BULK,
    days=_days(email=1, mail=10, inbox=1),
    sample=MovedAppointmentFacts(
        name=_SAMPLE_NAME,
        kind="office",
        starts_at=datetime(2026, 12, 9, 9, 30, tzinfo=PACIFIC),
        place="1200 Example Street, Suite 300, Sacramento, CA 95814",
        was_at=datetime(2026, 12, 2, 14, 0, tzinfo=PACIFIC),
    ),
    quiet_hours=True,
    paper_if_unopened=True,
)
APPOINTMENT_CANCELLED: Final = Notice(
    key="appointment_cancelled",
    facts=AppointmentFacts,
    urgency=Urgency.BULK,
    days=_days(email=1, mail=10, inbox=1),
    sample=_SAMPLE_APPOINTMENT,
    quiet_hours=True,
    paper_if_unopened=True,
)
COURT_DATE_REMINDER: Final = Notice(
    key="court_date_reminder",
    facts=CourtDateFacts,
    urgency=Urgency.BULK,
    days=_days(email=1, mail=10),
    sample=CourtDateFacts(
        name=_SAMPLE_NAME,
        starts_at=datetime(2026, 12, 16, 8, 30, tzinfo=PACIFIC),
        place="Superior Court, Department 12, 500 Example Avenue, Sacramento, CA 95814",
        case_number="000000000000042",
    ),
    legal=LegalClass.COURT,
    quiet_hours=True,
)
PAYMENT_NOTICE: Final = Notice(
    key="payment_notice",
    facts=PaymentFacts,
    urgency=Urgency.BULK,
    days=_days(email=1, mail=10, inbox=1),
    sample=PaymentFacts(
        name=_SAMPLE_NAME,
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
        name=_SAMPLE_NAME,
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
    sample=ConfirmEmailFacts(name=_SAMPLE_NAME, token="0" * 43, hours=24),
)
SIGN_IN_LOCKED: Final = Notice(
    key="sign_in_locked",
    facts=SignInLockedFacts,
    urgency=Urgency.URGENT,
    days=_days(email=1, mail=10),
    sample=SignInLockedFacts(
        name=_SAMPLE_NAME,
        locked_at=datetime(2026, 11, 23, 14, 5, tzinfo=PACIFIC),
    ),
)
APPLICANT_ACCOUNT: Final = Notice(
    key="applicant_account",
    facts=ApplicantAccountFacts,
    urgency=Urgency.URGENT,
    days=_days(email=1),
    sample=ApplicantAccountFacts(
        name=_SAMPLE_NAME,
        what="confirm",
        happened_at=datetime(2026, 11, 23, 14, 5, tzinfo=PACIFIC),
        token="0" * 43,
        hours=24,
    ),
)
CASEWORKER_REPLY: Final = Notice(
    key="caseworker_reply",
    facts=CaseworkerReplyFacts,
    urgency=Urgency.URGENT,
    days=_days(email=1, mail=10, inbox=1),
    sample=CaseworkerReplyFacts(
        name=_SAMPLE_NAME,
        body="Thank you for your message.\nWe received your new pay stubs. You do not need to come "
        "to the office.",
        replied_on=date(2026, 11, 24),
        case_number="000000000000042",
    ),
)
MONTHLY_STATEMENT: Final = Notice(
    key="monthly_statement",
    facts=StatementFacts,
    urgency=Urgency.BULK,
    days=_days(email=1, mail=10, inbox=1),
    sample=StatementFacts(
        name=_SAMPLE_NAME,
        month=date(2026, 10, 1),
        lines=(
            StatementLine(
                paid_on=date(2026, 10, 6),
                direction="sent",
                amount_cents=48_250,
                case_number="000000000000042",
            ),
            StatementLine(
                paid_on=date(2026, 10, 20),
                direction="sent",
                amount_cents=48_250,
                case_number="000000000000042",
            ),
        ),
        made_cents=0,
        sent_cents=96_500,
    ),
)
DOCUMENT_READY: Final = Notice(
    key="document_ready",
    facts=DocumentReadyFacts,
    urgency=Urgency.BULK,
    days=_days(email=1, mail=10, inbox=1),
    sample=DocumentReadyFacts(
        name=_SAMPLE_NAME,
        document="case_letter",
        ready_on=date(2026, 11, 24),
        case_number="000000000000042",
    ),
    paper_if_unopened=True,
)
INBOX_REMINDER: Final = Notice(
    key="inbox_reminder",
    facts=InboxReminderFacts,
    urgency=Urgency.BULK,
    days=_days(email=1),
    sample=InboxReminderFacts(name=_SAMPLE_NAME, waiting_since=date(2026, 11, 20)),
    quiet_hours=True,
)
ECOMMUNICATIONS_ENROLLED: Final = Notice(
    key="ecommunications_enrolled",
    facts=EnrolmentFacts,
    urgency=Urgency.URGENT,
    days=_days(email=1, mail=10),
    sample=EnrolmentFacts(
        name=_SAMPLE_NAME, happened_at=datetime(2026, 11, 23, 14, 5, tzinfo=PACIFIC)
    ),
)
ECOMMUNICATIONS_WITHDRAWN: Final = Notice(
    key="ecommunications_withdrawn",
    facts=EnrolmentFacts,
    urgency=Urgency.URGENT,
    days=_days(email=1, mail=10),
    sample=EnrolmentFacts(
        name=_SAMPLE_NAME, happened_at=datetime(2026, 11, 23, 14, 5, tzinfo=PACIFIC)
    ),
)
REVERTED_TO_PAPER: Final = Notice(
    key="reverted_to_paper",
    facts=RevertedToPaperFacts,
    urgency=Urgency.BULK,
    days=_days(mail=10),
    sample=RevertedToPaperFacts(name=_SAMPLE_NAME, why="undeliverable", since=date(2026, 11, 24)),
)
WELCOME: Final = Notice(
    key="welcome",
    facts=WelcomeFacts,
    urgency=Urgency.BULK,
    days=_days(mail=10),
    sample=WelcomeFacts(name=_SAMPLE_NAME, participant_number="0000000042"),
)
WELCOME_PIN: Final = Notice(
    key="welcome_pin",
    facts=TemporaryPinFacts,
    urgency=Urgency.BULK,
    days=_days(mail=10),
    carries_secret=True,
    sample=TemporaryPinFacts(name=_SAMPLE_NAME),
    sample_secret=Secret("000000", date(2026, 12, 14)),
)
APPLICATION_RECEIVED: Final = Notice(
    key="application_received",
    facts=ApplicationReceivedFacts,
    urgency=Urgency.URGENT,
    days=_days(email=1, mail=10),
    sample=ApplicationReceivedFacts(
        name=_SAMPLE_NAME, number="482109375521", received_on=date(2026, 11, 20)
    ),
)

CATALOGUE: Final[Mapping[str, Notice]] = MappingProxyType(
    {
        notice.key: notice
        for notice in (
            TEMPORARY_PIN,
            WELCOME,
            WELCOME_PIN,
            SECURITY_ALERT,
            ECOMMUNICATIONS_ENROLLED,
            ECOMMUNICATIONS_WITHDRAWN,
            CONFIRM_EMAIL,
            SIGN_IN_LOCKED,
            APPLICANT_ACCOUNT,
            APPOINTMENT_SCHEDULED,
            APPOINTMENT_CHANGED,
            APPOINTMENT_CANCELLED,
            APPOINTMENT_REMINDER,
            COURT_DATE_REMINDER,
            PAYMENT_NOTICE,
            MONTHLY_STATEMENT,
            DOCUMENT_READY,
            INBOX_REMINDER,
            CASEWORKER_REPLY,
            REVERTED_TO_PAPER,
            APPLICATION_RECEIVED,
        )
    }
)
LETTERS: Final[Sequence[Notice]] = tuple(
    notice for notice in CATALOGUE.values() if Channel.MAIL in notice.days
)
"""Those that go by mail: what the print vendor proofs and approves."""
EMAILS: Final[Sequence[Notice]] = tuple(
    notice for notice in CATALOGUE.values() if Channel.EMAIL in notice.days
)
"""Those that go by email, or of which an email tells."""
