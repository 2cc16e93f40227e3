"""The pages that ask: one thing on each, saved as its reader goes on."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from starlette.exceptions import HTTPException
from starlette.responses import Response

from engine.applications.asking import Fault, read_answers
from engine.applications.drafts import Draft, Saved
from engine.applications.flow import (
    CHILDREN,
    CHILDREN_MOST,
    Step,
    after,
    children,
    first_open,
    next_child,
    parents,
    step_at,
)
from engine.applications.questions import Told
from engine.clock import pacific_date
from engine.portal.apply.applications import (
    APPLICATION,
    SAVES_RATE,
    draft_in,
    draft_of,
    page_path,
    path_to,
)
from engine.portal.apply.beginning import HOME
from engine.portal.pages.messages import number
from engine.portal.places import ForApplicants, Place
from engine.portal.visit import Visit

_FORM: Final = ("GET", "POST")
_VERSION_MOST: Final = 2**31 - 1
_FROM_REVIEW: Final = "review"


@dataclass(frozen=True, slots=True)
class _Shown:
    """What a page is drawn with: what is in its fields, and which save of it that is."""

    typed: Mapping[str, str]
    version: int
    faults: Mapping[str, Fault] = field(default_factory=dict)
    elsewhere: Saved | None = None
    """What another device saved meanwhile."""


class QuestionPages:
    """Every page of `engine.applications.questions`, and the one that asks for another child."""

    @property
    def places(self) -> Iterator[Place]:
        """Where they are."""
        yield ForApplicants(f"{APPLICATION}/page/{{slot}}", self.page, _FORM)
        yield ForApplicants(f"{APPLICATION}/children", self.children, _FORM)
        yield ForApplicants(f"{APPLICATION}/children/{{number}}/remove", self.remove, _FORM)

    async def page(self, visit: Visit) -> Response:
        """One page; or what was typed on it, which is kept."""
        draft = await draft_of(visit)
        step = step_at(draft.told, visit.request.path_params["slot"])
        if step is None:
            raise HTTPException(404)
        if visit.posted:
            return await self._posted(visit, draft, step)
        saved = draft.pages.get(step.slot)
        values = saved.values if saved else {}
        typed = {
            name: text
            for question in step.page.questions
            for name, text in question.typed(values.get(question.key)).items()
        }
        return _drawn(visit, draft, step, _Shown(typed, saved.version if saved else 0))

    async def _posted(self, visit: Visit, draft: Draft, step: Step) -> Response:
        await visit.count("application.saves", str(visit.participant_id), rate=SAVES_RATE)
        names = [name for question in step.page.questions for name in question.fields]
        typed = {name: visit.fields.get(name, "") for name in names}
        today = pacific_date(visit.application.clock())
        read = read_answers(step.page.questions, typed, today, step.page.together)
        version = _version(visit)
        if read.faults:
            shown = {name: text if _showable(text) else "" for name, text in typed.items()}
            return _drawn(visit, draft, step, _Shown(shown, version, read.faults), 422)
        async with visit.act("application.saved", draft=draft.id, page=step.slot) as doing:
            live = await draft_in(visit, doing.connection)
            kept = await visit.application.drafts.save(
                doing.connection, live, step.slot, read.values, version
            )
            doing.unchanged = not kept
        if not kept:
            current = (await draft_of(visit)).pages.get(step.slot)
            return _drawn(
                visit,
                draft,
                step,
                _Shown(typed, current.version if current else 0, elsewhere=current),
                409,
            )
        return visit.to(await _onward(visit, step))

    async def children(self, visit: Visit) -> Response:
        """The children so far, and whether there is another one."""
        draft = await draft_of(visit)
        told = draft.told
        if not visit.posted:
            return _children(visit, draft, {})
        await visit.count("application.saves", str(visit.participant_id), rate=SAVES_RATE)
        more, another = visit.fields.get("more"), next_child(told)
        if more == "yes" and another is not None:
            return visit.to(page_path(draft.id, f"child-name.{another}"))
        if more != "no" or not children(told):
            return _children(visit, draft, {"more": "choose"}, 422)
        saved = draft.pages.get(CHILDREN)
        async with visit.act("application.saved", draft=draft.id, page=CHILDREN) as doing:
            live = await draft_in(visit, doing.connection)
            await visit.application.drafts.save(
                doing.connection, live, CHILDREN, {"more": "no"}, saved.version if saved else 0
            )
        if _origin(visit) == _FROM_REVIEW:
            return visit.to(_back(await draft_of(visit)))
        return visit.to(page_path(draft.id, "other-name.1"))

    async def remove(self, visit: Visit) -> Response:
        """Take a child out of the application again."""
        draft = await draft_of(visit)
        child = number(visit.request.path_params["number"], 99)
        if child is None or child not in children(draft.told):
            raise HTTPException(404)
        if not visit.posted:
            return visit.page(
                "apply/remove_child.html",
                nav="applications",
                draft=draft,
                number=child,
                name=_name_of(draft, child),
            )
        async with visit.act("application.child_removed", draft=draft.id) as doing:
            live = await draft_in(visit, doing.connection)
            await visit.application.drafts.forget_child(doing.connection, live, child)
        return visit.to(path_to(draft.id, CHILDREN))


def _drawn(visit: Visit, draft: Draft, step: Step, shown: _Shown, status: int = 200) -> Response:
    values = shown.elsewhere.values if shown.elsewhere else {}
    return visit.page(
        "apply/question.html",
        status,
        nav="applications",
        draft=draft,
        step=step,
        page=step.page,
        typed=shown.typed,
        version=shown.version,
        faults={key: str(fault) for key, fault in shown.faults.items()},
        elsewhere=shown.elsewhere,
        elsewhere_values=values,
        origin=_FROM_REVIEW if _origin(visit) == _FROM_REVIEW else "",
        several=_several(draft.told, step),
    )


def _children(visit: Visit, draft: Draft, faults: Mapping[str, str], status: int = 200) -> Response:
    known = children(draft.told)
    return visit.page(
        "apply/children.html",
        status,
        nav="applications",
        draft=draft,
        children=[(child, _name_of(draft, child)) for child in known],
        full=len(known) >= CHILDREN_MOST,
        faults=faults,
        origin=_FROM_REVIEW if _origin(visit) == _FROM_REVIEW else "",
    )


async def _onward(visit: Visit, step: Step) -> str:
    """Where a page that was saved leads: home, back to the review, or on."""
    if visit.fields.get("later") == "yes":
        return HOME
    draft = await draft_of(visit)
    if _origin(visit) == _FROM_REVIEW:
        return _back(draft)
    return page_path(draft.id, after(draft.told, step))


def _back(draft: Draft) -> str:
    """From a change to the review again; by the pages that it has made necessary."""
    slot = first_open(draft.told)
    return f"{page_path(draft.id, slot)}?from=review" if slot else path_to(draft.id, "review")


def _origin(visit: Visit) -> str:
    return visit.fields.get("from", "") if visit.posted else visit.query("from")


def _name_of(draft: Draft, child: int) -> str:
    values = draft.told.answers.get(f"child-name.{child}", {})
    return " ".join(str(values[key]) for key in ("first_name", "last_name") if key in values)


def _several(told: Told, step: Step) -> bool:
    """Whether a page's number is worth saying."""
    if step.page.each == "child":
        return len(children(told)) > 1 or (step.number or 1) > 1
    return step.page.each == "parent" and len(parents(told)) > 1


def _version(visit: Visit) -> int:
    typed = visit.fields.get("version", "0")
    return 0 if typed == "0" else number(typed, _VERSION_MOST) or 0


def _showable(text: str) -> bool:
    """What cannot be read cannot be shown again either."""
    return text.isprintable() or not any(ord(mark) < 32 and mark not in "\r\n\t" for mark in text)
