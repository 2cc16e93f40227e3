"""Addresses after USPS Publication 28, section by section: as given, and as they print.

The delivery lines are the publication's own examples or in their form; the people are invented.
Those it calls wrong but deliverable are printed as they were given: nothing is rewritten here.
"""

from dataclasses import dataclass
from typing import Final

from engine.mail.addresses.fields import MailAddress


@dataclass(frozen=True, slots=True)
class Example:
    """`section` numbers are Publication 28's; letters are its appendices."""

    section: str
    address: MailAddress
    lines: tuple[str, ...]


NAME: Final = "Ana Example"


def _example(
    section: str, addr1: str, last: str, *lines: str, addr2: str = "", urb: str = ""
) -> Example:
    """An example whose last line is `last`; `lines` are those between the name and it."""
    city, state, code = last.rsplit(" ", 2)
    zip5, _, zip4 = code.partition("-")
    address = MailAddress(NAME, urb, addr1, addr2, city, state, zip5, zip4)
    return Example(section, address, (NAME.upper(), *(lines or (addr1.upper(),)), last.upper()))


EXAMPLES: Final = (
    # Delivery line and last line; unit designators.
    _example("211", "1960 W Chelsea Ave Ste 2006", "Allentown PA 18104"),
    _example("212", "4417 Brooks St NE", "Washington DC 20019-4649"),
    _example("213.1", "102 MAIN ST", "HERNDON VA 22071", "102 MAIN ST APT 101", addr2="APT 101"),
    _example("213.1", "1356 EXECUTIVE DR STE 202", "SPRINGFIELD VA 22150"),
    _example("213.1", "1600 CENTRAL PLZ BLDG 14", "AURORA CO 80012"),
    _example("213.1", "55 SYLVAN BLVD RM 108", "ATLANTA GA 30310"),
    _example("213.1", "102 Main St", "Herndon VA 22071", "102 MAIN ST FL 2", addr2="Fl 2"),
    _example("213.2", "425 FLOWER BLVD # 72", "PASADENA CA 91101"),
    _example("213.2", "425 Flower Blvd", "Pasadena CA 91101", "425 FLOWER BLVD #72", addr2="#72"),
    _example(
        "213",
        "12345 Northwest Martin Luther King Junior",
        "Sacramento CA 95814",
        "APARTMENT 1234",
        "12345 NORTHWEST MARTIN LUTHER KING JUNIOR",
        addr2="Apartment 1234",
    ),
    _example(
        "215", "475 L'Enfant Plaza SW", "Washington DC 20260-0001",
        "475 L'ENFANT PLAZA SW RM 370", addr2="Rm 370",
    ),
    # The last line.
    _example("221", "26 Palm Ave", "29 Palms CA 92277"),
    _example("222", "1 Main St.", "St. Louis MO 63101"),
    _example("223", "12 Camino Real", "Las Cruces NM 88001"),
    _example("223", "12 Camino Real", "La Cañada Flintridge CA 91011"),
    _example("224", "7 Rancho Way", "Rancho Santa Margarita CA 92688-1234"),
    _example("225.1", "PSC 802 BOX 74", "APO AE 09499-0074"),
    _example("225.1", "UNIT 2050 BOX 4190", "APO AP 96278-2050"),
    _example("225.1", "UNIT 9900 BOX 500", "FPO AA 34095"),
    _example("225.2", "Bldg 1234", "Fort Irwin CA 92310"),
    # The delivery line: directionals, suffixes, numbered streets, highways.
    _example("231", "101 W MAIN ST S APT 12", "ROCHESTER MN 55902"),
    _example("233.1", "1401 NORTH ST", "SACRAMENTO CA 95814"),
    _example("233.2", "100 BAY DR W", "ALAMEDA CA 94501"),
    _example("233.3", "1500 E MAIN AVE SW", "WASHINGTON DC 20024"),
    _example("234", "789 Main Avenue Drive", "Fresno CA 93701"),
    _example("235", "123 67th St", "Sacramento CA 95819"),
    _example("235", "100 Seventh St", "Modesto CA 95354"),
    _example("237", "1234 County Road 441", "Susanville CA 96130"),
    _example("237", "40120 State Highway 49", "Oakhurst CA 93644"),
    _example("238.1", "CMR 1250", "APO AE 09045"),
    _example("238.1", "USCGC HAMILTON", "FPO AP 96667-3931"),
    _example("238.1", "UNIT 2050", "APO AP 96278", "UNIT 2050 BOX 4190", addr2="BOX 4190"),
    _example("239", "UNIT 8400 BOX 0000", "DPO AE 09498-0048"),
    # Rural routes, highway contracts, general delivery, boxes.
    _example("241", "RR 2 BOX 152", "MAGALIA CA 95954"),
    _example("241", "RR 9 BOX 23A", "CANTON OH 44730"),
    _example("242", "RR 03 BOX 98D", "CANTON OH 44730"),
    _example("243", "RR 4 BOX 19-1A", "CANTON OH 44730"),
    _example("244", "RFD Route 4 # 87A", "Canton OH 44730"),
    _example("245", "RR 3 BOX 18 BRYAN DAIRY RD", "CANTON OH 44730"),
    _example("251", "HC 68 BOX 23A", "MAGDALENA NM 87825"),
    _example("252", "HC 068 BOX 98D", "MAGDALENA NM 87825"),
    _example("253", "HC 68 BOX 19-2B", "MAGDALENA NM 87825"),
    _example("254", "STAR ROUTE 68 BOX 45", "MAGDALENA NM 87825"),
    _example("255", "HC 72 BOX 18 BRYAN DAIRY RD", "MAGDALENA NM 87825"),
    _example("261", "GENERAL DELIVERY", "TAMPA FL 33602-9999"),
    _example("271", "4200 WAKE FOREST RD", "RALEIGH NC 27668-9998"),
    _example("281", "PO BOX 11890", "SACRAMENTO CA 95853"),
    _example("281", "P.O. Box G", "Loleta CA 95551"),
    _example("282", "PO BOX 00145", "DES MOINES IA 50301"),
    _example("283", "DRAWER L", "POMONA CA 91769"),
    _example("283", "CALLER BOX 9", "POMONA CA 91769"),
    _example("284", "131 S CENTER ST # 1234", "COLLIERVILLE TN 38027"),
    _example(
        "285", "10 MAIN ST STE 11", "HERNDON VA 22071-2716",
        "10 MAIN ST STE 11 PMB 234", addr2="PMB 234",
    ),
    _example("285", "RR 1 BOX 12 PMB 234", "HERNDON VA 22071-2716"),
    # Puerto Rico: an urbanization line, and no street suffix.
    _example(
        "292", "150 Calle A", "San Juan PR 00926-3232",
        "URB LAS GLADIOLAS", "150 CALLE A", urb="Urb Las Gladiolas",
    ),
    _example(
        "292", "A17 CALLE AMAPOLA", "BAYAMÓN PR 00961",
        "ROYAL OAK", "A17 CALLE AMAPOLA", urb="ROYAL OAK",
    ),
    _example("293", "1234 AVE ASHFORD APT 1A", "SAN JUAN PR 00907-1420"),
    _example("293", "COND ASHFORD PALACE APT 502", "SAN JUAN PR 00907"),
    _example("293", "RES LAS MARGARITAS EDIF 1 APT 104", "SANTURCE PR 00915"),
    _example("295", "585 AVE FD ROOSEVELT", "SAN JUAN PR 00936"),
    _example("295", "1212 Vía Angélica", "Mayagüez PR 00680"),
    _example("295", "13 CALLE 191", "CAROLINA PR 00983"),
    _example("295", "199-31 CALLE 19", "CAROLINA PR 00985"),
    _example("295", "HC 01 BOX 1234", "CATAÑO PR 00962"),
    # Possessions and the freely associated states, in appendix B.
    _example("B", "10 PATTON RD", "PAGO PAGO AS 96799"),
    _example("B", "238 ARCHBISHOP FLORES ST", "HAGATNA GU 96910"),
    _example("B", "PO BOX 500123", "SAIPAN MP 96950"),
    _example("B", "5044 Norre Gade Ste 1", "St Thomas VI 00802"),
    _example("B", "PO BOX 100", "POHNPEI FM 96941"),
    _example("B", "PO BOX 1", "MAJURO MH 96960"),
    _example("B", "PO BOX 6051", "KOROR PW 96940"),
    # Secondary units that need no number (appendix C2).
    _example("C2", "10 ELM ST", "AUBURN CA 95603", "10 ELM ST REAR", addr2="REAR"),
    _example("C2", "10 ELM ST BSMT", "AUBURN CA 95603"),
    _example("C2", "10 ELM ST PH", "AUBURN CA 95603"),
    _example("C2", "10 ELM ST SPC 14", "AUBURN CA 95603"),
    # Unusual situations (appendix D), numbers with letters (E), highways (F).
    _example("D1", "112-10 BRONX RD", "BRONX NY 10462"),
    _example("D2", "39.2 RD", "PALISADE CO 81526"),
    _example("D2", "842 E 1700 S", "SALT LAKE CITY UT 84105"),
    _example("D3", "N6W23001 BLUEMOUND RD", "ROLLING MEADOWS IL 60008"),
    _example("D4", "123 1/2 MAIN ST", "LOS ANGELES CA 90012"),
    _example("D5", "105 Camino Amazona", "Bayamón PR 00961"),
    _example("E", "102B MAIN ST", "CHICO CA 95926"),
    _example("E", "AB90 SPRUCE CIR", "EAU CLAIRE WI 54701"),
    _example("F", "5501 FM 1200", "GAINESVILLE TX 76240"),
    _example("F", "12 EXPRESSWAY 55", "SAN BENITO TX 78586"),
    _example("F", "27 US HIGHWAY 50", "POLLOCK PINES CA 95726"),
    _example("F", "900 STATE ROUTE MM", "ROLLA MO 65401"),
    _example("F", "77 KENTUCKY 440", "BARBOURVILLE KY 40906"),
)  # fmt: skip
