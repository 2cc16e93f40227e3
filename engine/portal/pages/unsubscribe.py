"""Doing without reminders by email: the door that a link in one leads to, and the same choice for
who is signed in, where it can be taken back."""

from collections.abc import Iterator
from typing import Final

from starlette.responses import Response

from engine.caseload.email_extras import UNSUBSCRIBE_PATH
from engine.caseload.profile import profile_of
from engine.caseload.reminder_choices import choose_reminders
from engine.portal.one_click import FIELD, VALUE, is_one_click
from engine.portal.places import Place, Private, Public
from engine.portal.visit import Visit

REMINDERS: Final = "/profile/reminders"
_FORM: Final = ("GET", "POST")
_NETWORK_RATE: Final = "600/minute"
"""A mail provider presses the button for all of its readers, from few addresses."""
_LINK_RATE: Final = "20/hour"


class UnsubscribePages:
    """The link's page, and the setting."""

    @property
    def places(self) -> Iterator[Place]:
        """Where they are."""
        yield Public(f"{UNSUBSCRIBE_PATH}/{{token}}", self.unsubscribe, _FORM)
        yield Private(REMINDERS, self.reminders, _FORM, after=REMINDERS)

    async def unsubscribe(self, visit: Visit) -> Response:
        """A page with one button: programs that look into mail follow its links, and must change
        nothing. The POST needs no session, no cookie and no token of ours besides the link's (RFC
        8058, 3.2). A link that is nobody's is answered alike."""
        if not visit.posted:
            return _without_cookies(_page(visit, 200, done=False))
        token = str(visit.request.path_params["token"])
        await visit.count("unsubscribe.network", visit.network, rate=_NETWORK_RATE)
        await visit.count("unsubscribe.link", token, rate=_LINK_RATE)
        if not await is_one_click(visit.request):
            return _without_cookies(_page(visit, 400, done=False))
        await visit.application.unsubscribing.stop(token, visit.network)
        return _without_cookies(_page(visit, 200, done=True))

    async def reminders(self, visit: Visit) -> Response:
        """Whether reminders come by email; eCommunications are another matter."""
        if not visit.posted:
            async with visit.reading() as connection:
                profile = await profile_of(connection, visit.participant_id)
            email = profile.email is not None and profile.email.safe and not profile.email.bounced
            return visit.page(
                "unsubscribe_choice.html",
                nav="profile",
                chosen="yes" if profile.reminders else "no",
                has_email=email,
                wrong=False,
            )
        chosen = visit.fields.get("reminders", "")
        if chosen not in {"yes", "no"}:
            return visit.page(
                "unsubscribe_choice.html",
                422,
                nav="profile",
                chosen="",
                has_email=True,
                wrong=True,
            )
        wanted = chosen == "yes"
        name = "reminders.started" if wanted else "reminders.stopped"
        async with visit.act(name) as doing:
            done = await choose_reminders(
                doing.connection,
                visit.participant_id,
                "profile",
                visit.application.clock(),
                wanted=wanted,
            )
            doing.unchanged = not done
        said = ("reminders_on" if wanted else "reminders_off") if done else "unchanged"
        return visit.to(REMINDERS, said=said)


def _page(visit: Visit, status: int, *, done: bool) -> Response:
    return visit.page("unsubscribe.html", status, field=FIELD, value=VALUE, done=done)


def _without_cookies(response: Response) -> Response:
    """A mail program follows the link too, and is to hold nothing of ours."""
    del response.headers["Set-Cookie"]
    return response
