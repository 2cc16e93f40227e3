"""eCommunications: what it means, a sample to make sure that it works, consent, and the way back to
paper; one thing a page (15 U.S.C. § 7001(c))."""

import asyncio
from collections.abc import Iterator
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from engine.caseload.consent_samples import LENGTH, Typed
from engine.caseload.consent_words import keep_words, words_of
from engine.caseload.consents import (
    By,
    NoEmailError,
    consent_in_force,
    give_consent,
    withdraw_consent,
)
from engine.caseload.paperless import is_enrolled
from engine.caseload.profile import Contact, profile_of
from engine.clock import pacific_date
from engine.communications.catalogue import LANGUAGES
from engine.portal.disclosure import disclosure
from engine.portal.places import Place, Private
from engine.portal.sample_document import sample_pdf
from engine.portal.visit import Visit

PROFILE: Final = "/profile"
ECOMMUNICATIONS: Final = f"{PROFILE}/ecommunications"
SAMPLE: Final = f"{ECOMMUNICATIONS}/sample"
WITHDRAW: Final = f"{ECOMMUNICATIONS}/withdraw"
_FORM: Final = ("GET", "POST")
_SAMPLES_RATE: Final = "20/hour"
_CODES_RATE: Final = "60/hour"
_EXAMPLE: Final = "K7M 4PX"
_TYPED_MOST: Final = 40


