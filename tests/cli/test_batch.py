"""`connect batch`, as an operator meets it: each command says what it did and what is next."""

import re
from pathlib import Path

import pytest

from engine.bootstrap import Application
from tests import people
from tests.cli.terminal import Said, Terminal
from tests.database_rows import fetch
from tests.mail.print_shop import by_mail, deliver, gather, vendor_of
from tests.mail.test_keys import lasting
from tests.vendor.manners import Mischief
from tests.vendor.shop import Vendor

# Each runs the real command a few times, at three seconds a time: the fuller tier has room.
pytestmark = pytest.mark.full

BY = ("--why", "the tray was empty [/b] [red]", "--by", "operator 7")
PERSONAL = ("Inés", "INÉS", "Peña", "EXAMPLE ST", "95814", "ines@example.com")


def gathered(machine: Terminal, number: int, first: int = 1) -> None:
    """So many letters in the open batch."""
    machine.prepare(lambda application: gather(application, *by_mail(number, first)))


def closed(machine: Terminal, number: int = 2, first: int = 1) -> str:
    """The name of a batch that was handed over."""

    async def close(application: Application) -> str:
        await gather(application, *by_mail(number, first))
        (batch,) = await application.batches.close()
        assert batch.waits is None
        return batch.name

    return machine.prepare(close)


def answers(machine: Terminal, batch: str, *steps: str, reject: bool = False) -> None:
    """The vendor takes the batch in, and takes these steps; nobody has picked up yet."""

    async def work(application: Application) -> None:
        shop: Vendor = vendor_of(application)
        await shop.take_in(batch)
        if reject:
            shop.ack(batch, Mischief.REJECTS)
        for step in steps:
            getattr(shop, step)(batch)

    machine.prepare(work)


def well(said: Said, *parts: str) -> str:
    """The output of a command that went well, with all these parts and nobody's data."""
    assert said.status == 0, said.error
    for part in parts:
        assert part in said.out
    assert said.error == ""
    return impersonal(said.out)


def refused(said: Said, *parts: str) -> None:
    """One line on standard error, exit status 1."""
    assert said.status == 1
    assert said.error.startswith("connect: ")
    assert said.error.count("\n") == 1
    for part in parts:
        assert part in said.error
    impersonal(said.error)


def impersonal(text: str) -> str:
    """What holds nothing of a reader."""
    assert not [word for word in PERSONAL if word in text]
    return text


def named(text: str) -> str:
    """The batch that is spoken of first."""
    found = re.search(r"ccss_[a-z0-9_]+", text)
    assert found is not None
    return found[0]


def acts(machine: Terminal) -> list[tuple[object, object, object]]:
    """Who did what to what, on record."""

    async def read(application: Application) -> list[tuple[object, object, object]]:
        rows = await fetch(application, "SELECT who, act, subject FROM operator_act ORDER BY id")
        return [(row["who"], row["act"], row["subject"]) for row in rows]

    return machine.prepare(read)


def test_a_day_at_the_print_drop(machine: Terminal) -> None:
    """Nothing yet; letters that wait; closed and handed over; acknowledged, mailed and final; and
    the route of one piece."""
    well(machine.connect("batch", "list"), "No batch yet")
    well(machine.connect("batch", "close"), "Nothing was closed", "connect mail held")
    gathered(machine, 2)
    assert re.search(r"\nopen +open +2 ", well(machine.connect("batch", "list")))
    said = well(machine.connect("batch", "close"), "2 pieces", "Handed over", "connect batch list")
    name = named(said)
    digest = re.search(r"sha256 ([0-9a-f]{64})\n", said)
    assert digest is not None
    well(machine.connect("batch", "list"), name, "handed over", "connect batch show NAME")
    answers(machine, name, "ack", "accept", "mail", "finish")
    collected = well(machine.connect("batch", "collect"))
    assert collected.count(": applied\n") == 4
    well(machine.connect("batch", "collect"), "All is quiet")
    shown = well(machine.connect("batch", "show", name), digest[1], "now: 2 mailed", "final.json")
    assert re.search(r"pieces +2 +2 +2 +2\n", shown)
    route = well(machine.connect("batch", "show", name, "--piece", "2"), f"{name}, piece 2")
    assert [word for word in ("accepted", "mailed") if word in route] == ["accepted", "mailed"]
    refused(machine.connect("batch", "show", name, "--piece", "3"), "no such piece")


