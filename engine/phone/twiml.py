"""Twilio's markup, and its signature: what Twilio and the platforms compatible with it speak.

https://www.twilio.com/docs/voice/twiml and …/docs/usage/webhooks/webhooks-security.
"""

import re
from collections.abc import Mapping
from typing import Final, Literal

from twilio.request_validator import RequestValidator
from twilio.twiml.voice_response import Dial, Gather, VoiceResponse

from engine.errors import InputError
from engine.i18n import Language
from engine.phone.markup import Answer, Connect, Heard, Line, Listen, Rendered
from engine.phone.paths import step_path

SIGNATURE: Final = "X-Twilio-Signature"
LOCALES: Final[Mapping[Language, str]] = {"en": "en-US", "es": "es-US"}
VOICES: Final[Mapping[Language, str]] = {"en": "Polly.Joanna", "es": "Polly.Lupe"}
"""Voices of the Spanish and the English that is spoken in the United States."""
SILENCE_SECONDS: Final = 7
"""How long a caller may think, and search for a letter, before we ask again."""
_CALL: Final = re.compile(r"[A-Za-z0-9]{1,64}")
_OVER: Final = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
_HINTS_MOST: Final = 100


class Twiml:
    """Speaks TwiML, under the account's auth token."""

    def __init__(self, auth_token: str) -> None:
        self._validator = RequestValidator(auth_token)

    def is_authentic(self, url: str, fields: Mapping[str, str], signature: str) -> bool:
        """HMAC-SHA1 over the address and the fields in order, compared in time that does not
        tell."""
        return bool(self._validator.validate(url, dict(fields), signature))

    def signature_in(self, headers: Mapping[str, str]) -> str:
        """The header of the signature."""
        return headers.get(SIGNATURE, "")

    def heard(self, fields: Mapping[str, str]) -> Heard:
        """The fields of a webhook; those of a status callback and of a finished dial too."""
        call = fields.get("CallSid", "")
        if _CALL.fullmatch(call) is None:
            raise InputError("CallSid: must name a call")
        return Heard(
            call=call,
            caller=fields.get("From", "")[:64],
            keys=fields.get("Digits", "")[:64],
            words=fields.get("SpeechResult", "")[:1000],
            connected=_connected(fields.get("DialCallStatus", "")),
            over=fields.get("CallStatus", "") in _OVER,
        )

    def render(self, answer: Answer) -> Rendered:
        """A TwiML document."""
        document = VoiceResponse()
        then = answer.then
        if isinstance(then, Listen):
            document.append(_gather(answer.lines, then))
        else:
            _say(document, answer.lines)
            if isinstance(then, Connect):
                dial = Dial(action=step_path(then.step), method="POST", timeout=30)
                dial.number(then.number)
                document.append(dial)
            else:
                document.hangup()
        return Rendered(str(document), "text/xml; charset=utf-8")


def _connected(dialled: str) -> Literal["", "spoke", "failed"]:
    """How a dial ended, where one did."""
    if not dialled:
        return ""
    return "spoke" if dialled in {"completed", "answered"} else "failed"


def _gather(lines: tuple[Line, ...], listen: Listen) -> Gather:
    """What is said stands inside, so that an answer may come before its end; silence is answered
    too, in the same place."""
    gather = Gather(
        input="dtmf speech",
        action=step_path(listen.step),
        method="POST",
        language=LOCALES[listen.language],
        hints=",".join(listen.hints[:_HINTS_MOST]),
        num_digits=listen.digits_most,
        finish_on_key="#",
        timeout=SILENCE_SECONDS,
        speech_timeout="auto",
        barge_in=True,
        action_on_empty_result=True,
    )
    _say(gather, lines)
    return gather


def _say(within: VoiceResponse | Gather, lines: tuple[Line, ...]) -> None:
    for line in lines:
        within.say(line.text, voice=VOICES[line.language], language=LOCALES[line.language])
