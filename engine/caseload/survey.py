"""What a campaign would come to: how many by which way, who cannot be reached, and how much paper.

It looks at what a recording wrote, in the recording's own transaction.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from engine.clock import pacific_date
from engine.communications.bulk_recording import Recording
from engine.communications.claims import Reader, facts_from
from engine.communications.frozen_facts import FACTS
from engine.communications.ports import Recipients, Unreachable
from engine.communications.rendering import Renderer
from engine.errors import ConnectError
from engine.mail.composing import ComposedPart, compose_part
from engine.mail.drafting import SAMPLE_ADDRESS, Draft, draft_letter

_AT_ONCE: Final = 1_000
_SAMPLES: Final = 3
# A recording's rows bear the hour at which its transaction began.
_NEW: Final = "FROM communication WHERE campaign_id = $1 AND recorded_at = now()"
_WAYS: Final = f"""
SELECT language, (
    SELECT string_agg(legs.names, ' → ' ORDER BY legs.turn) FROM (
        SELECT turn, (SELECT string_agg(leg ->> 0, ' + ') FROM jsonb_array_elements(step) AS leg)
               AS names
        FROM jsonb_array_elements(route) WITH ORDINALITY AS steps (step, turn)
    ) AS legs) AS way, due_by, count(*) AS number,
    (array_agg(participant_id ORDER BY id))[1:$2] AS some
{_NEW} GROUP BY language, way, due_by ORDER BY way, language
"""  # noqa: S608  joined from constants of this module
_BY_MAIL: Final = f"""
SELECT id, participant_id {_NEW} AND route -> 0 -> 0 ->> 0 = 'mail' AND id > $2
ORDER BY id LIMIT $3
"""
_NUMBERS: Final = "SELECT id, external_id FROM participant WHERE id = ANY($1::bigint[])"
_LETTERS: Final = f"""
SELECT id, language, {FACTS} AS facts
{_NEW} AND route -> 0 -> 0 ->> 0 = 'mail' AND language = $2 ORDER BY id LIMIT $3
"""


@dataclass(frozen=True, slots=True)
class Way:
    """How many go by one way in one language, the day they are due by, and some participants'
    numbers."""

    way: str
    language: str
    number: int
    due: date
    some: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NotReached:
    """How many cannot be reached for one reason, and some of their numbers."""

    reason: str
    number: int
    some: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Survey:
    """What a campaign comes to. `pages`, blank backs among them, is an estimate from some letters
    that were drawn; None where none goes by mail, or none could be drawn."""

    ways: tuple[Way, ...]
    not_reached: tuple[NotReached, ...]
    letters: int
    pages: int | None


@dataclass(frozen=True, slots=True)
class Surveyor:
    """Looks at recordings."""

    recipients: Recipients
    renderer: Renderer
    return_address: tuple[str, ...]

    async def survey(self, recording: Recording) -> Survey:
        """What `recording` came to, before it is committed or rolled back."""
        driver = recording.driver
        ways = await driver.fetch(_WAYS, recording.campaign_id, _SAMPLES)
        letters = Counter[str]()
        for row in ways:
            if row["way"].startswith("mail"):
                letters[row["language"]] += row["number"]
        not_reached = await self._not_reached(recording) if letters else {}
        numbers = await _numbers(driver, ways, not_reached)
        return Survey(
            tuple(
                Way(
                    row["way"],
                    row["language"],
                    row["number"],
                    row["due_by"],
                    tuple(numbers[id_] for id_ in row["some"]),
                )
                for row in ways
            ),
            tuple(
                NotReached(reason, len(ids), tuple(numbers[id_] for id_ in ids[:_SAMPLES]))
                for reason, ids in sorted(not_reached.items())
            ),
            letters.total(),
            await self._pages(recording, letters),
        )

    async def _not_reached(self, recording: Recording) -> Mapping[str, list[int]]:
        """Those who are written to at an address that may not be used, by the reason."""
        found: dict[str, list[int]] = {}
        last = 0
        while rows := await recording.driver.fetch(_BY_MAIL, recording.campaign_id, last, _AT_ONCE):
            readers = [Reader(row["participant_id"]) for row in rows]
            answers = await self.recipients.mail(recording.connection, readers)
            for reader, answer in answers.items():
                if isinstance(answer, Unreachable):
                    found.setdefault(answer.reason, []).append(reader.participant_id)
            last = rows[-1]["id"]
        return found

    async def _pages(self, recording: Recording, letters: Mapping[str, int]) -> int | None:
        """From a few letters of each language: their average, for as many as there are."""
        pages = 0.0
        for language, number in letters.items():
            rows = await recording.driver.fetch(_LETTERS, recording.campaign_id, language, _SAMPLES)
            try:
                drawn = self._drawn(recording, rows)
            except ConnectError:
                return None
            if not drawn.pieces:
                return None
            pages += number * drawn.pages / len(drawn.pieces)
        return round(pages) if letters else None

    def _drawn(self, recording: Recording, rows: Sequence[Any]) -> ComposedPart:
        day = pacific_date(recording.requested_at)
        drafts = [
            Draft(
                piece_id=f"survey-{row['id']}",
                notice=recording.notice,
                language=row["language"],
                facts=facts_from(recording.notice.key, row["facts"]),
                secret=None,
                address=SAMPLE_ADDRESS,
            )
            for row in rows
        ]
        letters = [draft_letter(self.renderer, draft, self.return_address, day) for draft in drafts]
        return compose_part(letters, batch_id="survey", document_date=day)


async def _numbers(
    driver: Any, ways: Sequence[Any], not_reached: Mapping[str, Sequence[int]]
) -> dict[int, str]:
    ids = {id_ for row in ways for id_ in row["some"]}
    ids |= {id_ for found in not_reached.values() for id_ in found[:_SAMPLES]}
    rows = await driver.fetch(_NUMBERS, list(ids))
    return {row["id"]: row["external_id"] for row in rows}