@pytest.mark.parametrize(
    "command",
    [
        ("show",),
        ("show", "--piece", "1"),
        ("verify",),
        ("hold", *BY),
        ("release", *BY),
        ("supersede", *BY),
        ("reprint", "--pieces", "1", "--reason", "OTHER", *BY),
        ("cancel", "--pieces", "1", "--reason", "OTHER", *BY),
        ("approve", *BY),
        ("answer", *BY),
    ],
    ids=lambda command: command[0],
)
def test_what_there_is_not_is_one_clear_line(machine: Terminal, command: tuple[str, ...]) -> None:
    """An unknown name is refused by every command, and repeated so that a slip is seen."""
    name, *options = command
    refused(machine.connect("batch", name, "ccss_test_letters_20200101_001", *options), "20200101")


def test_a_batch_is_held_and_released(machine: Terminal) -> None:
    """Held while it gathers, nothing is closed; released, it is. The reason is shown as it was
    given, with the batch that it came to be."""
    gathered(machine, 1)
    well(machine.connect("batch", "hold", "open", *BY), "connect batch release open")
    well(machine.connect("batch", "close"), "held by a person")
    well(machine.connect("batch", "release", "open", *BY), "connect batch close")
    name = named(well(machine.connect("batch", "close")))
    shown = well(machine.connect("batch", "show", name))
    assert "hold by operator 7: the tray was empty [/b] [red]\n" in shown
    assert "release by operator 7" in shown
    refused(machine.connect("batch", "hold", name, *BY), "still with us", "connect batch list")


def test_a_disagreement_keeps_the_next_until_it_is_released(machine: Terminal) -> None:
    """Closing says why it has not left and how to let it go; the list shows that it waits."""
    first = closed(machine)

    async def disagree(application: Application) -> None:
        shop = vendor_of(application)
        await shop.take_in(first)
        shop.ack(first, Mischief.WRONG_TOTALS)
        await application.pickup.run()
        await gather(application, *by_mail(1, first=3))

    machine.prepare(disagree)
    said = well(machine.connect("batch", "close"), "has not left", "connect batch release")
    second = named(said)
    listed = well(machine.connect("batch", "list"), "stored — waits", "totals", first)
    assert listed.index(second) < listed.index("Alarms")
    well(machine.connect("batch", "show", first), "disagrees")
    well(machine.connect("batch", "release", second, *BY), "is released. Handed over.")
    assert acts(machine) == [("operator 7", "release", second)]


@pytest.mark.parametrize("ending", [".zip.pgp", ".zip.pgp.sha256", ".done"])
def test_a_wrong_copy_is_found(machine: Terminal, ending: str) -> None:
    """Right: exit status 0. One byte changed in any of the three files: WRONG, and 1."""
    name = closed(machine, 1)
    assert "WRONG" not in well(machine.connect("batch", "verify", name), "right")
    path = machine.settings.data_dir / "print" / "outgoing" / f"{name}{ending}"
    content = path.read_bytes()
    path.write_bytes(content[:-2] + bytes([content[-2] ^ 1]) + content[-1:])
    said = machine.connect("batch", "verify", name)
    assert said.status == 1
    assert said.out.count("WRONG") == 1
    assert "connect batch hold" in said.out


def test_orders(machine: Terminal) -> None:
    """Taken out, made again, refused where it is not time; each with its number, and what next."""
    name = closed(machine, 3)
    what = ("--pieces", "3", "--reason", "CONTENT_WRONG")
    said = machine.connect("batch", "cancel", name, *what, *BY)
    well(said, f"{name}.order.001: cancel of 1 piece(s)", f"connect batch show {name}")
    reprint = ("batch", "reprint", name, "--reason", "LOST_IN_THE_MAIL", *BY, "--pieces")
    refused(machine.connect(*reprint, "1"), "only when it has been mailed")
    answers(machine, name, "mail")
    well(machine.connect("batch", "collect"))
    well(machine.connect(*reprint, "1-2"), f"{name}.order.002: reprint of 2 piece(s)")
    well(machine.connect("batch", "show", name), "LOST_IN_THE_MAIL", "CONTENT_WRONG")
    well(machine.connect("batch", "verify", name), "order 002")
    assert acts(machine) == [("operator 7", "cancel", name), ("operator 7", "reprint", name)]
    wrong = machine.connect(*reprint, "1", "--reason", "BORED")
    assert wrong.status == 2


