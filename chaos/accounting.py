"""The account of a run: every communication, by query, and by what the mail server and the vendor
really hold."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

from chaos.mail_server import Copy
from chaos.world import World
from engine.inbox.store import DocumentDamagedError
from tests.vendor.sealing import Keys
from tests.vendor.verify_batch import check_batch

_STANDING: Final = """
SELECT communication.id, communication.state,
       communication.state IN ('owed', 'held') AND EXISTS (
           SELECT FROM communication_event AS told
           WHERE told.communication_id = communication.id AND told.step = communication.step
             AND told.event = 'breached') AS breached
FROM communication
"""
_CARRIED: Final = """
SELECT delivery.id, communication_id, channel, delivery.state, meets_obligation,
       delivery.step = communication.step AS current, communication.state AS owed,
       document.sha256
FROM delivery JOIN communication ON communication.id = communication_id
LEFT JOIN document ON document.delivery_id = delivery.id
"""
# A mailbox that was full is written to again, of which we know: a report came back.
KNOWN: Final = """
SELECT delivery_id, extract(epoch FROM at)::float8 AS at, event = 'accepted' AS accepted
FROM delivery_event WHERE event IN ('accepted', 'bounced_soft') ORDER BY id
"""
_PIECES: Final = """
SELECT piece_id::text, delivery_id, superseded, print_batch.name AS batch,
       (SELECT count(*) FROM piece_event WHERE piece = print_piece.id AND status = 'mailed')
           AS mailed
FROM print_piece JOIN print_batch ON print_batch.id = batch_id
"""
_GOES_ON: Final = frozenset({"owed", "sending", "batched", "handed_over", "held"})
"""A delivery in one of these will be heard of again."""


@dataclass(frozen=True, slots=True)
class Account:
    """What was owed and what became of it; `faults` are promises that were not kept."""

    owed: int
    met: int
    still_owed: int
    held: int
    cancelled: int
    breached: int
    emails: int
    repeats: int
    """Copies of emails beyond the first, each after a hand-off of which nobody knew the end."""
    letters: int
    letters_twice: int
    faults: tuple[str, ...] = ()

    @property
    def lost(self) -> int:
        """What was owed and is nowhere: nothing, after a good run."""
        parts = self.met + self.still_owed + self.held + self.cancelled + self.breached
        return self.owed - parts


@dataclass(slots=True)
class Ledger:
    """Both sides' books, while they are compared."""

    standing: Mapping[int, Any]
    carried: Mapping[int, Any]
    told: Mapping[int, Sequence[tuple[float, bool]]]
    """Delivery → when its acceptance, or a soft bounce, was on record, and which of them."""
    copies: Mapping[int, Sequence[Copy]]
    pieces: Mapping[str, Any]
    printed: Counter[str]
    faults: list[str] = field(default_factory=list)

    def known_at(self, delivery: int, at: float) -> bool:
        """Whether it was on record, at that second, that the mail server has it."""
        before = [accepted for told, accepted in self.told.get(delivery, ()) if told < at]
        return bool(before) and before[-1]

    def repeats(self) -> int:
        """How many copies came again, but for those that a soft bounce asked for."""
        return sum(
            not any(
                earlier.begun < told < copy.begun
                for told, accepted in self.told.get(delivery, ())
                if not accepted
            )
            for delivery, copies in self.copies.items()
            for earlier, copy in pairwise(copies)
        )

    def fault(self, what: str, ids: Sequence[object]) -> None:
        """A promise that was not kept, with the first of those it was not kept for."""
        if ids:
            shown = ", ".join(str(one) for one in list(ids)[:5])
            self.faults.append(f"{what}: {len(ids)} ({shown}{' …' if len(ids) > 5 else ''})")


async def account(world: World) -> Account:
    """Compare both sides' books once nothing moves any more."""
    ledger = await _ledger(world)
    check_standing(world.recorded, ledger)
    check_emails(ledger)
    check_letters(ledger)
    await _documents(world, ledger)
    unsettled = await world.fetch("SELECT id FROM pin_request WHERE settled_at IS NULL")
    ledger.fault("PIN requests that nobody settled", [row["id"] for row in unsettled])
    states = Counter(
        "breached" if row["breached"] else row["state"] for row in ledger.standing.values()
    )
    by_delivery = Counter(
        ledger.pieces[piece]["delivery_id"] for piece in ledger.printed if piece in ledger.pieces
    )
    return Account(
        owed=len(world.recorded | set(ledger.standing)),
        met=states["met"],
        still_owed=states["owed"],
        held=states["held"],
        cancelled=states["cancelled"],
        breached=states["breached"],
        emails=len(ledger.copies),
        repeats=ledger.repeats(),
        letters=sum(ledger.printed.values()),
        letters_twice=sum(count - 1 for count in by_delivery.values()),
        faults=tuple(ledger.faults),
    )


