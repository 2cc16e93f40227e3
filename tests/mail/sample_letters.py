"""Letters to invented people, in both languages, for the tests of the mail room."""

from dataclasses import replace

from engine.mail.letters import (
    Action,
    Bullets,
    Facts,
    Half,
    Letter,
    Paragraph,
    Recipient,
    Secret,
    Tagline,
)

RETURN_ADDRESS = (
    "CALIFORNIA CHILD SUPPORT SERVICES",
    "PO BOX 419064 A-130",
    "RANCHO CORDOVA CA 95741",
)
RECIPIENT = Recipient(
    name="María Fernanda de los Ángeles Núñez-Ibáñez Villaseñor",
    addr1="1200 Example Street",
    addr2="Apt 14B",
    urbanization="",
    city="Sacramento",
    state="CA",
    zip5="95814",
    zip4="0042",
)
TAGLINES = (
    Tagline("vi", "Trợ giúp bằng tiếng Việt"),
    Tagline("tl", "Tulong sa Tagalog"),
    Tagline("en", "1-866-901-3212"),
)
_CONTACT_EN = "1-866-901-3212 · TTY 1-866-399-4096 · outside the U.S. 1-408-273-0073"
_CONTACT_ES = "1-866-901-3212 · TTY 1-866-399-4096 · fuera de los EE. UU. 1-408-273-0073"

ENGLISH_PIN = Half(
    language="en",
    agency="California Child Support Services",
    programme="Customer Connect",
    title="Your temporary PIN",
    date_line="November 23, 2026",
    blocks=(
        Paragraph("Dear María Fernanda Núñez-Ibáñez:"),
        Paragraph(
            "You asked us for a new Personal Identification Number (PIN) for Customer Connect. "
            "This temporary PIN works once, with your Participant ID Number."
        ),
        Secret("Your temporary PIN", "402719"),
        Action(
            "Use it before December 14, 2026",
            (
                "Go to www.cse.ca.gov/CustomerConnect and choose Login.",
                "You will be asked to choose a PIN of your own.",
            ),
        ),
        Bullets(
            (
                "Keep this letter where nobody else can read it, and destroy it afterwards.",
                "We never ask for your PIN by phone, by email or by text message.",
                "Your current PIN keeps working until you use this one.",
            )
        ),
        Paragraph(
            "If you did not ask for a new PIN, call us. Nobody can use this one without your "
            "Participant ID Number."
        ),
        Paragraph("This letter does not carry your Participant ID Number, for your safety."),
    ),
    page_label="Page {page} of {pages}",
    contact_line=_CONTACT_EN,
    demonstration="Demonstration — not an official notice",
)
SPANISH_PIN = Half(
    language="es",
    agency="Servicios de Manutención de Menores de California",
    programme="Cliente Conectado",
    title="Su PIN temporal",
    date_line="23 de noviembre de 2026",
    blocks=(
        Paragraph("Estimada María Fernanda Núñez-Ibáñez:"),
        Paragraph(
            "Usted nos pidió un nuevo Número de Identificación Personal (PIN) para Cliente "
            "Conectado. Este PIN temporal sirve una sola vez, junto con su Número de "
            "Identificación de Participante."
        ),
        Secret("Su PIN temporal", "402719"),
        Action(
            "Úselo antes del 14 de diciembre de 2026",
            (
                "Vaya a www.cse.ca.gov/CustomerConnect y elija Ingresar.",
                "Se le pedirá que elija un PIN propio.",
            ),
        ),
        Bullets(
            (
                "Guarde esta carta donde nadie más pueda leerla y destrúyala después.",
                "Nunca le pedimos su PIN por teléfono, por correo electrónico ni por mensaje.",
                "Su PIN actual sigue sirviendo hasta que use este.",
            )
        ),
        Paragraph(
            "Si usted no pidió un PIN nuevo, llámenos. Nadie puede usar este sin su Número de "
            "Identificación de Participante."
        ),
        Paragraph(
            "Esta carta no lleva su Número de Identificación de Participante, por su seguridad."
        ),
    ),
    page_label="Página {page} de {pages}",
    contact_line=_CONTACT_ES,
    demonstration="Demostración: no es un aviso oficial",
)
SPANISH_APPOINTMENT = replace(
    SPANISH_PIN,
    title="Recordatorio de su cita en la oficina local de manutención de menores",
    blocks=(
        Paragraph("Estimada María Fernanda Núñez-Ibáñez:"),
        Paragraph("Le recordamos su próxima cita con nosotros."),
        Facts(
            (
                ("Fecha", "miércoles, 9 de diciembre de 2026"),
                ("Hora", "9:30 a.\u00a0m., hora del Pacífico"),
                ("Lugar", "1200 Example Street, Suite 300, Sacramento, CA 95814"),
                ("Qué traer", "Una identificación con fotografía y sus últimos tres talones"),
            )
        ),
        Action(
            "Confirme o cambie su cita",
            ("Llame al 1-866-901-3212 a más tardar dos días hábiles antes.",),
        ),
        Paragraph("Si necesita un intérprete o una adaptación, llámenos: no tiene costo."),
    ),
)


def letter(
    *halves: Half, piece_id: str = "0190a0c4-0000-7000-8000-000000000001", **recipient: str
) -> Letter:
    """A letter to the sample recipient, with fields of the address replaced."""
    return Letter(
        piece_id=piece_id,
        template_id="temporary_pin",
        template_version="1",
        recipient=replace(RECIPIENT, **recipient),
        return_address=RETURN_ADDRESS,
        halves=halves or (ENGLISH_PIN,),
        taglines=TAGLINES,
    )


def both(*, piece_id: str = "both", **recipient: str) -> Letter:
    """Spanish first, English on the back."""
    first = replace(SPANISH_PIN, overleaf="English on page {page}")
    return letter(first, ENGLISH_PIN, piece_id=piece_id, **recipient)


def in_large_print(usual: Letter) -> Letter:
    """The same letter for somebody who asked for large print."""
    return replace(usual, large=True)


def long(half: Half = ENGLISH_PIN, *, times: int = 14) -> Half:
    """The same half with so many paragraphs that it needs more pages."""
    middle = tuple(Paragraph(f"{number}. " + half.blocks[1].text) for number in range(times))  # type: ignore[union-attr]  # the second block of both samples is a paragraph
    return replace(half, blocks=(*half.blocks[:2], *middle, *half.blocks[2:]))
