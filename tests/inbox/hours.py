"""A clock that a test puts forward."""

from datetime import datetime, timedelta

from tests.portal.portal_server import MONDAY_NOON


class Hours:
    """Noon on a Monday, until it is put forward."""

    def __init__(self) -> None:
        self.now = MONDAY_NOON

    def __call__(self) -> datetime:
        """The hour it says."""
        return self.now

    def forward(self, **by: float) -> None:
        """Put it forward by days, hours or seconds."""
        self.now += timedelta(**by)
