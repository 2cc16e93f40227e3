"""Where a door beside the portal's pages stands: everything under one path is its own."""

import re
from typing import Any

from starlette.routing import Mount


class WholeMount(Mount):
    """A mount that takes every address under its path. Starlette's takes one with a line break in
    it, `%0A`, for somebody else's, and the portal would answer a program with a page."""

    def __init__(self, path: str, **given: Any) -> None:
        super().__init__(path, **given)
        self.path_regex = re.compile(self.path_regex.pattern, re.DOTALL)
