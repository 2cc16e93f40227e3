"""`connect bounce classify`, as an operator and a judge meet it."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from engine.cli.bounce import app
from tests.email.bounces.sampled import Sample, samples

SAMPLES = {sample.name: sample for sample in samples()}


def _file(folder: Path, sample: Sample) -> Path:
    path = folder / f"{sample.name}.eml"
    path.write_bytes(sample.message)
    return path


def _classified(*files: Path) -> tuple[int, list[dict[str, Any]], str]:
    ran = CliRunner().invoke(app, ["classify", *map(str, files)])
    return ran.exit_code, [json.loads(line) for line in ran.stdout.splitlines()], ran.stderr


def test_each_file_is_answered_by_one_line_in_the_order_given(tmp_path: Path) -> None:
    """The five keys, and no more; null where the message does not say."""
    files = [_file(tmp_path, SAMPLES[name]) for name in ("imail", "arf-not-spam", "german-full")]
    status, answers, errors = _classified(*files)
    assert (status, errors) == (0, "")
    assert answers == [
        {
            "file": str(files[0]),
            "kind": "hard",
            "status": None,
            "recipient": "reader@mail.example",
            "why": "unknown_user",
        },
        {
            "file": str(files[1]),
            "kind": "none",
            "status": None,
            "recipient": None,
            "why": "not_spam",
        },
        {
            "file": str(files[2]),
            "kind": "soft",
            "status": None,
            "recipient": "leser@post.example",
            "why": "full",
        },
    ]


def test_a_file_that_cannot_be_read_is_named_and_the_others_are_classified(tmp_path: Path) -> None:
    """The others keep their places, and the exit status tells that one was left out."""
    good = _file(tmp_path, SAMPLES["gmail-new"])
    status, answers, errors = _classified(tmp_path / "absent.eml", tmp_path, good)
    assert status == 1
    assert [answer["file"] for answer in answers] == [str(good)]
    assert f"{tmp_path / 'absent.eml'}: No such file" in errors
    assert f"{tmp_path}: Is a directory" in errors


def test_an_mbox_is_answered_message_by_message(tmp_path: Path) -> None:
    """`From ` opens a message only after an empty line; a single one keeps the file's name."""
    box = tmp_path / "box"
    first, second = SAMPLES["kddi"].message, SAMPLES["success"].message
    box.write_bytes(b"From x\n" + first + b"\nFrom here on, quoted\nFrom y\n\nFrom z\n" + second)
    _, answers, _ = _classified(box)
    assert [(answer["file"], answer["kind"]) for answer in answers] == [
        (f"{box}#1", "hard"),
        (f"{box}#2", "none"),
    ]
    box.write_bytes(b"From x\n" + first)
    assert [answer["file"] for answer in _classified(box)[1]] == [str(box)]


@pytest.mark.parametrize("content", [b"", b"\xff\x00", b"From "])
def test_a_file_of_anything_is_answered(tmp_path: Path, content: bytes) -> None:
    """What is no message is none."""
    path = tmp_path / "odd"
    path.write_bytes(content)
    status, answers, _ = _classified(path)
    assert (status, [answer["kind"] for answer in answers]) == (0, ["none"])
