"""The process in which parts are drawn, one after another: what all of them need is made once."""

from dataclasses import dataclass
from datetime import date

from engine.mail.children import orders
from engine.mail.composing import ComposedPart, ComposingError, compose_part
from engine.mail.letters import Letter


@dataclass(frozen=True, slots=True)
class ComposingOrder:
    """What compose_part is to be called with."""

    letters: tuple[Letter, ...]
    batch_id: str
    document_date: date
    first_seq: int


def serve(descriptor: int) -> None:
    """Answer each order with its part, or with what was wrong."""
    with orders(descriptor) as connection:
        while True:
            connection.send(_composed(connection.recv()))


def _composed(order: ComposingOrder) -> ComposedPart | str:
    try:
        return compose_part(
            order.letters,
            batch_id=order.batch_id,
            document_date=order.document_date,
            first_seq=order.first_seq,
        )
    except ComposingError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001  its text may quote a letter: only its kind is told
        return f"the part failed with {type(error).__name__}"
