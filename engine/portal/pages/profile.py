"""*My Profile*: what is on file, what may be changed, and what each change brings about."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from starlette.responses import Response

from engine.caseload.came_back import what_came_back
from engine.caseload.preferences import change_language
from engine.caseload.profile import profile_of
from engine.communications.catalogue import LANGUAGES
from engine.portal.places import Place, Private
from engine.portal.visit import Visit

PROFILE: Final = "/profile"
LANGUAGE: Final = f"{PROFILE}/language"
CONFIRM_AGAIN: Final = f"{PROFILE}/email/confirm-again"
_FORM: Final = ("GET", "POST")
_MAILS_RATE: Final = "5/hour"


class ProfilePages:
    """The overview, and the language of notices."""

    @property
    def places(self) -> Iterator[Place]:
        """Where they are."""
        yield Private(PROFILE, self.profile)
        yield Private(LANGUAGE, self.language, _FORM, after=PROFILE)
        yield Private(CONFIRM_AGAIN, self.confirm_again, ("POST",), after=PROFILE)

    async def profile(self, visit: Visit) -> Response:
        """What is on file."""
        settings = visit.application.settings
        async with visit.reading() as connection:
            profile = await profile_of(connection, visit.participant_id)
            came_back = await what_came_back(connection, visit.participant_id)
        now = visit.application.clock()
        email, mail = profile.email, profile.mail
        email_from = mail_from = None
        if email and email.own_change and email.verified_at:
            email_from = email.verified_at + timedelta(hours=settings.email_cooling_hours)
        if mail and mail.own_change and not mail.vouched:
            mail_from = mail.created_at + timedelta(days=settings.address_cooling_days)
        return visit.page(
            "profile.html",
            nav="profile",
            profile=profile,
            came_back=came_back,
            email_from=email_from if email_from and email_from > now else None,
            mail_from=mail_from if mail_from and mail_from > now else None,
        )

    async def language(self, visit: Visit) -> Response:
        """The language in which notices are written; the pages have a button of their own."""
        if not visit.posted:
            async with visit.reading() as connection:
                profile = await profile_of(connection, visit.participant_id)
            return self._language(visit, profile.language, 200)
        chosen = visit.fields.get("notices", "")
        for language in LANGUAGES:
            if language == chosen:
                async with visit.act("language.changed", to=language) as doing:
                    done = await change_language(
                        doing.transaction,
                        visit.participant_id,
                        language,
                        str(visit.form),
                        visit.application.clock,
                    )
                    doing.unchanged = not done
                return visit.to(PROFILE, said="language_changed" if done else "unchanged")
        return self._language(visit, "", 422)

    async def confirm_again(self, visit: Visit) -> Response:
        """Send the link that confirms the email address once more."""
        await visit.count("confirm_email", str(visit.participant_id), rate=_MAILS_RATE)
        async with visit.act("contact.email.confirmation_asked") as doing:
            sent = await visit.application.contact_changes.ask_again(
                doing.transaction, visit.participant_id, str(visit.form)
            )
            doing.unchanged = not sent
        return visit.to(PROFILE, said="confirmation_sent" if sent else "unchanged")

    def _language(self, visit: Visit, chosen: str, status: int) -> Response:
        return visit.page(
            "profile_language.html", status, nav="profile", chosen=chosen, wrong=status != 200
        )
