"""The notice catalogue is whole, and an entry that is not says what it lacks."""

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.assets import TEMPLATES
from engine.communications.catalogue import (
    APPOINTMENT_REMINDER,
    CATALOGUE,
    PAYMENT_NOTICE,
    TEMPORARY_PIN,
    Notice,
)
from engine.communications.completeness import notice_faults


@pytest.mark.parametrize("notice", CATALOGUE.values(), ids=CATALOGUE)
def test_every_notice_is_whole(notice: Notice) -> None:
    """Each entry has its templates, translations, sample and placeholders in both languages."""
    assert notice_faults(notice) == []


def test_every_notice_is_listed_under_its_key() -> None:
    """A communication names its notice by key, and finds that notice again."""
    assert all(notice.key == key for key, notice in CATALOGUE.items())


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
        (dataclasses.replace(PAYMENT_NOTICE, key="welcome"), "no template mail/welcome/letter"),
    ],
)
def test_a_broken_entry_is_named(notice: Notice, fault: str) -> None:
    """An entry without a fitting sample, or without any words, is refused."""
    faults = notice_faults(notice)
    assert any(fault in line for line in faults), faults
