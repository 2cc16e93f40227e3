"""The Intelligent Mail barcode of USPS-B-3200: what may be encoded, and the bars it becomes."""

import re
from functools import cache
from typing import Any, Final

from engine.errors import InputError

_TRACKING: Final = re.compile(r"[0-9]{20}")
_SECOND_DIGIT: Final = "01234"
_ROUTING: Final = re.compile(r"(?:[0-9]{5}|[0-9]{9}|[0-9]{11})?")


class RefusedBarcodeError(InputError):
    """What an encoder must refuse; nothing is drawn for it."""


def encode(tracking: str, routing: str) -> str:
    """The 65 bars, left to right: F full, A ascender, D descender, T tracker.

    `tracking` is barcode identifier (2), service type (3), mailer id and serial number (15
    together); `routing` is a ZIP Code of 5, 9 or 11 digits, or empty. Raises RefusedBarcodeError
    for exactly what the encoder published by USPS refuses: another length, anything but the
    digits 0 to 9, and a second digit above 4, for which the code has no room.
    """
    if _TRACKING.fullmatch(tracking) is None:
        raise RefusedBarcodeError("tracking must be 20 digits, each 0 to 9")
    if tracking[1] not in _SECOND_DIGIT:
        raise RefusedBarcodeError("the second digit of tracking must be 0 to 4")
    if _ROUTING.fullmatch(routing) is None:
        raise RefusedBarcodeError("routing must be 0, 5, 9 or 11 digits, each 0 to 9")
    bars: str = _encoder()(tracking, routing).barcodes
    return bars


@cache
def _encoder() -> Any:
    """ReportLab's encoder, which publishes no types. All of ReportLab's page layout comes with it,
    so that it is loaded only where a barcode is wanted."""
    from reportlab.graphics.barcode.usps4s import USPS_4State  # noqa: PLC0415  as said above

    return USPS_4State
