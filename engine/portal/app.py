"""The portal put together: routes in both languages, and what stands around them."""

from collections.abc import Sequence

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from engine.bootstrap import Application
from engine.communications.catalogue import LANGUAGES
from engine.portal.apply.rooms import apply_places
from engine.portal.doors import APPLICATION_SITE
from engine.portal.error_pages import ErrorPages
from engine.portal.gate import Gate
from engine.portal.guard import Guard
from engine.portal.health import Health
from engine.portal.layout import Layout
from engine.portal.metrics import Metrics
from engine.portal.pages.appointments import AppointmentsPages
from engine.portal.pages.cases import CasesPages
from engine.portal.pages.change_pin import ChangePinPages
from engine.portal.pages.contact_details import ContactDetailsPages
from engine.portal.pages.documents import DocumentsPages
from engine.portal.pages.ecommunications import EcommunicationsPages
from engine.portal.pages.front import (
    FORGOT_PIN,
    FrontPages,
    to_apply,
    to_forgot_pin,
    to_home,
    to_login,
)
from engine.portal.pages.messages import MessagesPages
from engine.portal.pages.other_party import OtherPartyPages
from engine.portal.pages.participant_home import ParticipantHomePages
from engine.portal.pages.payments import PaymentsPages
from engine.portal.pages.profile import ProfilePages
from engine.portal.pages.sign_in import SignInPages
from engine.portal.pages.unsubscribe import UnsubscribePages
from engine.portal.places import Place
from engine.portal.standing import Standing
from engine.portal.statics import StaticFiles
from engine.portal.tokens import Tokens


def places() -> list[Place]:
    """Every page of the portal in both languages, and who may come to it."""
    rooms = (
        FrontPages(),
        SignInPages(),
        ChangePinPages(),
        ParticipantHomePages(),
        PaymentsPages(),
        CasesPages(),
        AppointmentsPages(),
        DocumentsPages(),
        MessagesPages(),
        ProfilePages(),
        EcommunicationsPages(),
        ContactDetailsPages(),
        OtherPartyPages(),
        UnsubscribePages(),
    )
    return [place for room in rooms for place in room.places]


def create_app(application: Application, doors: Sequence[Mount] = ()) -> FastAPI:
    """The portal over `application`, which whoever calls has opened and will close, and the `doors`
    of others beside it, which answer for themselves what goes wrong in them."""
    settings = application.settings
    secure = settings.public_url.startswith("https://")
    statics = StaticFiles()
    layout = Layout.of(settings, statics)
    error_pages = ErrorPages(layout)
    metrics = Metrics(Standing(application))
    routes: dict[object, str] = {}
    guard = Middleware(
        Guard, error_pages=error_pages, metrics=metrics, routes=routes, secure=secure
    )

    async def refused(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        headers = error.headers if isinstance(error, HTTPException) else None
        return error_pages.page(request, status, headers)

    app = FastAPI(
        openapi_url=None,
        redirect_slashes=False,
        middleware=[guard],
        exception_handlers={HTTPException: refused},
    )
    app.add_route("/", to_home)
    app.add_route(FORGOT_PIN, to_forgot_pin)
    app.add_route("/login", to_login)
    app.add_route(APPLICATION_SITE.prefix, to_apply)
    gate = Gate(application, layout, Tokens(settings.tag_key_bytes(), secure))
    for language in LANGUAGES:
        for place in (*places(), *apply_places()):
            app.add_route(
                f"/{language}{place.path}", gate.at(place, language), methods=list(place.methods)
            )
        app.add_route(f"/{language}", to_home)
    health = Health(application)
    app.add_route("/health/live", health.live)
    app.add_route("/health/ready", health.ready)
    app.add_route("/metrics", metrics.serve)
    app.add_route("/static/{name}", statics.serve)
    app.routes.extend(doors)
    routes |= {route.endpoint: route.path for route in app.routes if isinstance(route, Route)}
    for door in doors:
        inside = (route for route in door.routes if isinstance(route, Route))
        routes |= {route.endpoint: f"{door.path}{route.path}" for route in inside}
    return app
