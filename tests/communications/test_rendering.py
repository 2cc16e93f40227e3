"""Notices into words: strict, in the reader's language, and of one form."""

import re
import shutil
from dataclasses import replace
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from engine.assets import TEMPLATES
from engine.communications import templates as loading
from engine.communications.catalogue import (
    APPOINTMENT_REMINDER,
    APPOINTMENT_SCHEDULED,
    EMAILS,
    LANGUAGES,
    LETTERS,
    MONTHLY_STATEMENT,
    PAYMENT_NOTICE,
    TEMPORARY_PIN,
    WELCOME,
    WELCOME_PIN,
    AppointmentFacts,
    Notice,
    PaymentFacts,
    Secret,
    StatementFacts,
    StatementLine,
)
from engine.communications.rendering import Renderer, RenderError
from engine.errors import MissingTranslationError
from engine.i18n import Language
from engine.i18n.catalogues import read_catalogue
from engine.settings import Agency

HOME = "https://connect.example/"
PIN = Secret("902713", date(2026, 11, 24))
RENDERER = Renderer(Agency(), HOME)
OFFICIAL = Renderer(Agency(official=True), HOME)
NAME = "Núñez <b>& Sons</b>"

each_language = pytest.mark.parametrize("language", LANGUAGES)
each_email = pytest.mark.parametrize("notice", EMAILS, ids=[one.key for one in EMAILS])
each_letter = pytest.mark.parametrize("notice", LETTERS, ids=[one.key for one in LETTERS])


def _appointment(**changes: object) -> AppointmentFacts:
    facts = {
        "name": NAME,
        "kind": "office",
        # Half past five in the afternoon, in California.
        "starts_at": datetime(2026, 12, 10, 1, 30, tzinfo=UTC),
        "place": "12 Example Street",
    }
    return AppointmentFacts.model_validate(facts | changes)


def _payment(**changes: object) -> PaymentFacts:
    facts = {
        "name": NAME,
        "direction": "sent",
        "amount_cents": 123_456,
        "paid_on": date(2026, 11, 20),
        "case_number": "000000000000042",
    }
    return PaymentFacts.model_validate(facts | changes)


@pytest.mark.parametrize(
    ("language", "day", "hour"),
    [
        ("en", "Wednesday, December 9, 2026", "5:30\u00a0PM"),
        ("es", "Miércoles, 9 de diciembre de 2026", "5:30\u00a0p.m."),
    ],
)
def test_an_appointment_is_told_in_pacific_time(language: Language, day: str, hour: str) -> None:
    """Email and letter give the same day and hour, in California and in the reader's language."""
    email = RENDERER.email(APPOINTMENT_REMINDER, language, _appointment())
    letter = RENDERER.letter(APPOINTMENT_REMINDER, language, _appointment())
    for words in (email.text, email.html, letter):
        assert day in words
        assert hour in words


@pytest.mark.parametrize(
    ("language", "day"), [("en", "November 20, 2026"), ("es", "20 de noviembre de 2026")]
)
def test_a_payment_letter_gives_its_facts(language: Language, day: str) -> None:
    """Amount, date and case number stand in the letter."""
    letter = RENDERER.letter(PAYMENT_NOTICE, language, _payment())
    for fact in ("$1,234.56", day, "000000000000042"):
        assert f"<dd>{fact}</dd>" in letter


@pytest.mark.parametrize(
    ("language", "made", "sent"),
    [
        ("en", "We received your payment", "We sent you a payment"),
        ("es", "Recibimos su pago", "Le enviamos un pago"),
    ],
)
def test_a_payment_letter_knows_its_direction(language: Language, made: str, sent: str) -> None:
    """Whoever paid reads of a payment received, and whoever was paid of one sent."""
    for direction, title in (("made", made), ("sent", sent)):
        letter = RENDERER.letter(PAYMENT_NOTICE, language, _payment(direction=direction))
        assert f"<title>{title}</title>" in letter


