"""Rules for login, refresh, heartbeat and answers."""

from __future__ import annotations

from collections.abc import Iterator

from flex_plugin_backend.wfm.contract.findings import Severity
from flex_plugin_backend.wfm.contract.payload import Payload
from flex_plugin_backend.wfm.contract.rules.record import Found, rule

_LOGIN = frozenset({"AccessTokenRequest", "AccessKeyTokenRequest"})
_GRANTS = frozenset({"AccessTokenResponse", "RefreshTokenResponse"})
_ANSWERS = frozenset({"WFMReportResponseDTO"})
_LONGEST_LIFE_S = 30 * 86_400


@rule(
    "M58",
    "a key holds no space",
    "A space or line break that was copied along makes a right key wrong, and nobody sees it.",
    _LOGIN,
)
def clean_keys(payload: Payload) -> Iterator[Found]:
    for row in payload.rows("AccessKeyTokenRequest"):
        for name in ("access_key", "secret_key"):
            value = row.text(name)
            if value and any(letter.isspace() for letter in value):
                # The value is not repeated: it is a secret.
                yield Found(row.pointer_of(name), "holds a space", "no space", "Copy the key again.")


@rule("M59", "key and secret are two things", "The id in both places is a login that never works.", _LOGIN)
def two_keys(payload: Payload) -> Iterator[Found]:
    for row in payload.rows("AccessKeyTokenRequest"):
        key, secret = row.text("access_key"), row.text("secret_key")
        if key and key == secret:
            repair = "Enter the secret that CXone showed with the key."
            yield Found(row.pointer_of("secret_key"), "is the same as the id", "the secret", repair)


@rule(
    "M60",
    "a token lives for some time",
    "A life of nothing makes every call a login; a life of years is one in milliseconds.",
    _GRANTS,
    Severity.WARNING,
)
def token_life(payload: Payload) -> Iterator[Found]:
    for name in ("expires_in_s", "refresh_expires_in_s"):
        life_s = payload.root.number(name)
        if life_s is not None and not 0 < life_s <= _LONGEST_LIFE_S:
            yield Found(payload.root.pointer_of(name), f"{life_s} s", "seconds from 1 to 30 days", "Send seconds.")


@rule(
    "M61",
    "a heartbeat tells the present",
    "A heartbeat with an old time is a copy, one with a future time a clock that is off.",
    frozenset({"Heartbeat"}),
    Severity.WARNING,
)
def heartbeat_is_now(payload: Payload) -> Iterator[Found]:
    sent_ms = payload.root.time_ms("sent_ms")
    if payload.now_ms is None or sent_ms is None:
        return
    off_s = (sent_ms - payload.now_ms) // 1000
    if abs(off_s) > payload.profile.limits.clock_skew_s:
        message = f"{payload.root.raw('sent_ms')} is {off_s:+d} s from now"
        yield Found(payload.root.pointer_of("sent_ms"), message, "the present", "Set the sender's clock.")


@rule("M62", "a rejected row is named once", "The same position twice hides which other row was meant.", _ANSWERS)
def rejected_once(payload: Payload) -> Iterator[Found]:
    seen: dict[object, str] = {}
    for row in payload.rows("RejectedRow"):
        index = row.number("index")
        if index is None:
            continue
        first = seen.setdefault(index, row.pointer)
        if first != row.pointer:
            yield Found(row.pointer_of("index"), f"{index}, as at {first}", "each row once", "Name every row once.")
