"""Where Redis or Valkey is: one server, or a primary that sentinels name."""

from dataclasses import dataclass, field
from typing import Final, Self
from urllib.parse import parse_qs, unquote, urlsplit

_ONE: Final = ("redis", "rediss", "unix")
_WATCHED: Final = ("redis+sentinel", "rediss+sentinel")
_SENTINEL_PORT: Final = 26379
_SENTINELS_OWN: Final = {"sentinel_username", "sentinel_password"}


def plain_scheme(url: str) -> str:
    """`url` with Redis's name for its scheme: Valkey speaks the same protocol under its own."""
    scheme, colon, rest = url.partition(":")
    if scheme.startswith("valkey"):
        scheme = scheme.replace("valkey", "redis", 1)
    return scheme + colon + rest


@dataclass(frozen=True, slots=True)
class Watched:
    """A primary that sentinels watch under the name `service`, and what to sign in with: to the
    servers they name, and to the sentinels themselves."""

    sentinels: tuple[tuple[str, int], ...]
    service: str
    database: int = 0
    tls: bool = False
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    sentinel_username: str | None = None
    sentinel_password: str | None = field(default=None, repr=False)

    @classmethod
    def from_url(cls, url: str) -> Self | None:
        """Read `redis+sentinel://user:password@host:26379,host:26379/service/0`; None for the URL
        of one server.

        `rediss+sentinel` is TLS to sentinels and servers alike; `?sentinel_password=` (and
        `sentinel_username`) is what the sentinels ask for. Raises ValueError, which shows nothing
        of the URL.
        """
        parts = urlsplit(plain_scheme(url))
        if parts.scheme not in _WATCHED:
            return None
        account, _, places = parts.netloc.rpartition("@")
        username, _, password = account.partition(":")
        service, _, database = parts.path.strip("/").partition("/")
        given = parse_qs(parts.query, keep_blank_values=True)
        if not service or (database and not database.isdigit()) or given.keys() - _SENTINELS_OWN:
            raise ValueError(
                "must read like redis+sentinel://user:password@host:26379,host:26379/service/0, "
                "with ?sentinel_password= where the sentinels ask for one"
            )
        own = {name: values[0] for name, values in given.items()}
        return cls(
            sentinels=tuple(_place(place) for place in places.split(",")),
            service=unquote(service),
            database=int(database or 0),
            tls=parts.scheme == "rediss+sentinel",
            username=unquote(username) or None,
            password=unquote(password) or None,
            sentinel_username=own.get("sentinel_username") or None,
            sentinel_password=own.get("sentinel_password") or None,
        )


def _place(written: str) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{written}")
        port = parts.port or _SENTINEL_PORT
    except ValueError:
        parts, port = urlsplit(""), 0
    if not parts.hostname or parts.path or parts.username:
        raise ValueError("must name each sentinel as host:port, by commas")
    return parts.hostname, port


def redis_fault(url: str) -> str | None:
    """Why no Redis can be reached at `url`, without showing it; None when one can."""
    try:
        if Watched.from_url(url) is not None:
            return None
        parts = urlsplit(plain_scheme(url))
    except ValueError as error:
        return str(error)
    if parts.scheme not in _ONE:
        schemes = " or ".join(f"{scheme}://" for scheme in (*_ONE, *_WATCHED))
        return f"must be a URL that begins with {schemes} (or valkey in place of redis)"
    try:
        parts.port  # noqa: B018  reading it is the check
    except ValueError:
        return "is not a URL: percent-encode what is special in a password"
    return None
