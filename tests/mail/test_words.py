"""The words of a letter: what a template may say, and what data can never become."""

import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.letters import Action, Bullets, Facts, Heading, Paragraph, Secret, Steps, Table
from engine.mail.words import WordsError, parse_words

WHOLE = """
<title>Your
   PIN</title>
<p>Dear reader:</p>
<h2>What to do</h2>
<ul><li>One</li> <li>Two</li></ul>
<ol><li>First</li><li>Then</li></ol>
<dl>
  <dt>Date</dt><dd>December 9</dd>
  <dt>Time</dt><dd>9:30&#8239;a.&nbsp;m.</dd>
</dl>
<table>
  <tr><th>Date</th><th>Case</th><th>Amount</th></tr>
  <tr><td>October 6</td><td>42</td><td>$1.00</td></tr>
  <tr><td>October 20</td><td>43</td><td>$2.00</td></tr>
</table>
<section class="action"><h2>Call us</h2><p>Today.</p><p>Or tomorrow.</p></section>
<output title="Your PIN">402719</output>
<p>Fish &amp; chips</p>
"""

_NAMES = "<tr><th>Kilroy</th><th>b</th><th>c</th></tr>"
_ROW = _NAMES.replace("th>", "td>")


def test_every_element_becomes_its_block() -> None:
    """Each understood element is one block, in the order it was written."""
    words = parse_words(WHOLE, "en")
    assert words.title == "Your PIN"
    assert words.blocks == (
        Paragraph("Dear reader:"),
        Heading("What to do"),
        Bullets(("One", "Two")),
        Steps(("First", "Then")),
        Facts((("Date", "December 9"), ("Time", "9:30\u00a0a.\u00a0m."))),
        Table(
            ("Date", "Case", "Amount"),
            (("October 6", "42", "$1.00"), ("October 20", "43", "$2.00")),
        ),
        Action("Call us", ("Today.", "Or tomorrow.")),
        Secret("Your PIN", "402719"),
        Paragraph("Fish & chips"),
    )


@pytest.mark.parametrize(
    ("html", "named"),
    [
        ("<p>Kilroy</p>", "<title>"),
        ("<title>a</title><title>b</title>", "<title>"),
        ("<title>a</title><div>Kilroy</div>", "<div>"),
        ("<title>a</title><small>Kilroy</small>", "<small>"),
        ("<title>a</title><p>Kilroy <b>was</b></p>", "<b>"),
        ("<title>a</title><p onclick='x'>Kilroy</p>", "onclick"),
        ("<title>a</title><p class='action'>Kilroy</p>", "class"),
        ("<title>a</title>Kilroy", "outside any element"),
        ("<title>a</title><ul>Kilroy<li>x</li></ul>", "inside <ul>"),
        ("<title>a</title><p></p>", "<p> is empty"),
        ("<title>a</title><p>Kilroy", "<p> is never closed"),
        ("<title>a</title></p>", "</p>"),
        ("<title>a</title><p/>", "<p/>"),
        ("<title>a</title><dl><dd>Kilroy</dd></dl>", "<dl>"),
        ("<title>a</title><dl><dt>Kilroy</dt></dl>", "<dl>"),
        ("<title>a</title><table><tr><th>Kilroy</th></tr></table>", "no row but its names"),
        (f"<title>a</title><table>{_ROW}{_ROW}</table>", "three <th>"),
        (f"<title>a</title><table>{_NAMES}{_NAMES}</table>", "three <td>"),
        (f"<title>a</title><table>{_NAMES}<tr><td>Kilroy</td></tr></table>", "three <td>"),
        (f"<title>a</title><table>{_NAMES}<tr></tr></table>", "<tr> is empty"),
        ("<title>a</title><table><td>Kilroy</td></table>", "inside <table>"),
        ("<title>a</title><section><h2>Kilroy</h2><p>x</p></section>", "<section>"),
        ("<title>a</title><section class='action'><p>Kilroy</p></section>", "<section>"),
        ("<title>a</title><section class='action'><h2>Kilroy</h2></section>", "<section>"),
        ("<title>a</title><output>Kilroy</output>", "<output>"),
        ("<title>a</title><!-- Kilroy -->", "comment"),
        ("<!doctype html><title>a</title>", "declaration"),
        ("<title>a</title><?Kilroy?>", "processing instruction"),
        ("<title>a</title><script>Kilroy</script>", "<script>"),
    ],
)
def test_what_is_not_understood_is_named_and_never_quoted(html: str, named: str) -> None:
    """A template that says anything else is refused by the name of the element, not its text."""
    with pytest.raises(WordsError) as caught:
        parse_words(html, "es")
    assert named in str(caught.value)
    assert "(es)" in str(caught.value)
    assert "Kilroy" not in str(caught.value)


_ENVIRONMENT = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
_TEMPLATE = _ENVIRONMENT.from_string(
    "<title>{{ x }}</title><p>a {{ x }}</p><dl><dt>n</dt><dd>{{ x }}</dd></dl>"
    '<output title="{{ x }}">{{ x }}</output>'
)
HOSTILE = (
    '#read("/etc/passwd")',
    "*bold* _x_ $x^2$ `raw` @ref <label> = heading",
    "\\u{41} \\ \\n",
    "</p><script>alert(1)</script>",
    '" onclick="x',
    "<!-- -->",
    "&lt;p&gt; &amp;amp; &#65;",
    "{{ 7 * 7 }} {% if %}",
    "#panic() #{sys.inputs}",
    "]] [ #[ ",
)


@given(st.one_of(st.sampled_from(HOSTILE), st.text(min_size=1)))
def test_data_stays_text(data: str) -> None:
    """Whatever a value holds, it comes out as the text it was, and adds no element."""
    # XML and HTML alike turn a carriage return into a line feed; white space is settled anyway.
    settled = " ".join(data.replace("\u202f", "\u00a0").translate(_BREAKS).split(" ")).strip(" ")
    while "  " in settled:
        settled = settled.replace("  ", " ")
    if not settled:
        return
    words = parse_words(_TEMPLATE.render(x=data), "en")
    assert words.title == settled
    paragraph, facts, secret = words.blocks
    assert paragraph == Paragraph(f"a {settled}")
    assert facts == Facts((("n", settled),))
    assert isinstance(secret, Secret)
    assert secret.value == settled


_BREAKS = str.maketrans("\t\r\n\f", "    ")


def test_a_secret_does_not_show_itself() -> None:
    """The representation of a PIN's block, which ends in tracebacks, leaves the PIN out."""
    assert "402719" not in repr(parse_words(WHOLE, "en"))
