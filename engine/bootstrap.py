"""The composition root: every resource is built here, from settings, and let go of here."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from urllib.parse import urlsplit

from obstore.store import LocalStore, ObjectStore, from_url
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.alarms.book import AlarmBook
from engine.alarms.destinations import Destination, Webhook
from engine.alarms.telling import Teller
from engine.applications.account_passwords import AccountPasswords
from engine.applications.account_sign_in import AccountSignIn
from engine.applications.accounts import Accounts, AccountTags
from engine.applications.drafts import Drafts
from engine.applications.exporting import Exports
from engine.applications.submitting import Submitting
from engine.applications.uploads import Uploads
from engine.case_system.cancelling import Cancelling
from engine.case_system.feed.numbering import Numbering
from engine.case_system.feed.reading import Feed
from engine.case_system.identifiers import Identifiers
from engine.case_system.kept_answers import KeptAnswers
from engine.case_system.keys import ApiKeys
from engine.case_system.recording import Recorder
from engine.case_system.token_watch import TokenWatch
from engine.case_system.webhooks.destinations import Rules as WebhookRules
from engine.case_system.webhooks.destinations import SystemResolver
from engine.case_system.webhooks.endpoints import Endpoints
from engine.case_system.webhooks.posting import Poster
from engine.case_system.webhooks.running import WebhookRun
from engine.case_system.webhooks.watch import WebhookWatch
from engine.caseload.acts import Acts
from engine.caseload.appointment_calendar import AppointmentCalendars
from engine.caseload.appointment_changes import AppointmentChanges
from engine.caseload.bulk_notices import BulkNotices
from engine.caseload.carried_pins import CarriedPins
from engine.caseload.chosen_pins import ChosenPins
from engine.caseload.columns import Rules
from engine.caseload.consent_samples import ConsentSamples
from engine.caseload.contact_changes import ContactChanges
from engine.caseload.desks import LocalAgencies
from engine.caseload.email_extras import CaseloadExtras
from engine.caseload.notices import CaseloadNotices
from engine.caseload.other_party import OtherPartyReports
from engine.caseload.overtaken import Overtaken, TruthfulChannel
from engine.caseload.paperless import PaperlessReaders
from engine.caseload.pin_requests import PinRequests
from engine.caseload.recipients import CaseloadRecipients, Cooling
from engine.caseload.reminders import Reminders
from engine.caseload.sign_in import SignIn
from engine.caseload.statements import StatementRun
from engine.caseload.suppression import Suppression
from engine.caseload.survey import Surveyor
from engine.caseload.temporary_pins import TemporaryPins
from engine.caseload.unsubscribing import UnsubscribeTokens, Unsubscribing
from engine.clock import Clock, system_clock
from engine.communications.bulk_recording import Bulk
from engine.communications.campaigns import CampaignBell, Campaigns
from engine.communications.catalogue import Channel
from engine.communications.courtesy import Courtesy
from engine.communications.deadline_watch import DeadlineWatch
from engine.communications.dispatch import Dispatcher
from engine.communications.doorbell import Doorbell
from engine.communications.failover import Failover
from engine.communications.held import HeldDesk
from engine.communications.outbox import Outbox
from engine.communications.outcomes import Outcomes
from engine.communications.poisoned import PoisonWatch
from engine.communications.quiet_hours import QuietHours
from engine.communications.rendering import Renderer
from engine.communications.retries import Backoff
from engine.communications.strikes import SoftBounces
from engine.communications.sweep import Sweep
from engine.database import create_engine
from engine.email.addressing import Addressing
from engine.email.building import Builder
from engine.email.channel import EmailChannel
from engine.email.dkim import DkimSigner
from engine.email.forms import Forms
from engine.email.incoming.recording import Returns
from engine.email.operators import OperatorAddress
from engine.email.smarthost import Smarthost
from engine.email.smarthost_reports import SmarthostReports
from engine.email.transport import SmtpPool
from engine.email.worker_watch import WorkerWatch
from engine.errors import SettingsError
from engine.inbox.channel import InboxChannel
from engine.inbox.documents import Documents
from engine.inbox.store import DocumentStore
from engine.inbox.unopened import Unopened
from engine.mail.acts import ByHand
from engine.mail.addresses.checking import window_lines
from engine.mail.approvals import Approvals
from engine.mail.batches import PrintBatches
from engine.mail.channel import MailChannel
from engine.mail.composer import PartComposer
from engine.mail.drops.opening import drop_for, open_drop
from engine.mail.filing import Outgoing
from engine.mail.handover import Handover
from engine.mail.keys import load_print_keys
from engine.mail.overview import Overview
from engine.mail.printing import Printer
from engine.mail.proofs import Proofs
from engine.mail.returned_list import ReturnedMail
from engine.mail.rosters import Rosters
from engine.mail.superseding import Superseding
from engine.mail.tracking import Mailer
from engine.mail.vendor.alarms import DropAlarms
from engine.mail.vendor.applying import Applying
from engine.mail.vendor.incoming import Incoming
from engine.mail.vendor.orders import Orders
from engine.mail.vendor.pickup import Pickup
from engine.recovery.mark import Mark
from engine.recovery.recovering import Recovery
from engine.recovery.unlisted import Folders
from engine.recovery.witnesses import Witnesses
from engine.retention.classes import kinds
from engine.retention.holds import LegalHolds
from engine.retention.print_files import PrintFiles
from engine.retention.purge import Purge
from engine.security.audit import Audit
from engine.security.pin_checking import PinChecker
from engine.security.pins import PinHasher
from engine.security.sealed_columns import ColumnSealer
from engine.security.sealing import SecretBox
from engine.security.sessions import Sessions, Stage
from engine.security.sign_in_standings import Manners, Standings
from engine.security.throttling import Throttle
from engine.settings import Settings


@dataclass(frozen=True, slots=True)
class Application:
    """Everything that pages, commands and jobs may call."""

    settings: Settings
    clock: Clock
    engine: AsyncEngine
    doorbell: Doorbell
    outbox: Outbox
    outcomes: Outcomes
    renderer: Renderer
    dispatcher: Dispatcher
    sweep: Sweep
    held: HeldDesk
    deadlines: DeadlineWatch
    returns: Returns
    batches: PrintBatches
    handover: Handover
    pickup: Pickup
    drop_alarms: DropAlarms
    poison: PoisonWatch
    smarthost_reports: SmarthostReports
    alarms: AlarmBook
    teller: Teller
    worker_watch: WorkerWatch
    overview: Overview
    by_hand: ByHand
    orders: Orders
    superseding: Superseding
    proofs: Proofs
    returned_mail: ReturnedMail
    pin_requests: PinRequests
    notices: CaseloadNotices
    reminders: Reminders
    appointment_changes: AppointmentChanges
    calendars: AppointmentCalendars
    unsubscribing: Unsubscribing
    throttle: Throttle
    audit: Audit
    sessions: Sessions
    sign_in: SignIn
    chosen_pins: ChosenPins
    acts: Acts
    applicant_sessions: Sessions
    applicant_acts: Acts
    accounts: Accounts
    account_sign_in: AccountSignIn
    account_passwords: AccountPasswords
    documents: Documents
    unopened: Unopened
    consent_samples: ConsentSamples
    contact_changes: ContactChanges
    other_party: OtherPartyReports
    campaigns: Campaigns
    bulk_notices: BulkNotices
    statements: StatementRun
    surveyor: Surveyor
    courtesy: Courtesy
    holds: LegalHolds
    purge: Purge
    api_keys: ApiKeys
    recorder: Recorder
    kept_answers: KeptAnswers
    cancelling: Cancelling
    identifiers: Identifiers
    smtp: SmtpPool
    mark: Mark
    recovery: Recovery
    numbering: Numbering
    feed: Feed
    webhooks: Endpoints
    webhook_run: WebhookRun
    webhook_watch: WebhookWatch
    token_watch: TokenWatch
    drafts: Drafts
    uploads: Uploads
    submitting: Submitting
    exports: Exports


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """What an application has open besides its database."""

    doorbell: Doorbell
    pool: SmtpPool
    throttle: Throttle
    poster: Poster


@asynccontextmanager
async def open_application(
    settings: Settings, clock: Clock = system_clock, *, recovering: bool = False
) -> AsyncIterator[Application]:
    """Build the application over the servers that `settings` name; let go of them at the end.

    A database that was restored from a backup answers with DatabaseRestoredError, unless it is
    `recovering`.
    """
    async with open_servers(settings, clock) as servers, open_engine(settings) as engine:
        mark = await Mark.on(engine, Witnesses(settings.data_dir, servers.doorbell.redis))
        if not recovering:
            mark.guard()
        yield compose(settings, clock, engine, servers, mark)


@asynccontextmanager
async def open_servers(settings: Settings, clock: Clock) -> AsyncIterator[Servers]:
    """Let go of them at the end."""
    async with AsyncExitStack() as stack:
        doorbell = Doorbell.at(_url(settings, "redis_url"), settings.chunk)
        stack.push_async_callback(doorbell.close)
        pool = SmtpPool(_smarthosts(settings), settings.smtp_connections)
        stack.push_async_callback(pool.close)
        throttle = Throttle(_url(settings, "redis_url"), settings.tag_key_bytes(), clock)
        stack.push_async_callback(throttle.close)
        resolver = SystemResolver()
        stack.callback(resolver.close)
        poster = _poster(settings, resolver)
        yield Servers(doorbell=doorbell, pool=pool, throttle=throttle, poster=poster)


@asynccontextmanager
async def open_engine(settings: Settings) -> AsyncIterator[AsyncEngine]:
    """Connections to the database that `settings` name, with what seals its personal columns."""
    url = _url(settings, "database_url")
    engine = create_engine(url, pool_size=10, sealer=column_sealer(settings))
    try:
        yield engine
    finally:
        await engine.dispose()


def compose(
    settings: Settings, clock: Clock, engine: AsyncEngine, servers: Servers, mark: Mark
) -> Application:
    """Every part of the application, each given what it works with."""
    doorbell, pool = servers.doorbell, servers.pool
    box = secret_box(settings)
    retired = settings.pin_peppers_retired
    hasher = PinHasher(
        settings.pin_pepper.get_secret_value().encode(),
        settings.pin_pepper_id,
        {pepper_id: pepper.get_secret_value().encode() for pepper_id, pepper in retired.items()},
    )
    checker = PinChecker(hasher, settings.pin_hashes_at_once)
    audit = Audit(settings.tag_key_bytes(), clock)
    idle, whole = settings.session_idle, timedelta(hours=settings.session_hours)
    sessions = Sessions(clock, idle, whole)
    applicant_sessions = Sessions(clock, idle, whole, (Stage.APPLICANT,))
    manners = Manners(
        settings.lock_after_failures,
        timedelta(minutes=settings.lock_first_minutes),
        timedelta(minutes=settings.lock_most_minutes),
        timedelta(seconds=settings.sign_in_slow_seconds),
    )
    standings = Standings(manners, clock)
    tags = AccountTags(settings.tag_key_bytes())
    pins = TemporaryPins(hasher, box, clock, settings.pin_digits)
    renderer = Renderer(settings.agency, settings.public_url)
    recipients = CaseloadRecipients(
        window_lines=window_lines(settings.imb_mode),
        cooling=Cooling(
            timedelta(hours=settings.email_cooling_hours),
            timedelta(days=settings.address_cooling_days),
        ),
        clock=clock,
    )
    soft_bounces = SoftBounces(
        settings.soft_bounces_most,
        timedelta(days=settings.soft_bounce_days),
        timedelta(hours=settings.soft_bounce_retry_hours),
    )
    suppression = Suppression(recipients, pins, renderer, soft_bounces)
    failover = Failover(clock, pins, LocalAgencies())
    outcomes = Outcomes(clock, pins, failover, suppression)
    outbox = Outbox(engine, doorbell, pins, renderer)
    account_sign_in = AccountSignIn(
        outbox, checker, applicant_sessions, audit, standings, tags, clock
    )
    carried = CarriedPins(pins, outcomes)
    quiet = QuietHours.written(settings.quiet_hours) if settings.quiet_hours else None
    overtaken = Overtaken(outcomes, clock)
    calendars = AppointmentCalendars(
        settings.tag_key_bytes(),
        urlsplit(settings.public_url).hostname or settings.return_path_domain,
    )
    tokens = UnsubscribeTokens(settings.tag_key_bytes())
    addressing = Addressing(settings.tag_key_bytes(), settings.return_path_domain)
    signer = DkimSigner.of(settings.dkim_domain, settings.dkim_keys())
    email = EmailChannel(
        engine=engine,
        outcomes=outcomes,
        doorbell=doorbell,
        recipients=recipients,
        builder=Builder(
            Forms(renderer, settings.mail_from),
            addressing,
            box,
            pins,
            clock,
            signer,
        ),
        pool=pool,
        backoff=Backoff(settings.retry_first_seconds, settings.retry_most_seconds),
        attempts_most=settings.attempts_most,
        extras=CaseloadExtras(calendars, tokens, settings.public_url),
    )
    mail = MailChannel(engine, outcomes, doorbell, recipients, settings.print_job)
    uploads = Uploads(clock)
    documents = DocumentStore(_document_store(settings))
    courtesy = Courtesy()
    inbox = InboxChannel(
        engine=engine,
        outcomes=outcomes,
        doorbell=doorbell,
        renderer=renderer,
        store=documents,
        readers=PaperlessReaders(),
        return_address=settings.agency.return_address,
        clock=clock,
        courtesy=courtesy,
    )
    held = HeldDesk(engine, outcomes, pins, doorbell)
    bell = CampaignBell(engine, doorbell)
    bulk = Bulk(engine, bell, renderer, clock)
    approvals = Approvals(renderer)
    outgoing = Outgoing(settings.data_dir / "print" / "outgoing")
    printer = Printer(
        engine=engine,
        recipients=recipients,
        secrets=pins,
        renderer=renderer,
        box=box,
        composer=PartComposer(processes=settings.print_processes),
        keys=partial(load_print_keys, settings),
        return_address_of=settings.agency.return_address_of,
        pieces_per_part=settings.print_pieces_per_part,
        approvals=approvals,
        mailer=Mailer.of(settings),
        clock=clock,
    )
    rosters = Rosters(settings.data_dir / "print" / "rosters")
    handover = Handover(
        engine=engine,
        outcomes=outcomes,
        clock=clock,
        outgoing=outgoing,
        rosters=rosters,
        drop=partial(drop_for, settings),
    )
    incoming = Incoming(settings.data_dir / "print" / "incoming")
    teller = Teller(engine, _told_of_alarms(settings, pool, signer), clock)
    pickup = Pickup(
        engine=engine,
        drop=partial(open_drop, settings),
        keys=partial(load_print_keys, settings),
        incoming=incoming,
        applying=Applying(outcomes, recipients),
        doorbell=doorbell,
        clock=clock,
    )
    feed = Feed(engine)
    identifiers = Identifiers.of(settings.tag_key_bytes())
    return Application(
        settings=settings,
        clock=clock,
        engine=engine,
        doorbell=doorbell,
        outbox=outbox,
        outcomes=outcomes,
        renderer=renderer,
        dispatcher=Dispatcher(
            engine,
            {
                name: TruthfulChannel(channel, engine, overtaken)
                for name, channel in (
                    (Channel.EMAIL, email),
                    (Channel.MAIL, mail),
                    (Channel.INBOX, inbox),
                )
            },
            outcomes,
            doorbell,
            settings.lease_seconds,
            quiet,
            clock,
        ),
        sweep=Sweep(engine, doorbell),
        held=held,
        deadlines=DeadlineWatch(engine, clock),
        returns=Returns(engine, outcomes, doorbell, addressing, soft_bounces, clock),
        batches=PrintBatches(
            engine=engine,
            outcomes=outcomes,
            clock=clock,
            printer=printer,
            outgoing=outgoing,
            handover=handover,
            agency=settings.print_agency,
            environment=settings.print_env,
            job=settings.print_job,
        ),
        handover=handover,
        pickup=pickup,
        drop_alarms=DropAlarms(engine, partial(load_print_keys, settings), clock),
        poison=PoisonWatch(engine, clock),
        smarthost_reports=SmarthostReports(engine, pool, clock),
        alarms=AlarmBook(engine),
        teller=teller,
        worker_watch=WorkerWatch(engine, teller, clock),
        overview=Overview(engine, outgoing),
        by_hand=ByHand(engine, clock),
        orders=Orders(engine, outbox, partial(load_print_keys, settings), outgoing, clock),
        superseding=Superseding(engine, outcomes, pins, clock),
        proofs=Proofs(
            engine=engine,
            renderer=renderer,
            approvals=approvals,
            printer=printer,
            outgoing=outgoing,
            handover=handover,
            held=held,
            agency=settings.print_agency,
            clock=clock,
        ),
        returned_mail=ReturnedMail(engine, outcomes, recipients, doorbell, clock),
        pin_requests=PinRequests(engine, outbox, doorbell, carried, audit, recipients, clock),
        notices=CaseloadNotices(outbox, clock),
        reminders=Reminders(outbox, overtaken, quiet, clock),
        appointment_changes=AppointmentChanges(outbox, overtaken, audit, clock),
        calendars=calendars,
        unsubscribing=Unsubscribing(engine, tokens, audit, clock),
        throttle=servers.throttle,
        audit=audit,
        sessions=sessions,
        sign_in=SignIn(
            engine=engine,
            outbox=outbox,
            checker=checker,
            sessions=sessions,
            audit=audit,
            standings=standings,
            key=settings.tag_key_bytes(),
            clock=clock,
        ),
        chosen_pins=ChosenPins(checker, sessions, carried, clock, settings.pin_digits),
        acts=Acts(outbox, audit, sessions, clock),
        applicant_sessions=applicant_sessions,
        applicant_acts=Acts(outbox, audit, applicant_sessions, clock),
        accounts=Accounts(outbox, checker, applicant_sessions, audit, tags, clock),
        account_sign_in=account_sign_in,
        account_passwords=AccountPasswords(
            outbox, checker, applicant_sessions, account_sign_in, audit, tags, clock
        ),
        documents=Documents(documents, clock),
        unopened=Unopened(
            outbox=outbox,
            outcomes=outcomes,
            recipients=recipients,
            readers=PaperlessReaders(),
            clock=clock,
            reminder_days=settings.inbox_reminder_days,
            paper_days=settings.inbox_paper_days,
        ),
        consent_samples=ConsentSamples(settings.tag_key_bytes(), clock),
        contact_changes=ContactChanges(clock),
        other_party=OtherPartyReports(clock),
        campaigns=Campaigns(engine, outcomes, bell, audit, clock),
        bulk_notices=BulkNotices(bulk, Rules.of(settings)),
        statements=StatementRun(bulk, clock),
        courtesy=courtesy,
        surveyor=Surveyor(recipients, renderer, settings.agency.return_address),
        holds=LegalHolds(engine, audit, clock),
        purge=Purge(
            engine=engine,
            audit=audit,
            kinds=kinds(settings.retention, settings.audit_years),
            documents=documents,
            files=PrintFiles(
                settings.data_dir / "print", timedelta(days=settings.retention.print_file_days)
            ),
            audit_years=settings.audit_years,
            clock=clock,
        ),
        api_keys=ApiKeys(engine, audit, clock),
        recorder=Recorder(clock),
        kept_answers=KeptAnswers(clock),
        cancelling=Cancelling(outcomes, audit),
        identifiers=identifiers,
        smtp=pool,
        mark=mark,
        recovery=Recovery(
            engine=engine,
            outcomes=outcomes,
            pickup=pickup,
            rosters=rosters,
            folders=Folders(outgoing.folder, incoming.folder),
            mark=mark,
            addressing=addressing,
            clock=clock,
        ),
        numbering=Numbering(engine, clock),
        feed=feed,
        webhooks=Endpoints(engine, feed, servers.poster.rules, audit, clock),
        webhook_run=WebhookRun(
            engine=engine,
            feed=feed,
            poster=servers.poster,
            identifiers=identifiers,
            dead_after=timedelta(days=settings.webhook_dead_days),
            clock=clock,
        ),
        webhook_watch=WebhookWatch(engine, clock),
        token_watch=TokenWatch(engine, clock),
        drafts=Drafts(clock, settings.application_draft_days),
        uploads=uploads,
        submitting=Submitting(uploads, clock),
        exports=Exports(engine, audit, clock),
    )


def _poster(settings: Settings, resolver: SystemResolver) -> Poster:
    """What posts to webhooks. A machine that is tried out may post to itself."""
    loopback = settings.profile != "production"
    return Poster(
        WebhookRules(loopback, tuple(settings.webhook_networks())),
        resolver,
        settings.webhook_ca_file,
    )


def secret_box(settings: Settings) -> SecretBox:
    """What seals and opens under the keys of `settings`."""
    return SecretBox(settings.sealing_key_bytes, settings.sealing_key_id)


def column_sealer(settings: Settings) -> ColumnSealer:
    """What an engine needs to read and write personal columns."""
    return ColumnSealer(
        secret_box(settings),
        settings.tag_key_bytes(),
        keep_clear=settings.personal_columns == "both",
    )


def _smarthosts(settings: Settings) -> list[Smarthost]:
    _url(settings, "smtp_url")
    return [
        Smarthost.from_url(
            url,
            settings.smtp_timeout_seconds,
            ca_file=settings.smtp_ca_file,
            plain_networks=settings.plain_networks(),
            one_by_one=settings.smtp_one_by_one_hosts(),
        )
        for url in settings.smtp_urls()
    ]


def _told_of_alarms(
    settings: Settings, pool: SmtpPool, signer: DkimSigner | None
) -> list[Destination]:
    """The webhook first: it works when no smarthost does."""
    told: list[Destination] = []
    if settings.alarm_webhook_url is not None:
        url = settings.alarm_webhook_url.get_secret_value()
        told.append(Webhook(url, settings.alarm_webhook_key()))
    return told + [
        OperatorAddress(address, pool, settings.mail_from, signer)
        for address in settings.operator_emails()
    ]


def _document_store(settings: Settings) -> ObjectStore:
    if settings.documents_url is not None:
        return from_url(settings.documents_url)
    folder = settings.data_dir / "documents"
    return LocalStore(folder.absolute(), mkdir=True)


def _url(settings: Settings, name: str) -> str:
    value: SecretStr | None = getattr(settings, name)
    if value is None:
        raise SettingsError(f"{name.upper()} is not set, and no embedded server was started")
    return value.get_secret_value()
