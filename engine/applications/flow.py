"""Which pages an application has by what was answered so far, and in which order.

A page that is asked of each child, or of each of two parents, has a number in its slot:
`child-name.2`. What was answered on a page that is no longer asked is not part of the application.
"""

import re
from dataclasses import dataclass
from typing import Final

from engine.applications.questions import PAGES, Each, Page, Told

CHILDREN_MOST: Final = 12
CHILDREN: Final = "children"
"""The slot of the page that asks whether there is another child."""
_FIRST_OF_CHILD: Final = "child-name"
_SLOT: Final = re.compile(rf"{_FIRST_OF_CHILD}\.([1-9][0-9]?)")


@dataclass(frozen=True, slots=True)
class Step:
    """A page in its place; `number` is the child's or the parent's."""

    page: Page
    number: int | None = None

    @property
    def slot(self) -> str:
        """What its answers are kept under, and the end of its address."""
        return self.page.key if self.number is None else f"{self.page.key}.{self.number}"


def children(told: Told) -> list[int]:
    """The numbers of the children that were begun; others may have been removed."""
    found = (_SLOT.fullmatch(slot) for slot in told.answers)
    return sorted(int(match[1]) for match in found if match)


def next_child(told: Told) -> int | None:
    """The number of another child; None where there are as many as one application holds."""
    known = children(told)
    if len(known) >= CHILDREN_MOST:
        return None
    return max(known, default=0) + 1


def parents(told: Told) -> list[int]:
    """Whoever is no parent tells of two."""
    return [1, 2] if told.said("relation", "relation") == "guardian" else [1]


def steps(told: Told) -> list[Step]:
    """Every page there is, in order: all of one child before the next one's."""
    found: list[Step] = []
    for run in _runs():
        each = run[0].each
        for number in _numbers(each, told):
            found += [Step(page, number) for page in run if page.when(told)]
    return found


def step_at(told: Told, slot: str) -> Step | None:
    """The page of a slot, where there is one; a child's first page may be the next child's."""
    known = {step.slot: step for step in steps(told)}
    if slot not in known and (number := next_child(told)) is not None:
        first = next(page for page in PAGES if page.key == _FIRST_OF_CHILD)
        new = Step(first, number)
        return new if new.slot == slot else None
    return known.get(slot)


def first_open(told: Told) -> str | None:
    """The slot of the first page without an answer; None where everything is answered."""
    asked = [step.slot for step in steps(told)]
    after = max((n for n, slot in enumerate(asked) if slot.startswith("child-")), default=-1)
    asked.insert(after + 1, CHILDREN)
    return next((slot for slot in asked if slot not in told.answers), None)


def after(told: Told, step: Step) -> str | None:
    """The slot of the page that comes after `step`; None after the last one."""
    asked = steps(told)
    slots = [each.slot for each in asked]
    if step.slot not in slots:
        return first_open(told)
    place = slots.index(step.slot)
    following = asked[place + 1] if place + 1 < len(asked) else None
    last_of_child = step.page.each == "child" and (
        following is None or following.number != step.number or following.page.each != "child"
    )
    if last_of_child:
        return CHILDREN
    return following.slot if following else None


def _runs() -> list[list[Page]]:
    """Pages in order, those that are asked of the same person together."""
    runs: list[list[Page]] = []
    for page in PAGES:
        if page.each and runs and runs[-1][0].each == page.each:
            runs[-1].append(page)
        else:
            runs.append([page])
    return runs


def _numbers(each: Each | None, told: Told) -> list[int] | list[None]:
    if each == "child":
        return children(told) or [1]
    return parents(told) if each == "parent" else [None]
