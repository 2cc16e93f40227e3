"""What the phone line says, as sound: espeak-ng reads it, each sentence in its own language."""

import io
import shutil
import subprocess
import wave
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from engine.errors import InputError
from engine.i18n import Language
from engine.phone.markup import Line

_PROGRAM: Final = "espeak-ng"
_VOICES: Final[Mapping[Language, str]] = {"en": "en-us", "es": "es-419"}
_WORDS_A_MINUTE: Final = "150"
_PAUSE_SECONDS: Final = 0.4
_RATE: Final = 22_050
_SAMPLE_BYTES: Final = 2
"""What espeak-ng writes: samples of 16 bits, on one channel."""


def speaks() -> bool:
    """Whether there is something here that reads aloud."""
    return shutil.which(_PROGRAM) is not None


class Recording:
    """The lines of a call, in order."""

    def __init__(self) -> None:
        self.lines: list[Line] = []

    def add(self, line: Line) -> None:
        """Say one more."""
        self.lines.append(line)

    def write(self, path: Path) -> float:
        """Write them to a WAV file; how many seconds it lasts. Raises InputError where it cannot
        be written, or nothing be read aloud."""
        sounds = [_spoken(line) for line in self.lines]
        try:
            with wave.open(str(path), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(_SAMPLE_BYTES)
                file.setframerate(_RATE)
                for sound in sounds:
                    file.writeframes(sound + bytes(int(_RATE * _PAUSE_SECONDS) * _SAMPLE_BYTES))
                return file.getnframes() / _RATE
        except OSError as error:
            raise InputError(f"{path}: cannot be written ({type(error).__name__})") from None


def _spoken(line: Line) -> bytes:
    """One sentence as sound, on one channel. It is handed over on standard input: what is said may
    be somebody's payments, and a command line can be read by others on the machine."""
    command = [_PROGRAM, "-v", _VOICES[line.language], "-s", _WORDS_A_MINUTE, "--stdin", "--stdout"]
    said = subprocess.run(  # noqa: S603  a program named here  # nosec B603
        command, input=line.text.encode(), capture_output=True, check=False
    )
    if said.returncode:
        raise InputError(f"{_PROGRAM} does not read aloud here: it ended with {said.returncode}")
    with wave.open(io.BytesIO(said.stdout)) as file:
        # It writes before it knows how much it has to say: the length in its header is none.
        sound: bytes = file.readframes(file.getnframes())
    return sound
