"""Where callbacks go and how patiently: the callback URL and the connection overrides in its fragment."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit, urlunsplit


@dataclass(frozen=True, slots=True)
class Overrides:
    """Connection overrides (Twilio reference 1.6); times in milliseconds."""

    connect_ms: int = 5000
    read_ms: int = 15000
    total_ms: int = 15000
    retries: int = 1
    retry_on: frozenset[str] = frozenset({"ct"})

    def retries_after(self, failure: str) -> bool:
        """Whether this kind of failure (`ct`, `rt`, `4xx`, `5xx`) is tried again."""
        return failure in self.retry_on or "all" in self.retry_on


@dataclass(frozen=True, slots=True)
class CallbackTarget:
    """A parsed callback URL; `signed_url` is what Twilio requests and signs."""

    signed_url: str
    secure: bool
    host: str
    port: int
    request_target: str
    host_header: str
    overrides: Overrides

    @classmethod
    def parse(cls, url: str) -> CallbackTarget:
        """Take the URL apart; raises ValueError if nothing can be sent there.

        The fragment is neither sent nor signed. User and password are left out of both as well (assumed: whether
        Twilio signs them is open, reference 11).
        """
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("a callback URL starts with http:// or https:// and names a host")
        host_header = parts.netloc.rpartition("@")[2]
        path = parts.path or "/"
        return cls(
            signed_url=urlunsplit((parts.scheme, host_header, parts.path, parts.query, "")),
            secure=parts.scheme == "https",
            host=parts.hostname,
            port=parts.port or (443 if parts.scheme == "https" else 80),
            request_target=f"{path}?{parts.query}" if parts.query else path,
            host_header=host_header,
            overrides=_overrides(parts.fragment),
        )


def _overrides(fragment: str) -> Overrides:
    given = dict(parse_qsl(fragment))
    kinds = [kind.strip() for kind in given.get("rp", "ct").split(",")]
    unknown = set(kinds) - {"4xx", "5xx", "ct", "rt", "all"}
    if unknown:
        raise ValueError(f"unknown retry policy {', '.join(sorted(unknown))} in the callback URL")
    return Overrides(
        connect_ms=_number(given, "ct", 5000, 100, 10_000),
        read_ms=_number(given, "rt", 15_000, 100, 15_000),
        total_ms=_number(given, "tt", 15_000, 100, 15_000),
        retries=_number(given, "rc", 1, 0, 5),
        retry_on=frozenset(kinds),
    )


def _number(given: dict[str, str], name: str, default: int, low: int, high: int) -> int:
    text = given.get(name, str(default))
    value = int(text) if text.isascii() and text.isdigit() else -1
    if not low <= value <= high:
        raise ValueError(f"{name} in the callback URL must lie between {low} and {high}")
    return value