def test_a_pin_letter_is_issued_anew(machine: Terminal) -> None:
    """Said plainly, and without the PIN or its reader."""

    async def mailed(application: Application) -> str:
        await people.add(application.engine, people.Person(email=None))
        await application.pin_requests.receive("Inés", "Peña-Ibáñez", "0000000001", "mail", "es")
        await application.pin_requests.settle(await application.pin_requests.unsettled(-1))
        await deliver(application)
        (batch,) = await application.batches.close()
        shop = vendor_of(application)
        await shop.take_in(batch.name)
        shop.mail(batch.name)
        await application.pickup.run()
        return batch.name

    name = machine.prepare(mailed)
    options = ("--pieces", "all", "--reason", "LOST_IN_THE_MAIL", *BY)
    well(machine.connect("batch", "reprint", name, *options), "1 letter(s) carry a PIN", "anew")


def test_a_rejected_batch_is_superseded(machine: Terminal) -> None:
    """The vendor's refusal is shown with what to do; then where the letters went."""
    name = closed(machine)
    answers(machine, name, reject=True)
    well(machine.connect("batch", "collect"), "alarm totals", "the vendor rejected the batch")
    well(machine.connect("batch", "show", name), f"connect batch supersede {name}")
    well(machine.connect("batch", "supersede", name, *BY), "2 letter(s)", "connect batch close")
    well(machine.connect("batch", "show", name), "wait for the next close")
    well(machine.connect("batch", "show", "replacing"), f"replaces {name}")
    second = named(well(machine.connect("batch", "close"), "Handed over"))
    well(machine.connect("batch", "show", name), f"{second} replaces it")


def test_a_proof_is_made_and_approved(machine: Terminal) -> None:
    """It says how it is approved; the approval says what may leave."""
    said = well(machine.connect("batch", "proof"), "Handed over", "connect batch approve")
    name = named(said)
    template = ("--template", "payment_notice")
    well(machine.connect("batch", "approve", name, *template, *BY), "Approved: payment_notice.")
    refused(machine.connect("batch", "approve", name, *template, *BY), "approved already")
    assert acts(machine) == [("operator 7", "approve", name)]


def test_a_quarantined_file_is_answered(machine: Terminal) -> None:
    """Its alarm stands until somebody has written to the vendor, and again with the next."""
    name = closed(machine, 1)
    file = f"{name}.ack.json.pgp"

    def put(content: bytes) -> None:
        (machine.settings.data_dir / "drop" / "from-vendor" / file).write_bytes(content)

    put(b"no message")
    well(machine.connect("batch", "collect"), f"{file}: ", "alarm quarantined")
    well(machine.connect("batch", "list"), "quarantined")
    well(machine.connect("batch", "answer", file, *BY), "A corrected file is taken as it comes")
    assert "quarantined" not in well(machine.connect("batch", "list"))
    put(b"still no message")
    well(machine.connect("batch", "collect"), "alarm quarantined")


def test_a_key_that_ends_is_in_the_list(machine: Terminal) -> None:
    """Though there is no batch yet: which key, until when, and what to do."""
    keys = machine.settings.data_dir / "print" / "vendor-key" / "vendor-public.asc"
    well(machine.connect("batch", "list"))
    keys.write_text(lasting(20).certificate)
    well(machine.connect("batch", "list"), "VENDOR_CERTIFICATE", "expires on", "new certificate")


def test_an_act_is_signed(machine: Terminal) -> None:
    """Without a reason nothing is done; who it is may be the account."""
    assert machine.connect("batch", "hold", "open").status == 2
    refused(machine.connect("batch", "hold", "open", "--why", " "), "--why")


def test_a_folder_without_a_database_is_left_alone(
    machine: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line that says which folder; nothing is made there."""
    settings = machine.settings.model_copy(
        update={"database_url": None, "data_dir": tmp_path / "elsewhere"}
    )
    monkeypatch.delenv("DATABASE_URL", raising=False)
    refused(Terminal(settings).connect("batch", "list"), "there is no database in")
    assert not (tmp_path / "elsewhere").exists()


def test_help_is_written_for_people(machine: Terminal) -> None:
    """Every command of both groups says in a sentence what it does."""
    said = well(machine.connect("batch", "--help"))
    for command in (
        "list", "show", "close", "collect", "hold", "release", "verify", "reprint", "cancel",
        "supersede", "proof", "approve", "answer",
    ):  # fmt: skip
        assert re.search(rf"│ {command} +\S", said)
    well(machine.connect("batch", "close", "--help"), "hand over the open batch")
