"""Reads answers of the service: classification of failures, Retry-After, and the tolerant parsing of bodies."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from flex_plugin_backend.errors import ContractError
from flex_plugin_backend.wfm.contract import Profile
from flex_plugin_backend.wfm.dto import RejectedRow, WFMReportResponseDTO
from flex_plugin_backend.wfm.exceptions import FailureKind

_MAX_RAW = 4_000  # characters of a body that are kept
_MAX_TEXT = 1_000  # characters of a code, message or details
_MAX_RETRY_AFTER_S = 86_400.0
_HIDDEN = "[hidden]"

# The shapes that an error body may have, the one with a success in it first; each is a DTO of the profile.
_SHAPES = ("WFMReportResponseDTO", "ValidationError", "SpringError", "OAuthError")

_PASSING = frozenset({408, 425, 429})
# A proxy that wants a login, and a service that moved for good, are matters of set-up.
_SET_UP = frozenset({301, 308, 403, 407})


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer: `headers` in lower case, `text` with the secrets still in it, hence not in `repr`."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    text: str = field(repr=False)

    @property
    def ok(self) -> bool:
        """Any 2xx."""
        return 200 <= self.status < 300

    def json(self) -> Any:
        """The body as JSON; None when it is none."""
        try:
            return json.loads(self.text)
        except (ValueError, RecursionError):
            return None


def kind_of(status: int) -> FailureKind:
    """What a status outside 2xx asks for.

    A redirect is never followed: the access token would go to another host. 301 and 308 mean a wrong service URL and
    need a human; other redirects (a maintenance page, say) pass. An unknown status passes too: nothing is lost.
    """
    if status == 401:
        return FailureKind.UNAUTHORIZED
    if status in _SET_UP:
        return FailureKind.FORBIDDEN
    if 400 <= status < 500 and status not in _PASSING:
        return FailureKind.CONTENT
    return FailureKind.PASSING


def retry_after_s(headers: Mapping[str, str], now_s: float) -> float | None:
    """The wall seconds that `Retry-After` asks to wait, from seconds or an HTTP date; None when absent or senseless.

    A date is measured against the answer's own `Date`, so that a difference of clocks does not matter.
    """
    value = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,12}(\.\d{1,12})?", value, re.ASCII):
        return min(float(value), _MAX_RETRY_AFTER_S)
    until_s = _http_date_s(value)
    if until_s is None:
        return None
    sent_s = _http_date_s(headers.get("date", ""))
    return min(max(0.0, until_s - (now_s if sent_s is None else sent_s)), _MAX_RETRY_AFTER_S)


def _http_date_s(text: str) -> float | None:
    try:
        moment: datetime = parsedate_to_datetime(text)
        moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        return moment.timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def redact(value: Any, secrets: Iterable[str]) -> Any:
    """`value` (a text or parsed JSON) with every secret replaced."""
    known = sorted((secret for secret in secrets if secret), key=len, reverse=True)
    return _redact(value, known)


def _redact(value: Any, secrets: list[str]) -> Any:
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, _HIDDEN)
        return value
    if isinstance(value, list):
        return [_redact(item, secrets) for item in value]
    if isinstance(value, dict):
        return {_redact(key, secrets): _redact(item, secrets) for key, item in value.items()}
    return value


def read_response(
    profile: Profile, answer: Answer, secrets: Iterable[str], rows: int | None = None
) -> WFMReportResponseDTO:
    """The answer as a DTO, whatever it holds; never fails.

    `rows` is the number of rows sent: a rejected row with a position outside of it counts as unplaced.
    """
    secrets = tuple(secrets)
    body = redact(answer.json(), secrets)
    plain = _merged(profile, body)
    rejected, unplaced = _rejected(plain.get("rejected"), rows)
    header = answer.headers.get(profile.message_header.lower())
    return WFMReportResponseDTO(
        status=answer.status,
        raw=redact(answer.text, secrets)[:_MAX_RAW],
        body=body,
        code=_text(plain.get("code")),
        message=_text(plain.get("message")) or _text(redact(header, secrets)),
        details=_text(plain.get("details")) or _text(plain.get("errors")),
        accepted=_count(plain.get("accepted")),
        rejected=rejected,
        unplaced_rejections=unplaced,
    )


def _merged(profile: Profile, body: Any) -> dict[str, Any]:
    """What the known shapes find in the body; of two that find the same, the earlier wins."""
    plain: dict[str, Any] = {}
    if not isinstance(body, dict):
        return plain
    for shape in _SHAPES:
        try:
            found = profile.decode(shape, body)
        except ContractError:  # a field of this shape holds something else here; the other shapes may still fit
            continue
        for name, value in found.items():
            if value is not None:
                plain.setdefault(name, value)
    return plain


def _rejected(value: Any, rows: int | None) -> tuple[tuple[RejectedRow, ...], int]:
    placed: dict[int, RejectedRow] = {}
    unplaced = 0
    for item in value if isinstance(value, list) else ():
        index = _count(item.get("index"))
        if index is None or (rows is not None and index >= rows):
            unplaced += 1
        else:
            placed[index] = RejectedRow(index=index, code=_text(item.get("code")), message=_text(item.get("message")))
    return tuple(placed[index] for index in sorted(placed)), unplaced


def _count(value: Any) -> int | None:
    if isinstance(value, str) and re.fullmatch(r"\d{1,9}", value, re.ASCII):
        return int(value)
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _text(value: Any) -> str | None:
    if value is None or value == "":
        return None
    return (value if isinstance(value, str) else json.dumps(value, default=str))[:_MAX_TEXT]
