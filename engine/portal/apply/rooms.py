"""Every page of the application site."""

from collections.abc import Iterator

from engine.portal.apply.beginning import BeginningPages
from engine.portal.apply.documents import DocumentsPages
from engine.portal.apply.home import ApplyHomePages
from engine.portal.apply.passwords import PasswordPages
from engine.portal.apply.questions import QuestionPages
from engine.portal.apply.register import RegisterPages
from engine.portal.apply.reviewing import ReviewingPages
from engine.portal.apply.sign_in import ApplySignInPages
from engine.portal.places import Place


def apply_places() -> Iterator[Place]:
    """Where they are, and who may come to them."""
    rooms = (
        ApplySignInPages(),
        RegisterPages(),
        PasswordPages(),
        ApplyHomePages(),
        BeginningPages(),
        QuestionPages(),
        DocumentsPages(),
        ReviewingPages(),
    )
    for room in rooms:
        yield from room.places
