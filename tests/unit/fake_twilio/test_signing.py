"""The simulator's signatures are Twilio's: the official validator accepts them, and only them."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import pytest
from twilio.request_validator import HMAC_SHA256, RequestValidator

from simulator.clock import VirtualClock
from simulator.twilio.emitter import CallbackEmitter, EmitterSettings
from simulator.twilio.show import Show
from simulator.twilio.signing import SETTINGS_HEADER, SIGNATURE_HEADER, SigningKey, body_hash, signature

_URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
_CALL = {
    "CallSid": "CA1234567890ABCDE",
    "Digits": "1234",
    "From": "+14158675309",
    "To": "+18005551212",
    "Caller": "+14158675309",
}
_TOKEN = "0123456789abcdef0123456789abcdef"
_ACTIVITY = {
    "AccountSid": "AC00000000000000000000000000000001",
    "EventDescription": "Worker alice updated to Break Activity",
    "EventType": "worker.activity.update",
    "OperatingUnitSid": "",
    "ResourceSid": "WK00000000000000000000000000000001",
    "ResourceType": "worker",
    "Sid": "EV00000000000000000000000000000001",
    "Timestamp": "1767607245",
    "TimestampMs": "1767607245123",
    "WorkerActivityName": "Break",
    "WorkerActivitySid": "WA00000000000000000000000000000003",
    "WorkerAttributes": '{"full_name":"Zoë Ünal","email":"zoe@example.com","contact_uri":"client:zoe"}',
    "WorkerName": "zoe@example.com",
    "WorkerPreviousActivityName": "Available",
    "WorkerPreviousActivitySid": "WA00000000000000000000000000000002",
    "WorkerSid": "WK00000000000000000000000000000001",
    "WorkerTimeInPreviousActivity": "845",
    "WorkerTimeInPreviousActivityMs": "845412",
    "WorkerVersion": "17",
    "WorkspaceName": "Flex Task Assignment",
    "WorkspaceSid": "WS00000000000000000000000000000001",
}
_JSON_URL = _URL + "&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
_JSON_BODY = '{"property": "value", "boolean": true}'
_STREAM_BODY = (
    '[{"specversion":"1.0","type":"com.twilio.taskrouter.worker.activity.update",'
    '"id":"EZ00000000000000000000000000000001"}]'
)
_STREAM_URL = (
    "https://connector.example.com/twilio/stream"
    "?bodySHA256=dc2813d7ab8c5e08609e1d80121668c71ad6380696af76e05726688084a02b99"
)


@pytest.mark.parametrize(
    ("token", "url", "body", "expected"),
    [
        ("12345", _URL, _CALL, "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
        ("12345", _JSON_URL, _JSON_BODY, "a9nBmqA0ju/hNViExpshrM61xv4="),
        (_TOKEN, "https://connector.example.com/twilio/events?tenant=acme", _ACTIVITY, "XX1HDflf1HUDOh2PTmWtU+dTO50="),
        (_TOKEN, _STREAM_URL, _STREAM_BODY, "u67fXKXYTdwMV/0VfULApSKIjSQ="),
    ],
)
def test_golden_vectors(token: str, url: str, body: Any, expected: str) -> None:
    """The four golden vectors come out of our signer and pass the official validator."""
    assert signature(token, url, body if isinstance(body, dict) else None) == expected
    if isinstance(body, str):
        assert f"bodySHA256={body_hash(body.encode())}" in url
    assert RequestValidator(token).validate(url, body, expected)


def test_shared_keys_sign_with_sha256() -> None:
    """With a SharedKey the signature is HMAC-SHA256 and a header says so."""
    expected = "033hgUJA9M/hXIZsYjwkerEP/DBm35nEri5FhCYjA5s="
    headers = SigningKey("12345", "SHARED1").headers(_URL, _CALL)
    assert headers == {SIGNATURE_HEADER: expected, SETTINGS_HEADER: "key=SHARED1,algorithm=HMAC_SHA256"}
    assert RequestValidator("12345").validate(_URL, _CALL, expected, HMAC_SHA256)


def test_repeated_values_are_signed_once_each_in_order() -> None:
    """Several values under one name are made unique and sorted."""
    url = "https://a.example/x"
    assert signature("t", url, {"A": ["2", "1", "2"], "B": "3"}) == signature("t", url + "A1A2B3", None)


def test_keys_do_not_show_their_secret() -> None:
    """The representation of a key holds no secret."""
    assert "topsecret" not in repr(SigningKey("topsecret", "id"))


@pytest.fixture(scope="module")
def requests(show: Show) -> list[tuple[str, dict[str, str], dict[str, str]]]:
    """Every callback of the floor's last minutes as it would be sent: URL, parameters, headers."""
    account = show.account
    url = "https://connector.example.com:8443/twilio/events?tenant=acme#rc=2&rp=5xx"
    emitter = CallbackEmitter(
        EmitterSettings(
            callback_url=url,
            account_sid=account.account_sid,
            workspace_sid=account.workspace_sid,
            workspace_name=account.workspace_name,
            key=SigningKey(account.auth_token),
        ),
        VirtualClock(0, 0, 1),
    )
    with show.service.present() as (world, now_ms):
        events = world.log.between(now_ms - 600_000, now_ms)
    sent = []
    for event in events:
        body, headers = emitter.form.render(event)
        assert headers["Content-Type"] == "application/x-www-form-urlencoded"
        parameters = dict(parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True))
        sent.append((url.partition("#")[0], parameters, headers))
    return sent


def test_the_official_validator_accepts_every_callback(
    show: Show, requests: list[tuple[str, dict[str, str], dict[str, str]]]
) -> None:
    """Each emitted request is valid for the URL without its fragment."""
    validator = RequestValidator(show.account.auth_token)
    assert len(requests) > 500
    assert any(not value.isascii() for _, parameters, _ in requests for value in parameters.values())
    for url, parameters, headers in requests:
        assert validator.validate(url, parameters, headers["X-Twilio-Signature"])


def test_the_official_validator_refuses_what_was_tampered_with(
    show: Show, requests: list[tuple[str, dict[str, str], dict[str, str]]]
) -> None:
    """A changed or added parameter, another URL and another token are all refused."""
    validator = RequestValidator(show.account.auth_token)
    for url, parameters, headers in requests[:200]:
        mark = headers["X-Twilio-Signature"]
        assert not validator.validate(url, {**parameters, "TimestampMs": "1"}, mark)
        assert not validator.validate(url, {**parameters, "Extra": "1"}, mark)
        assert not validator.validate(url.replace("acme", "other"), parameters, mark)
        assert not RequestValidator("another token").validate(url, parameters, mark)
