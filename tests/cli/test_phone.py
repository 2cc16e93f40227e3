"""`connect phone`: the tree, and a telephone in the terminal that calls over real HTTP."""

import asyncio
import os
import stat
import sys
import wave
from pathlib import Path

from tests.cli.terminal import Said, Terminal
from tests.phone.conftest import line, served
from tests.phone.line import BASE, PAYEE, PIN, PhoneLine

__all__ = ["line", "served"]

TYPED = f"2\n1\n{PAYEE.external_id}\nsí\n{PIN}\npagos\n3\n\n0\n\n"
STUB = """#!{python}
import sys, wave
said = sys.stdin.read()
file = wave.open(sys.stdout.buffer, "wb")
file.setparams((1, 2, 22050, 0, "NONE", ""))
file.writeframes(bytes(2 * 2205))
file.close()
open("{log}", "a").write(" ".join(sys.argv[1:]) + "|" + said + chr(10))
"""
"""A speaker of a tenth of a second, that writes down what it was given to read."""


async def connect(*arguments: str, typed: str, path: str) -> Said:
    """Run the command while this process serves the line."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "engine.cli", "phone", *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | {"PATH": path, "PROFILE": "development"},
    )
    out, error = await process.communicate(typed.encode())
    return Said(process.returncode or 0, out.decode(), error.decode())


async def test_a_call_over_real_http(line: PhoneLine, served: str, tmp_path: Path) -> None:
    """The whole line is walked from a terminal, to the agent and the end. Each sentence is shown
    with its language, and read into a file by its own voice, and on no command line."""
    speaker, log, wav = tmp_path / "espeak-ng", tmp_path / "said", tmp_path / "call.wav"
    speaker.write_text(STUB.format(python=sys.executable, log=log))
    speaker.chmod(speaker.stat().st_mode | stat.S_IXUSR)
    ran = await connect(
        *("call", "--url", served, "--signed-for", BASE, "--audio", str(wav)),
        typed=TYPED,
        path=str(tmp_path),
    )
    assert ran.status == 0, ran.error
    assert "[en] For English, say English, or press one." in ran.out
    assert "[es] Le enviamos 525 dólares el 2 de noviembre." in ran.out
    assert "[es] Disculpe, no le escuché." in ran.out
    assert "it rings at +19165550100" in ran.out
    assert "The call is over." in ran.out
    with wave.open(str(wav)) as file:
        assert file.getnframes() / file.getframerate() > 1
    said = log.read_text().splitlines()
    assert any(
        "en-us" in line and line.endswith("|For English, say English, or press one.")
        for line in said
    )
    assert any("es-419" in line and line.endswith("|Disculpe, no le escuché.") for line in said)


def test_the_tree_is_drawn(machine: Terminal) -> None:
    """Every place, with the keys and the words of both languages."""
    drawn = machine.connect("phone", "tree")
    assert drawn.status == 0
    assert "0 agent / agente → an agent, or the hours" in drawn.out
    assert "2 or 9 spanish / español → parent" in drawn.out
    assert "* I don't know it / no lo sé → reset" in drawn.out