async def _ledger(world: World) -> Ledger:
    standing = {row["id"]: row for row in await world.fetch(_STANDING)}
    carried = {row["id"]: row for row in await world.fetch(_CARRIED)}
    told: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    events = [*world.lost_events, *await world.fetch(KNOWN)]
    for row in sorted(events, key=lambda one: one["at"]):
        told[row["delivery_id"]].append((row["at"], row["accepted"]))
    pieces = {row["piece_id"]: row for row in await world.fetch(_PIECES)}
    named = world.application.returns.addressing.delivery_of_message_id
    copies = {named(name): found for name, found in world.mail.copies.items()}
    ledger = Ledger(
        standing,
        carried,
        told,
        {key: found for key, found in copies.items() if key is not None},
        pieces,
        at_the_vendor(world),
    )
    if None in copies:
        ledger.faults.append("the mail server holds a message that names no delivery of ours")
    return ledger


def at_the_vendor(world: World) -> Counter[str]:
    """Piece → in how many of the batches it stands that lie in the vendor's drop, opened with the
    vendor's own key and checked by its own rules."""
    folder = world.settings.data_dir / "print" / "vendor-key"
    keys = Keys(folder / "vendor-secret.asc", folder / "signing-public.asc")
    printed: Counter[str] = Counter()
    for done in sorted((world.vendor_folder / "to-vendor").glob("*.done")):
        printed.update(row["piece_id"] for row in check_batch(done, keys.open).rows)
    return printed


def check_standing(recorded: Collection[int], ledger: Ledger) -> None:
    """Whether all that was `recorded` is there, and what is owed is carried by something."""
    ledger.fault("communications that are gone", sorted(set(recorded) - set(ledger.standing)))
    going = {
        row["communication_id"]
        for row in ledger.carried.values()
        if row["current"] and row["state"] in _GOES_ON
    }
    forgotten = [
        key for key, row in ledger.standing.items() if row["state"] == "owed" and key not in going
    ]
    ledger.fault("owed, and nothing carries it", forgotten)
    hollow = [
        row["communication_id"]
        for row in ledger.carried.values()
        if row["owed"] == "met"
        and row["current"]
        and row["meets_obligation"]
        and row["state"] not in {"sent", "mailed"}
    ]
    ledger.fault("met, and its delivery is not done", hollow)


def check_emails(ledger: Ledger) -> None:
    """Whether the mail server holds what was sent, and nothing that it was known to hold again."""
    sent = {
        key
        for key, row in ledger.carried.items()
        if row["channel"] == "email" and row["state"] == "sent"
    }
    ledger.fault("sent, and the mail server holds nothing", sorted(sent - set(ledger.copies)))
    waiting = {key for key, row in ledger.carried.items() if row["state"] in {"owed", "sending"}}
    untold = [key for key in ledger.copies if key in waiting]
    ledger.fault(
        "still owed, though the mail server told us that it has it",
        [key for key in untold if any(copy.told for copy in ledger.copies[key])],
    )
    known = [
        key
        for key, copies in ledger.copies.items()
        for copy in copies[1:]
        if ledger.known_at(key, copy.begun)
    ]
    ledger.fault("sent again, though its acceptance was on record", known)


def check_letters(ledger: Ledger) -> None:
    """Whether the vendor was given each letter once, and all that we say it was."""
    ledger.fault("in two batches", [name for name, count in ledger.printed.items() if count > 1])
    ledger.fault("printed, and not ours", sorted(set(ledger.printed) - set(ledger.pieces)))
    standing = [name for name in ledger.printed if name in ledger.pieces]
    twice = Counter(ledger.pieces[name]["delivery_id"] for name in standing)
    ledger.fault("deliveries printed twice", [key for key, count in twice.items() if count > 1])
    done = {
        row["delivery_id"]: name
        for name, row in ledger.pieces.items()
        if not row["superseded"]
        and row["delivery_id"] is not None
        and ledger.carried[row["delivery_id"]]["state"] in {"handed_over", "mailed", "returned"}
    }
    missing = [key for key, name in done.items() if name not in ledger.printed]
    ledger.fault("handed over, and the vendor has no such letter", missing)
    again = [name for name, row in ledger.pieces.items() if row["mailed"] > 1]
    ledger.fault("mailed twice", again)


async def _documents(world: World, ledger: Ledger) -> None:
    missing = []
    for key, row in ledger.carried.items():
        if row["channel"] != "inbox" or row["state"] != "sent":
            continue
        try:
            await world.application.documents.store.get(row["sha256"])
        except (DocumentDamagedError, TypeError):
            missing.append(key)
    ledger.fault("posted, and the store has no such document", missing)