class EcommunicationsPages:
    """Enrolment in two steps, how it stands, and withdrawal."""

    @property
    def places(self) -> Iterator[Place]:
        """Where they are."""
        yield Private(ECOMMUNICATIONS, self.ecommunications, _FORM, after=SAMPLE)
        yield Private(SAMPLE, self.sample, _FORM, after=PROFILE)
        yield Private(f"{SAMPLE}.pdf", self.sample_document)
        yield Private(WITHDRAW, self.withdraw, _FORM, after=PROFILE)

    async def ecommunications(self, visit: Visit) -> Response:
        """To who is enrolled, how it stands; to others what it means, before anything else."""
        async with visit.reading() as connection:
            enrolled = await is_enrolled(connection, visit.participant_id)
        if visit.posted:
            return visit.to(PROFILE, said="unchanged") if enrolled else await self._begin(visit)
        return await (self._enrolled(visit) if enrolled else self._offer(visit))

    async def sample(self, visit: Visit) -> Response:
        """The code of the sample, typed back, is consent."""
        async with visit.reading() as connection:
            enrolled = await is_enrolled(connection, visit.participant_id)
            waiting = await visit.application.consent_samples.current(
                connection, visit.participant_id
            )
        if enrolled or waiting is None:
            return visit.to(PROFILE if enrolled else ECOMMUNICATIONS)
        return await self._typed(visit) if visit.posted else self._code(visit)

    async def sample_document(self, visit: Visit) -> Response:
        """The sample itself; it says nothing of its reader."""
        application = visit.application
        async with visit.reading() as connection:
            sample = await application.consent_samples.current(connection, visit.participant_id)
            if sample is None:
                return visit.to(ECOMMUNICATIONS)
            await visit.count("ecommunications_pdf", str(visit.participant_id), rate=_CODES_RATE)
            await application.consent_samples.opened(connection, sample)
        content = await asyncio.to_thread(
            sample_pdf,
            visit.layout,
            application.renderer,
            sample.language,
            application.consent_samples.code(sample),
            return_address=application.settings.agency.return_address,
            day=pacific_date(sample.made_at),
        )
        return Response(
            content,
            media_type="application/pdf",
            headers={"Content-Disposition": 'inline; filename="sample.pdf"'},
        )

    async def withdraw(self, visit: Visit) -> Response:
        """What changes, and one button."""
        if not visit.posted:
            async with visit.reading() as connection:
                enrolled = await is_enrolled(connection, visit.participant_id)
            return visit.page("ecommunications_withdraw.html", nav="profile", enrolled=enrolled)
        async with visit.act("ecommunications.withdrawn") as doing:
            done = await withdraw_consent(
                doing.transaction,
                visit.participant_id,
                By("web"),
                key=str(visit.form),
                clock=visit.application.clock,
            )
            doing.unchanged = not done
        return visit.to(PROFILE, said="withdrawn" if done else "unchanged")

    async def _begin(self, visit: Visit) -> Response:
        """What was read is kept, word for word, and a sample is made."""
        shown = [disclosure(visit.layout, language) for language in LANGUAGES]
        read = [words for words in shown if words.version == visit.fields.get("text_version")]
        if not read:
            return await self._offer(visit, 409, "text_changed")
        async with visit.reading() as connection:
            if await _email(visit, connection) is None:
                return await self._offer(visit, 422, "no_email")
        await visit.count("ecommunications", str(visit.participant_id), rate=_SAMPLES_RATE)
        async with visit.act("ecommunications.sample_made") as doing:
            version = await keep_words(doing.connection, read[0], visit.application.clock())
            await visit.application.consent_samples.make(
                doing.connection, visit.participant_id, version, visit.language
            )
        return visit.to(SAMPLE)

    async def _typed(self, visit: Visit) -> Response:
        """A wrong code is said to be one; the right one enrols."""
        samples, participant_id = visit.application.consent_samples, visit.participant_id
        await visit.count("ecommunications_code", str(participant_id), rate=_CODES_RATE)
        code = visit.fields.get("code", "")
        async with visit.application.engine.begin() as connection:
            typed = await samples.typed(connection, participant_id, code)
            gone = typed is Typed.GONE and not await is_enrolled(connection, participant_id)
        if typed is Typed.GONE:
            return visit.to(ECOMMUNICATIONS if gone else PROFILE)
        if typed is not Typed.RIGHT:
            return self._code(visit, 422, typed, "" if typed is Typed.RENEWED else code)
        try:
            async with visit.act("ecommunications.enrolled") as doing:
                used = await samples.use(doing.connection, participant_id, code)
                done = used is not None and await give_consent(
                    doing.transaction,
                    participant_id,
                    used.sample.text_version,
                    By("web", proof=used.proof),
                    key=str(visit.form),
                    clock=visit.application.clock,
                )
                doing.unchanged = not done
        except NoEmailError:
            return self._code(visit, 422, "no_email", code)
        return visit.to(PROFILE, said="enrolled" if done else "unchanged")

    async def _offer(self, visit: Visit, status: int = 200, fault: str = "") -> Response:
        async with visit.reading() as connection:
            email = await _email(visit, connection)
        words = disclosure(visit.layout, visit.language)
        return visit.page(
            "ecommunications_enroll.html",
            status,
            nav="profile",
            sections=words.sections,
            version=words.version,
            email=email,
            fault=fault,
        )

    async def _enrolled(self, visit: Visit) -> Response:
        async with visit.reading() as connection:
            email = await _email(visit, connection)
            consent = await consent_in_force(
                connection, visit.participant_id, visit.application.clock()
            )
            version = consent.text_version if consent else None
            agreed = await words_of(connection, version) if version else None
        return visit.page(
            "ecommunications_enrolled.html",
            nav="profile",
            email=email,
            since=consent.at if consent else None,
            agreed=agreed,
        )

    def _code(self, visit: Visit, status: int = 200, fault: str = "", typed: str = "") -> Response:
        return visit.page(
            "ecommunications_code.html",
            status,
            nav="profile",
            fault=fault,
            typed=typed[:_TYPED_MOST],
            letters=LENGTH,
            example=_EXAMPLE,
        )


async def _email(visit: Visit, connection: AsyncConnection) -> Contact | None:
    """The address that alerts would go to, if one may be used."""
    email = (await profile_of(connection, visit.participant_id)).email
    return email if email and email.safe and not email.bounced else None
