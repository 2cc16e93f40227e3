"""`connect phone`: the tree, and a telephone in the terminal that calls over real HTTP."""

import asyncio
import stat
import sys
import wave
from pathlib import Path

import pytest
from typer.testing import CliRunner

from engine.cli.phone import app
from tests.phone.conftest import line, served
from tests.phone.line import BASE, PAYEE, PIN, PhoneLine

__all__ = ["line", "served"]

TYPED = f"2\n1\n{PAYEE.external_id}\nsí\n{PIN}\npagos\n3\n\n0\n\n"
STUB = """#!{python} -S
import sys, wave
said = sys.stdin.buffer.read().decode()
file = wave.open(sys.stdout.buffer, "wb")
file.setparams((1, 2, 22050, 0, "NONE", ""))
file.writeframes(bytes(2 * 2205))
file.close()
open("{log}", "a", encoding="utf-8").write(" ".join(sys.argv[1:]) + "|" + said + chr(10))
"""
"""A speaker of a tenth of a second, that writes down what it was given to read."""


async def test_a_call_over_real_http(
    line: PhoneLine, served: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line is walked from a terminal, to an agent and the end. Each sentence is shown with its
    language, and read into a file by its own voice, and on no command line."""
    speaker, log, wav = tmp_path / "espeak-ng", tmp_path / "said", tmp_path / "call.wav"
    speaker.write_text(STUB.format(python=sys.executable, log=log))
    speaker.chmod(speaker.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path))
    typed = ["call", "--url", served, "--signed-for", BASE, "--audio", str(wav)]
    ran = await asyncio.to_thread(CliRunner().invoke, app, typed, input=TYPED)
    assert ran.exit_code == 0, ran.output
    assert "[en] For English, say English, or press one." in ran.output
    assert "[es] Le enviamos 525 dólares el 2 de noviembre." in ran.output
    assert "[es] Disculpe, no le escuché." in ran.output
    assert "it rings at +19165550100" in ran.output
    assert "The call is over." in ran.output
    with wave.open(str(wav)) as file:
        assert file.getnframes() / file.getframerate() > 1
    said = log.read_text(encoding="utf-8").splitlines()
    assert "-v en-us -s 150 --stdin --stdout|For English, say English, or press one." in said
    assert "-v es-419 -s 150 --stdin --stdout|Disculpe, no le escuché." in said


def test_the_tree_is_drawn() -> None:
    """Every place, with the keys and the words of both languages."""
    drawn = CliRunner().invoke(app, ["tree"])
    assert drawn.exit_code == 0
    assert "0 agent / agente → an agent, or the hours" in drawn.output
    assert "2 or 9 spanish / español → parent" in drawn.output
    assert "* I don't know it / no lo sé → reset" in drawn.output
