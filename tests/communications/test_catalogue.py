"""The notice catalogue is whole and lawful, and an entry that is not says what it lacks."""

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from jinja2 import Environment, nodes

from engine.assets import TEMPLATES
from engine.communications.catalogue import (
    APPOINTMENT_REMINDER,
    CATALOGUE,
    COURT_DATE_REMINDER,
    LANGUAGES,
    PAYMENT_NOTICE,
    TEMPORARY_PIN,
    Channel,
    LegalClass,
    Notice,
    unreviewed,
)
from engine.communications.completeness import notice_faults
from engine.i18n import Language


@pytest.mark.parametrize("notice", CATALOGUE.values(), ids=CATALOGUE)
def test_every_notice_is_whole(notice: Notice) -> None:
    """Each entry has its templates, translations, sample and placeholders in both languages."""
    assert notice_faults(notice) == []


def test_every_notice_is_listed_under_its_key() -> None:
    """A communication names its notice by key, and finds that notice again."""
    assert all(notice.key == key for key, notice in CATALOGUE.items())


COURT_CLASS = [notice for notice in CATALOGUE.values() if notice.legal is LegalClass.COURT]


def test_a_court_class_notice_is_never_paperless_only() -> None:
    """Whatever its reader chose, it goes by mail: it has that channel, it is not put into the
    inbox instead, nobody unsubscribes from it, and no secret makes it depend on another."""
    assert COURT_CLASS
    for notice in COURT_CLASS:
        assert Channel.MAIL in notice.days
        assert Channel.INBOX not in notice.days
        assert not notice.optional
        assert not notice.carries_secret


def test_what_is_put_into_the_inbox_may_go_by_mail_and_is_told_by_email() -> None:
    """An unopened document becomes a letter, and an email tells that it waits."""
    for notice in CATALOGUE.values():
        if notice.paper_if_unopened:
            assert Channel.INBOX in notice.days
        if Channel.INBOX in notice.days:
            assert {Channel.MAIL, Channel.EMAIL} <= notice.days.keys()


def test_only_a_reminder_may_be_unsubscribed_from() -> None:
    """PIN and legal mail carries no such link (RFC 8058 is for what its reader may do without)."""
    assert [notice.key for notice in CATALOGUE.values() if notice.optional] == [
        "appointment_reminder"
    ]


def test_who_reviewed_the_words_is_recorded_by_language() -> None:
    """Until somebody of the agency did, a language is awaiting review; a blank is nobody."""
    assert unreviewed(COURT_DATE_REMINDER) == LANGUAGES
    by: dict[Language, str] = {"en": "Legal, 2026-11-02"}
    assert unreviewed(dataclasses.replace(COURT_DATE_REMINDER, reviewed=by)) == ("es",)
    by["es"] = ""
    assert unreviewed(dataclasses.replace(COURT_DATE_REMINDER, reviewed=by)) == ("es",)
    by["es"] = "Lenguas, 2026-11-03"
    assert unreviewed(dataclasses.replace(COURT_DATE_REMINDER, reviewed=by)) == ()


def test_my_documents_has_a_name_for_each_notice_of_the_inbox() -> None:
    """No reader finds a document that is called just "Notice"."""
    source = (TEMPLATES / "portal/documents.html").read_text(encoding="utf-8")
    tree = Environment(extensions=["jinja2.ext.i18n"], autoescape=True).parse(source)
    named = {
        pair.key.value for pair in tree.find_all(nodes.Pair) if isinstance(pair.key, nodes.Const)
    }
    assert {key for key, one in CATALOGUE.items() if Channel.INBOX in one.days} <= named


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    """A copy of the templates that may be broken."""
    return Path(shutil.copytree(TEMPLATES, tmp_path / "templates"))


def _remove(name: str) -> Callable[[Path], None]:
    return lambda templates: (templates / name).unlink()


def _append(name: str, words: str) -> Callable[[Path], None]:
    def change(templates: Path) -> None:
        path = templates / name
        path.write_text(path.read_text(encoding="utf-8") + words, encoding="utf-8")

    return change


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (_remove("email/payment_notice/subject.txt"), "no template email/payment_notice/subject"),
        (_remove("email/payment_notice/body.html"), "no template email/payment_notice/body.html"),
        (_remove("mail/payment_notice/letter.html"), "no template mail/payment_notice/letter"),
        (
            _append("mail/payment_notice/letter.html", '<p>{{ _("Nobody translated this") }}</p>'),
            "no translation of 'Nobody translated this' (es)",
        ),
        (
            _append("mail/payment_notice/letter.html", "<p>{{ facts.amount }}</p>"),
            "may not say facts.amount",
        ),
        (
            _append("email/payment_notice/subject.txt", "{{ facts.case_number }}"),
            "email/payment_notice/subject.txt may not say facts.case_number",
        ),
        (
            _append("mail/payment_notice/letter.html", "<p>{{ greeting }}</p>"),
            "payment_notice (en), mail/payment_notice/letter.html: 'greeting' is undefined",
        ),
        (_append("mail/payment_notice/letter.html", "{% if %}"), "TemplateSyntaxError"),
    ],
)
def test_a_broken_template_is_named(
    templates: Path, change: Callable[[Path], None], fault: str
) -> None:
    """Whatever a template lacks is a line that names the notice and what is wanting."""
    change(templates)
    faults = notice_faults(PAYMENT_NOTICE, templates)
    assert any(fault in line for line in faults), faults


@pytest.mark.parametrize(
    ("notice", "fault"),
    [
        (
            dataclasses.replace(PAYMENT_NOTICE, sample=APPOINTMENT_REMINDER.sample),
            "its sample is not PaymentFacts",
        ),
        (dataclasses.replace(TEMPORARY_PIN, sample_secret=None), "a sample secret belongs to"),
        (
            dataclasses.replace(PAYMENT_NOTICE, sample_secret=TEMPORARY_PIN.sample_secret),
            "a sample secret belongs to",
        ),
        (dataclasses.replace(PAYMENT_NOTICE, key="unwritten"), "no template mail/unwritten/letter"),
    ],
)
def test_a_broken_entry_is_named(notice: Notice, fault: str) -> None:
    """An entry without a fitting sample, or without any words, is refused."""
    faults = notice_faults(notice)
    assert any(fault in line for line in faults), faults
