"""A mail address in the fields of USPS Publication 28, as somebody gave it."""

import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MailAddress:
    """Whom a letter is for, and where; what an address does not have is the empty string.

    `addr1` is the delivery line and `addr2` its unit (APT 4), `urbanization` is for Puerto Rico.
    `country` is only looked at, never printed: domestic mail names none.
    """

    name: str = ""
    urbanization: str = ""
    addr1: str = ""
    addr2: str = ""
    city: str = ""
    state: str = ""
    zip5: str = ""
    zip4: str = ""
    country: str = ""

    @property
    def parts(self) -> tuple[str, ...]:
        """The fields that are printed and stand in `index.csv`: every one but the country."""
        return (
            self.name,
            self.urbanization,
            self.addr1,
            self.addr2,
            self.city,
            self.state,
            self.zip5,
            self.zip4,
        )

    def printed(self) -> "MailAddress":
        """The same address as the layout sets it, the country as it was given."""
        name, urbanization, addr1, addr2, city, state, zip5, zip4 = map(as_printed, self.parts)
        return MailAddress(
            name, urbanization, addr1, addr2, city, state, zip5, zip4, country=self.country
        )


def as_printed(text: str) -> str:
    """A field as the layout sets it: upper case, no spaces around it, accents in NFC.

    NFC is the same text by Unicode's canonical equivalence (UAX #15), and what a shaper draws
    for a letter followed by its accent.
    """
    if text.isascii():
        return text.strip(" ").upper()
    return unicodedata.normalize("NFC", text.strip(" ").upper())
