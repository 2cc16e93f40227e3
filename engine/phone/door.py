"""The door of the phone line: webhooks of a voice platform, signed, posted and bounded.

They are posted and nothing else: what a caller enters never stands in an address. What is not
signed by the platform gets no answer. Whatever goes wrong inside is said to the caller politely:
a platform that gets an error reads it out, in English, and hangs up.
"""

from dataclasses import dataclass
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from engine.bootstrap import Application, secret_box
from engine.errors import InputError
from engine.mounting import WholeMount
from engine.phone.calls import Calls
from engine.phone.checking import checked_menus
from engine.phone.conversation import Conversation
from engine.phone.deeds import Deeds
from engine.phone.markup import Answer, Heard, Platform
from engine.phone.menus import OURS
from engine.phone.paths import CALL, DOOR, STATUS
from engine.phone.twiml import Twiml
from engine.phone.values import Values
from engine.request_bodies import read_fields
from engine.security.tokens import derive_tag

FIELDS_MOST: Final = 100
"""A platform tells much about a call that we do not ask: where it comes from, and by what way."""


def phone_door(application: Application) -> Mount | None:
    """The phone line over `application`; None where no platform is set up.

    Raises MenuError for menus that cannot be served.
    """
    settings = application.settings
    token = settings.phone_token()
    if token is None:
        return None
    menus = checked_menus(settings.phone_menus or OURS)
    key = settings.tag_key_bytes()
    conversation = Conversation(
        menus=menus,
        calls=Calls(application.doorbell.redis, secret_box(settings), key),
        deeds=Deeds(application),
        values=Values(settings, menus, application.clock),
        agent_number=settings.phone_agent_number,
        official=settings.agency.official,
        clock=application.clock,
    )
    return WholeMount(DOOR, app=Door(conversation, Twiml(token), settings.phone_url(), key).app())


@dataclass(frozen=True, slots=True)
class Door:
    """Lets in what the platform at `url` signed."""

    conversation: Conversation
    platform: Platform
    url: str
    key: bytes

    def app(self) -> Starlette:
        """The webhooks, under their paths within the door."""
        return Starlette(
            routes=[
                Route(CALL.removeprefix(DOOR), self.call, methods=["POST"]),
                Route("/step/{step:int}", self.step, methods=["POST"]),
                Route(STATUS.removeprefix(DOOR), self.status, methods=["POST"]),
            ],
            exception_handlers={Exception: self.let_down},
        )

    async def call(self, request: Request) -> Response:
        """A call comes in."""
        heard = await self._heard(request)
        return self._answered(await self.conversation.answer(heard, self._caller(heard), None))

    async def step(self, request: Request) -> Response:
        """A caller pressed, said or waited; or an agent and the caller are done."""
        heard = await self._heard(request)
        step = request.path_params["step"]
        return self._answered(await self.conversation.answer(heard, self._caller(heard), step))

    async def status(self, request: Request) -> Response:
        """A call changed its state; one that is over is let go of."""
        heard = await self._heard(request)
        if heard.over:
            await self.conversation.over(heard, self._caller(heard))
        return Response(status_code=204)

    async def let_down(self, _request: Request, _error: Exception) -> Response:
        """Said where something failed; the log has it from whoever serves us."""
        return self._answered(self.conversation.trouble())

    async def _heard(self, request: Request) -> Heard:
        """What the platform tells. Raises HTTPException: 403 for what it did not sign, 400 for what
        names no call, and as `read_fields` does."""
        fields = await read_fields(request, FIELDS_MOST)
        path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        signature = self.platform.signature_in(request.headers)
        if not self.platform.is_authentic(f"{self.url}{path}", fields, signature):
            raise HTTPException(403)
        try:
            return self.platform.heard(fields)
        except InputError:
            raise HTTPException(400) from None

    def _caller(self, heard: Heard) -> str:
        """What stands for the caller's telephone in limits and in the audit trail."""
        return f"phone:{derive_tag(self.key, 'phone.caller', heard.caller)}"

    def _answered(self, answer: Answer) -> Response:
        rendered = self.platform.render(answer)
        return Response(rendered.body, media_type=rendered.media_type)
