"""Proofs: what the vendor has not approved does not leave in a production batch, and what is shown
to the vendor never touches a reader."""

import json
import shutil
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.assets import TEMPLATES
from engine.bootstrap import Application
from engine.communications.catalogue import CATALOGUE, COURT_DATE_REMINDER, LETTERS, Channel
from engine.communications.rendering import Renderer
from engine.communications.routing import in_order
from engine.database import advisory_lock
from engine.errors import InputError
from engine.mail.acts import Signed
from engine.mail.batches import BatchBusyError, PrintBatches
from engine.mail.drops.opening import drop_for
from engine.mail.keys import load_print_keys
from engine.mail.proofs import ProofIncompleteError
from engine.mail.typesetting import LAYOUT
from engine.settings import Settings
from tests import people
from tests.acting import opened_in_parts
from tests.database_rows import execute, fetch, states
from tests.mail.print_shop import alarm_kinds, by_mail, deliver, gather
from tests.mail.test_batches import opened
from tests.promises import payment
from tests.vendor.manners import Mischief
from tests.vendor.marks import Sampling
from tests.vendor.sealing import Keys
from tests.vendor.shop import Vendor

WHO = Signed("operator 7", "the vendor wrote that all is well")
EDITIONS = 2
FEW = [CATALOGUE["payment_notice"], CATALOGUE["temporary_pin"], COURT_DATE_REMINDER]
KEYS = [notice.key for notice in FEW]


@pytest.fixture(autouse=True)
def letters(monkeypatch: pytest.MonkeyPatch) -> None:
    """Proofs of these three: only one test looks at all of them."""
    monkeypatch.setattr("engine.mail.proofs.LETTERS", FEW)


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """A production environment, and the vendor's test account beside it."""
    for account in ("prod", "test"):
        for part in ("to-vendor", "from-vendor"):
            (tmp_path / account / part).mkdir(parents=True)
    return settings.model_copy(
        update={
            "print_env": "prod",
            "print_drop_url": (tmp_path / "prod").as_uri(),
            "print_test_drop_url": (tmp_path / "test").as_uri(),
        }
    )


@pytest.fixture
async def application(
    settings: Settings, database: AsyncEngine, redis: Redis
) -> AsyncIterator[Application]:
    """The application in that environment."""
    async with opened_in_parts(settings) as running:
        yield running


def vendor(application: Application, env: str) -> Vendor:
    """The vendor at its account of that environment."""
    load_print_keys(application.settings)
    folder = application.settings.data_dir / "print" / "vendor-key"
    url = application.settings.print_drop_url
    assert url is not None
    return Vendor(
        Path(url.removeprefix("file://")).with_name(env),
        Keys(folder / "vendor-secret.asc", folder / "signing-public.asc"),
        env=env,
        sampling=Sampling(1000),
    )


def sent(application: Application, env: str) -> list[str]:
    """The batches that stand in the drop of that environment."""
    folder = vendor(application, env).drop.to_vendor
    return sorted(path.name.removesuffix(".done") for path in folder.glob("*.done"))


async def approved_proof(application: Application) -> str:
    """A proof of all templates, approved."""
    made = await application.proofs.make()
    assert made.waits is None
    await application.proofs.approve(made.proof_id, [], WHO)
    return made.proof_id


async def test_what_was_not_approved_does_not_leave(application: Application) -> None:
    """Its letter is held and says why; with the approval it goes in the next batch, whose manifest
    says which proof, who and when."""
    await gather(application, *by_mail(1))
    assert await application.batches.close() == []
    (task,) = await application.held.tasks()
    assert task.reason == "unapproved_template"
    assert sent(application, "prod") == []
    made = await application.proofs.make()
    approved, sent_on = await application.proofs.approve(made.proof_id, [], WHO)
    assert (approved, sent_on) == (sorted(KEYS), 1)
    await deliver(application)
    (closed,) = await application.batches.close()
    assert (closed.pieces, closed.waits) == (1, None)
    assert sent(application, "prod") == [closed.name]
    (template,) = json.loads(opened(application, closed.name).read("manifest.json"))["templates"]
    assert (template["proof_id"], template["approved_by"]) == (made.proof_id, WHO.who)
    assert datetime.fromisoformat(template["approved_at"]) <= application.clock()
    acts = await fetch(application, "SELECT who, act, subject, why FROM operator_act")
    assert acts == [{"who": WHO.who, "act": "approve", "subject": made.proof_id, "why": WHO.why}]