@pytest.mark.parametrize(
    ("language", "court", "office"),
    [("en", "court date", "appointment"), ("es", "fecha en la corte", "cita")],
)
def test_a_letter_tells_a_court_date_apart(language: Language, court: str, office: str) -> None:
    """Inside a sealed envelope, a hearing is called what it is."""
    for kind, word in (("court", court), ("office", office)):
        letter = RENDERER.letter(APPOINTMENT_REMINDER, language, _appointment(kind=kind))
        title = re.search("<title>(.*)</title>", letter)
        assert title is not None
        assert word in title[1]


@each_language
def test_a_letter_says_values_as_text(language: Language) -> None:
    """Whatever a name holds is text in the letter, and never an element of it."""
    letter = RENDERER.letter(PAYMENT_NOTICE, language, _payment())
    assert "Núñez &lt;b&gt;&amp; Sons&lt;/b&gt;" in letter


class _Elements(HTMLParser):
    """Every element with its attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[tuple[str, ...]] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add((tag, *(name for name, _ in attrs)))


@each_language
@each_letter
def test_letters_keep_to_the_few_elements(notice: Notice, language: Language) -> None:
    """A letter's words hold only what the layout has a place for."""
    elements = _Elements()
    elements.feed(RENDERER.letter(notice, language, notice.sample, notice.sample_secret))
    allowed = {("section", "class"), ("output", "title")}
    plain = ("title", "p", "h2", "ul", "ol", "li", "dl", "dt", "dd", "table", "tr", "th", "td")
    assert elements.found <= allowed | {(tag,) for tag in plain}


@each_language
def test_a_pin_stands_alone_on_its_line(language: Language) -> None:
    """In text the PIN is a line of its own; in a letter it is the content of its own element."""
    words = RENDERER.email(TEMPORARY_PIN, language, TEMPORARY_PIN.sample, PIN)
    assert "902713" in words.text.split("\n")
    letter = RENDERER.letter(TEMPORARY_PIN, language, TEMPORARY_PIN.sample, PIN)
    assert re.search(r'<output title="[^"]+">902713</output>', letter)


@pytest.mark.parametrize(
    ("notice", "secret", "said"),
    [
        (TEMPORARY_PIN, None, "was given none"),
        (PAYMENT_NOTICE, PIN, "was given one"),
        (TEMPORARY_PIN, replace(PIN, value="902 713"), "not one unbroken word"),
        (TEMPORARY_PIN, replace(PIN, value=""), "not one unbroken word"),
    ],
)
def test_secrets_belong_to_the_notices_that_carry_them(
    notice: Notice, secret: Secret | None, said: str
) -> None:
    """A PIN notice without its PIN, another notice with one, or a PIN in pieces is refused."""
    for render in (RENDERER.email, RENDERER.letter):
        with pytest.raises(RenderError, match=said) as refused:
            render(notice, "en", notice.sample, secret)
        assert "713" not in str(refused.value)


def test_facts_of_another_notice_are_refused() -> None:
    """A notice is told with its own facts."""
    with pytest.raises(RenderError, match="payment_notice: its facts must be PaymentFacts"):
        RENDERER.letter(PAYMENT_NOTICE, "en", _appointment())


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    """A copy of the templates that may be changed."""
    return Path(shutil.copytree(TEMPLATES, tmp_path / "templates"))


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{{ facts.name }}", "subject.txt: 'dict object' has no attribute 'name'"),
        ("{{ secret }}", "'secret' is undefined"),
        ("one\ntwo", "the subject is not one line"),
        ("one\u2028two", "the subject is not one line"),
        ("", "the subject is not one line"),
        ("{{ programme.nothing() }}", "subject.txt: "),
        ("{{ 'Zqx7' | round }}", "subject.txt: TypeError"),
        ("{{ _(programme) }}", "TemplateAssertionError"),
    ],
)
def test_a_faulty_template_sends_nothing(templates: Path, source: str, said: str) -> None:
    """The error names notice, language, template and what is missing, and never a value."""
    (templates / "email/payment_notice/subject.txt").write_text(source)
    with pytest.raises(RenderError, match="payment_notice") as refused:
        Renderer(Agency(), HOME, templates).email(PAYMENT_NOTICE, "es", _payment())
    assert "(es)" in str(refused.value)
    assert said in str(refused.value)
    assert "Zqx7" not in str(refused.value)
    assert "Núñez" not in str(refused.value)


