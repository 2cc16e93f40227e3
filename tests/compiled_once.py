"""What the portal's templates were compiled to, for the next test's portal to draw by."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import CodeType

import pytest
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket

from engine.portal import layout
from engine.portal.compiling import OneLanguage

Lookup = Callable[[str], str]


class _Remembered(BytecodeCache):
    """Code by the words that were folded into it, and by its template as it stands."""

    def __init__(self) -> None:
        self._known: dict[tuple[Lookup, str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give what is known of a template."""
        bucket.code = self._known.get(_key(bucket))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Remember what a template was compiled to."""
        assert bucket.code is not None
        self._known[_key(bucket)] = bucket.code


def _key(bucket: Bucket) -> tuple[Lookup, str, str]:
    assert isinstance(bucket.environment, OneLanguage)
    return bucket.environment.translated, bucket.key, bucket.checksum


@contextmanager
def compiled_once() -> Iterator[None]:
    """Within it portals share what their templates were compiled to, each language by itself."""
    with pytest.MonkeyPatch.context() as patch:
        remembering = partial(OneLanguage, bytecode_cache=_Remembered())
        patch.setattr(layout, "OneLanguage", remembering)
        yield