async def test_a_court_notice_that_nobody_reviewed_does_not_leave(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The vendor's approval is not enough: somebody of the agency has read its words, in both
    languages, or its letters wait for a person."""
    (person,) = await people.add(application.engine, *by_mail(1))
    hearing = replace(
        payment(person, in_order(Channel.MAIL)),
        notice=COURT_DATE_REMINDER,
        facts=COURT_DATE_REMINDER.sample,
    )
    async with application.outbox.transaction() as transaction:
        await transaction.record(hearing)
    await application.dispatcher.deliver([item.delivery_id for item in transaction.owed])
    await approved_proof(application)
    assert await application.batches.close() == []
    (task,) = await application.held.tasks()
    assert task.reason == "unapproved_template"
    reviewed = replace(COURT_DATE_REMINDER, reviewed={"en": "the agency", "es": "the agency"})
    monkeypatch.setattr(
        "engine.mail.printing.CATALOGUE", {**CATALOGUE, COURT_DATE_REMINDER.key: reviewed}
    )
    await application.held.send_on([task.communication_id])
    await deliver(application)
    (closed,) = await application.batches.close()
    assert closed.pieces == 1


async def test_a_proof_shows_every_letter(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every notice in every language and edition, in one test batch, in the test account alone."""
    monkeypatch.setattr("engine.mail.proofs.LETTERS", LETTERS)
    every = [notice.key for notice in LETTERS]
    made = await application.proofs.make()
    assert made.pieces == len(every) * 2 * EDITIONS
    assert list(made.templates) == every
    assert sent(application, "test") == [made.proof_id]
    assert sent(application, "prod") == []
    shop = vendor(application, "test")
    taken = await shop.take_in(made.proof_id)
    assert taken.good, taken.faults
    index = opened(application, made.proof_id).read("index.csv").decode().splitlines()
    header = index[0].split(",")
    shown = Counter(
        (row.split(",")[header.index("template_id")], row.split(",")[header.index("lang")])
        for row in index[1:]
    )
    assert set(shown) >= {(key, "en") for key in every}
    assert all(count == EDITIONS for count in shown.values())


async def test_a_proof_is_answered_like_any_batch(application: Application) -> None:
    """Ack, statuses and final are applied and reconciled; no delivery and no address is touched."""
    await gather(application, *by_mail(1))
    before = await states(application)
    made = await application.proofs.make()
    shop = vendor(application, "test")
    await shop.work(made.proof_id)
    await replace_drop(application).pickup.run()
    detail = await application.overview.batch(made.proof_id)
    assert detail.reconciliation is not None
    assert detail.reconciliation.final is not None
    assert detail.reconciliation.disagreements == ()
    assert await states(application) == before
    assert (
        await fetch(application, "SELECT 1 FROM contact_point WHERE returned_at IS NOT NULL") == []
    )
    assert await alarm_kinds(application) == set()


def replace_drop(application: Application) -> Application:
    """The same application, whose drop is the test account."""
    pickup = replace(application.pickup, drop=partial(drop_for, application.settings, "test"))
    return replace(application, pickup=pickup)


@pytest.mark.parametrize("what", ["words", "layout"])
async def test_a_change_needs_a_new_approval(
    application: Application, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """Of the words or of the layout: what was approved before is then held again, and the old
    proof cannot be approved for it."""
    made = await application.proofs.make()
    await application.proofs.approve(made.proof_id, ["temporary_pin"], WHO)
    if what == "words":
        shutil.copytree(TEMPLATES, tmp_path / "templates")
        for path in (tmp_path / "templates").rglob("*payment_notice*"):
            for file in [path] if path.is_file() else path.iterdir():
                file.write_text(file.read_text() + "\n")
        changed = renewed(application, tmp_path / "templates")
    else:
        wider = tmp_path / "letter.typ"
        wider.write_text(f"{LAYOUT.read_text()}\n// wider\n")
        monkeypatch.setattr("engine.mail.approvals.LAYOUT", wider)
        changed = application.batches
    proofs = replace(application.proofs, approvals=changed.printer.approvals)
    with pytest.raises(InputError, match="payment_notice changed since"):
        await proofs.approve(made.proof_id, ["payment_notice"], WHO)
    await gather(application, *by_mail(1))
    assert await changed.close() == []
    (task,) = await application.held.tasks()
    assert task.reason == "unapproved_template"


def renewed(application: Application, templates: Path) -> PrintBatches:
    """The batches, with other words."""
    settings = application.settings
    renderer = Renderer(settings.agency, settings.public_url, templates)
    printer = application.batches.printer
    printer = replace(
        printer, renderer=renderer, approvals=replace(printer.approvals, renderer=renderer)
    )
    return replace(application.batches, printer=printer)


async def test_what_changed_is_left_out_of_an_approval(application: Application) -> None:
    """Approving all of a proof approves what is still as it was shown, and says which that is."""
    made = await application.proofs.make()
    await execute(
        application, "UPDATE print_proof SET sha256 = 'x' WHERE template_id = 'payment_notice'"
    )
    approved, _ = await application.proofs.approve(made.proof_id, [], WHO)
    assert approved == sorted(set(KEYS) - {"payment_notice"})


async def test_single_templates_are_approved(application: Application) -> None:
    """Those named, once; one that the proof does not show is refused, as is no proof at all."""
    made = await application.proofs.make()
    approved, _ = await application.proofs.approve(made.proof_id, ["payment_notice"], WHO)
    assert approved == ["payment_notice"]
    with pytest.raises(InputError, match="approved already"):
        await application.proofs.approve(made.proof_id, ["payment_notice"], WHO)
    with pytest.raises(InputError, match="does not show newsletter"):
        await application.proofs.approve(made.proof_id, ["newsletter"], WHO)
    with pytest.raises(InputError, match="no such proof"):
        await application.proofs.approve("newsletter", [], WHO)


async def test_a_rejected_proof_is_not_approved_but_made_anew(application: Application) -> None:
    """The next proof names the one that it replaces, and leaves without a release."""
    first = await application.proofs.make()
    shop = vendor(application, "test")
    await shop.take_in(first.proof_id)
    shop.ack(first.proof_id, Mischief.REJECTS)
    await replace_drop(application).pickup.run()
    with pytest.raises(InputError, match="the vendor rejected"):
        await application.proofs.approve(first.proof_id, [], WHO)
    with pytest.raises(InputError, match="connect batch proof"):
        await application.superseding.replace(first.proof_id, WHO)
    second = await application.proofs.make()
    assert second.waits is None
    manifest = json.loads(opened(application, second.proof_id).read("manifest.json"))
    assert (manifest["supersedes"], manifest["sequence"]) == (first.proof_id, 2)
    assert await alarm_kinds(application) == set()


async def test_a_proof_that_has_not_left_is_not_approved(application: Application) -> None:
    """Where there is no test account it waits, in no other, and says what is missing."""
    settings = application.settings.model_copy(update={"print_test_drop_url": None})
    async with opened_in_parts(settings) as without:
        made = await without.proofs.make()
        assert "PRINT_TEST_DROP_URL is not set" in str(made.waits)
        assert sent(application, "prod") == []
        with pytest.raises(InputError, match="has not left yet"):
            await without.proofs.approve(made.proof_id, [], WHO)


async def test_a_sample_that_cannot_be_drawn_makes_no_proof(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or the vendor would approve what it was never shown."""
    notice = CATALOGUE["payment_notice"]
    sample = notice.sample.model_copy(update={"name": "漢字"})
    monkeypatch.setattr(
        "engine.mail.proofs.LETTERS",
        [replace(notice, sample=sample) if each is notice else each for each in FEW],
    )
    with pytest.raises(ProofIncompleteError, match=r"4 sample letter.*payment_notice"):
        await application.proofs.make()
    assert await fetch(application, "SELECT 1 FROM print_batch") == []
    assert not list((application.settings.data_dir / "print" / "outgoing").iterdir())


async def test_two_proofs_are_not_made_at_once(application: Application) -> None:
    """They would be written into one file."""
    async with advisory_lock(application.engine, "print_batch:proof"):
        with pytest.raises(BatchBusyError):
            await application.proofs.make()


async def test_a_test_batch_may_hold_what_was_not_approved(
    application: Application, settings: Settings
) -> None:
    """It is never mailed; and it never reaches the production account."""
    settings = settings.model_copy(
        update={"print_env": "test", "print_drop_url": settings.print_test_drop_url}
    )
    async with opened_in_parts(settings) as trying:
        await gather(trying, *by_mail(1))
        (closed,) = await trying.batches.close()
    assert closed.waits is None
    assert sent(application, "test") == [closed.name]
    assert sent(application, "prod") == []
