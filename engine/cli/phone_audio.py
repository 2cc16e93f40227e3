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
        be written."""
        sounds = [_spoken(line) for line in self.lines]
        try:
            with wave.open(str(path), "wb") as file:
                frames = 0
                for parameters, sound in sounds:
                    if not frames:
                        file.setparams(parameters)
                    pause = int(parameters.framerate * _PAUSE_SECONDS)
                    file.writeframes(sound + bytes(pause * parameters.sampwidth))
                    frames += len(sound) // parameters.sampwidth + pause
                    rate = parameters.framerate
        except OSError as error:
            raise InputError(f"{path}: cannot be written ({type(error).__name__})") from None
        return frames / rate if frames else 0.0


def _spoken(line: Line) -> "tuple[wave._wave_params, bytes]":
    """One sentence as sound, on one channel. It is handed over on standard input: what is said may
    be somebody's payments, and a command line can be read by others on the machine."""
    command = [_PROGRAM, "-v", _VOICES[line.language], "-s", _WORDS_A_MINUTE, "--stdin", "--stdout"]
    said = subprocess.run(  # noqa: S603  a program named here  # nosec B603
        command, input=line.text.encode(), capture_output=True, check=True
    )
    with wave.open(io.BytesIO(said.stdout)) as file:
        return file.getparams(), file.readframes(file.getnframes())