def test_untranslated_words_send_nothing(templates: Path) -> None:
    """A string that only English has is an error for a reader of Spanish, not English."""
    path = templates / "email/payment_notice/subject.txt"
    path.write_text('{{ _("Only in English") }}')
    renderer = Renderer(Agency(), HOME, templates)
    assert renderer.email(PAYMENT_NOTICE, "en", _payment()).subject == "Only in English"
    with pytest.raises(MissingTranslationError, match="Only in English"):
        renderer.email(PAYMENT_NOTICE, "es", _payment())


def test_the_version_follows_the_words(templates: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A version is stable, and changes with a template, a layout or a translation."""
    version = RENDERER.version(PAYMENT_NOTICE)
    assert re.fullmatch("[0-9a-f]{12}", version)
    assert RENDERER.digest(PAYMENT_NOTICE).startswith(version)
    assert Renderer(Agency(), HOME, templates).version(PAYMENT_NOTICE) == version
    seen = {version}
    for name in ("mail/payment_notice/letter.html", "email/layout.html", "email/layout.txt"):
        (templates / name).write_text((templates / name).read_text(encoding="utf-8") + "\n\n")
        seen.add(Renderer(Agency(), HOME, templates).version(PAYMENT_NOTICE))
    spanish = read_catalogue("es")
    title = spanish.get("There is something new for you")
    assert title is not None
    title.string = "Otra cosa"
    monkeypatch.setattr(loading, "read_catalogue", lambda _: spanish)
    seen.add(Renderer(Agency(), HOME, templates).version(PAYMENT_NOTICE))
    assert len(seen) == 5
    assert RENDERER.version(TEMPORARY_PIN) not in seen


@each_language
@each_email
def test_an_email_is_html_that_stands_alone(notice: Notice, language: Language) -> None:
    """Its language is declared; it loads nothing; it links to the portal's home page, and nowhere
    else but where an address is to be confirmed."""
    html = RENDERER.email(notice, language, notice.sample, notice.sample_secret).html
    assert f'<html lang="{language}"' in html
    links = re.findall(r'href="([^"]*)"', html)
    doors = {"confirm_email": "confirm-email", "applicant_account": "apply/confirm"}
    confirming = [f"{HOME}{language}/{doors[notice.key]}/{'0' * 43}"] if notice.key in doors else []
    expected = [*confirming, HOME]
    assert [link for link in links if not link.startswith("tel:")] == expected
    assert not re.search(r"<(img|script|link|iframe|form|object|video|svg)\b", html)
    assert not re.search(r"url\(|@import|src=|background=", html)
    assert html.count("https://") == html.count("http") == len(expected)


@each_language
@each_email
def test_an_email_is_readable_anywhere(notice: Notice, language: Language) -> None:
    """Text of 16 pixels and more, layout tables out of the way, a dark and a narrow variant."""
    html = RENDERER.email(notice, language, notice.sample, notice.sample_secret).html
    visible = html.split("</div>", 1)[1]
    sizes = [int(size) for size in re.findall(r"font-size:\s?(\d+)px", visible)]
    assert sizes
    assert min(sizes) >= 16
    assert html.count("<table") == html.count('role="presentation"')
    assert '<meta name="color-scheme" content="light dark">' in html
    assert "@media (prefers-color-scheme: dark)" in html
    assert "@media (max-width: 480px)" in html
    charset = html.index('<meta charset="utf-8">')
    assert len(html[:charset].encode()) < 1024, "browsers look no further (HTML, 4.2.5.4)"


@each_language
@each_email
def test_text_and_html_say_the_same(notice: Notice, language: Language) -> None:
    """Every heading of the HTML stands in the text too, and so do the numbers to call."""
    words = RENDERER.email(notice, language, notice.sample, notice.sample_secret)
    headings = re.findall(r"<h[12][^>]*>([^<]+)</h[12]>", words.html)
    agency = Agency()
    for said in (*headings, agency.phone, agency.tty, agency.phone_abroad, agency.site):
        assert said in words.text
    assert "<" not in words.text


@each_email
def test_an_unofficial_profile_says_so(notice: Notice) -> None:
    """Text, HTML and letter say "Demonstration" first of all, until the profile is official."""
    in_each: tuple[tuple[Language, str], ...] = (("en", "demonstration"), ("es", "demostración"))
    for language, word in in_each:
        words = RENDERER.email(notice, language, notice.sample, notice.sample_secret)
        assert word in words.text.lower().split("\n")[0]
        assert f">{word}.<" in words.html.lower()
        frame = RENDERER.letter_frame(language)
        assert frame.demonstration is not None
        assert frame.demonstration.lower().startswith(word)
        official = OFFICIAL.email(notice, language, notice.sample, notice.sample_secret)
        assert word not in official.text.lower()
        assert f">{word}.<" not in official.html.lower()
        assert OFFICIAL.letter_frame(language).demonstration is None


@pytest.mark.parametrize(
    ("language", "programme", "day", "label"),
    [
        ("en", "Customer Connect", "November 23, 2026", "Page {page} of {pages}"),
        ("es", "Cliente Conectado", "23 de noviembre de 2026", "Página {page} de {pages}"),
    ],
)
def test_a_letters_frame_is_in_its_language(
    language: Language, programme: str, day: str, label: str
) -> None:
    """What stands around a letter's words is in their language, with the agency's numbers."""
    frame = RENDERER.letter_frame(language)
    assert frame.programme == programme
    assert frame.date_line(date(2026, 11, 23)) == day
    assert frame.page_label == label
    for number in (Agency().phone, Agency().tty, Agency().phone_abroad):
        assert number in frame.contact_line
    assert frame.overleaf.startswith(("This letter in English", "Esta carta en español"))


@each_language
def test_the_pin_letter_never_shows_where_to_sign_in_and_with_what(language: Language) -> None:
    """The letter asks for the Participant ID Number and does not hold one: no digits but known."""
    letter = RENDERER.letter(TEMPORARY_PIN, language, TEMPORARY_PIN.sample, PIN)
    numbers = set(re.findall(r"\d{2,}", letter.replace(Agency().phone, "")))
    assert numbers == {"902713", "24", "2026"}


@each_language
def test_the_two_letters_of_a_welcome_hold_one_half_each(language: Language) -> None:
    """One has the number without a PIN, the other the PIN without the number: whoever finds one
    of them cannot sign in."""
    number = RENDERER.letter(WELCOME, language, WELCOME.sample)
    pin = RENDERER.letter(WELCOME_PIN, language, WELCOME_PIN.sample, PIN)
    assert re.search(r'<output title="[^"]+">0000000042</output>', number)
    assert re.search(r'<output title="[^"]+">902713</output>', pin)
    assert "0000000042" not in pin
    assert "participant_number" not in WELCOME_PIN.facts.model_fields


LINK = "https://connect.example/stop/AbCdEf0123456789AbCdEf"


@each_language
def test_a_reminder_says_how_to_stop_it_where_there_is_a_link(language: Language) -> None:
    """In the text and in the HTML, once each; without a link neither says a word of it."""
    sample = APPOINTMENT_REMINDER.sample
    with_link = RENDERER.email(APPOINTMENT_REMINDER, language, sample, unsubscribe=LINK)
    without = RENDERER.email(APPOINTMENT_REMINDER, language, sample)
    assert with_link.text.split("\n").count(LINK) == 1
    assert with_link.html.count(f'href="{LINK}"') == with_link.html.count(LINK) == 1
    added = set(with_link.text.split("\n")) - set(without.text.split("\n"))
    assert len(added) == 2
    assert with_link.subject == without.subject


def test_nobody_unsubscribes_from_what_is_not_optional() -> None:
    """A link for any other notice is refused before anything is said."""
    for notice in EMAILS:
        if not notice.optional:
            with pytest.raises(RenderError, match="not optional"):
                RENDERER.email(notice, "en", notice.sample, notice.sample_secret, LINK)


def _statement(*lines: tuple[str, int, int]) -> StatementFacts:
    found = tuple(
        StatementLine(
            direction=direction,
            paid_on=date(2026, 10, day),
            amount_cents=cents,
            case_number="000000000000042",
        )
        for direction, day, cents in lines
    )
    sums = {
        f"{way}_cents": sum(line.amount_cents for line in found if line.direction == way)
        for way in ("made", "sent")
    }
    return StatementFacts(name=NAME, month=date(2026, 10, 1), lines=found, **sums)


@pytest.mark.parametrize(
    ("language", "month", "day", "none"),
    [
        ("en", "October 2026", "October 6", "There were no child support payments"),
        ("es", "octubre de 2026", "6 de octubre", "No hubo pagos de manutención de menores"),
    ],
)
def test_a_statement_lists_its_month(language: Language, month: str, day: str, none: str) -> None:
    """Each payment once, under the way it went, with the sums of both; an empty month says so."""
    facts = _statement(("sent", 6, 48_250), ("made", 8, 100), ("sent", 20, 100_000))
    letter = RENDERER.letter(MONTHLY_STATEMENT, language, facts)
    assert month in re.findall("<title>(.*)</title>", letter)[0]
    rows = re.findall("<tr><td>(.*)</td><td>(.*)</td><td>(.*)</td></tr>", letter)
    assert [amount for _, _, amount in rows] == ["$482.50", "$1,000.00", "$1.00"]
    assert rows[0][:2] == (day, "000000000000042")
    assert "<dd>$1,482.50</dd>" in letter
    assert "<dd>$1.00</dd>" in letter
    assert letter.count("<table>") == 2
    assert none not in letter
    empty = RENDERER.letter(MONTHLY_STATEMENT, language, _statement())
    assert none in empty
    assert "<table>" not in empty
    assert "$" not in empty


@pytest.mark.parametrize(
    ("language", "sent", "made"),
    [("en", "Sent to you", "Paid by you"), ("es", "Enviado a usted", "Pagado por usted")],
)
def test_a_statement_sums_what_there_was(language: Language, sent: str, made: str) -> None:
    """Who was paid and paid nothing reads of no $0.00, and the other way round."""
    of_a_payee = RENDERER.letter(MONTHLY_STATEMENT, language, _statement(("sent", 6, 48_250)))
    of_a_payer = RENDERER.letter(MONTHLY_STATEMENT, language, _statement(("made", 8, 100)))
    assert f"<dt>{sent}</dt><dd>$482.50</dd>" in of_a_payee
    assert made not in of_a_payee
    assert f"<dt>{made}</dt><dd>$1.00</dd>" in of_a_payer
    assert sent not in of_a_payer


@each_language
@pytest.mark.parametrize(
    "notice", [APPOINTMENT_REMINDER, APPOINTMENT_SCHEDULED], ids=lambda notice: notice.key
)
def test_a_reminder_helps_its_reader_to_come(notice: Notice, language: Language) -> None:
    """When, what to bring, how to change it, and the way there: in the email and in the letter."""
    email = RENDERER.email(notice, language, _appointment())
    letter = RENDERER.letter(notice, language, _appointment())
    said = {
        "en": ("What to bring", "another day or time", "lan your trip", "15 minutes early"),
        "es": ("Qué llevar", "otra fecha u hora", "lanee cómo llegar", "15 minutos antes"),
    }[language]
    for words in (email.text, email.html, letter):
        assert all(one in words for one in said)
    assert "12 Example Street" in letter
    assert "12 Example Street" not in email.text + email.html


@pytest.mark.parametrize("name", ["{{ 7 * 7 }}", "{% raise %}", "{{ facts }}", "#{7*7}", "${7*7}"])
def test_what_looks_like_a_template_is_words(name: str) -> None:
    """Facts are filled in, and never compiled: a letter says what stands in them."""
    letter = RENDERER.letter(PAYMENT_NOTICE, "en", _payment(name=name))
    assert name in str(letter)
    assert "49" not in str(letter)
