"""The alert webhook's requests: signed as Standard Webhooks has it, or with a bearer token; only 2xx is taken."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import httpx
import pytest

from flex_plugin_backend.errors import SettingsError
from flex_plugin_backend.flow.webhook import Message, NotTaken, Webhook
from flex_plugin_backend.settings import load_settings

URL = "https://alerts.example.com/hooks/T0K3N-in-the-path?room=1"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE = Message("acme.feed-silent.1614265330000.begin", {"type": "alarm.begin", "text": "Zoë"})
NOW_MS = 1_614_265_330_123
TENANT = {
    "twilio": {"account_sid": "AC1", "workspace_sid": "WS1", "auth_token": "t"},
    "wfm": {"service_url": "https://wfm.example.com", "access_key": "k", "secret_key": "s"},
}


class Receiver:
    """Answers by script and keeps the requests."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if self.answers else httpx.Response(204)
        if isinstance(answer, Exception):
            raise answer
        return answer


def webhook(receiver: Receiver, **alerts: Any) -> Webhook:
    settings = load_settings({"alerts": {"url": URL, **alerts}, "tenants": {"acme": TENANT}}, environ={})
    return Webhook(settings.alerts, httpx.MockTransport(receiver))


def test_a_message_is_signed_so_that_any_standard_webhooks_library_accepts_it() -> None:
    """v1: HMAC-SHA256 of id, time in seconds and the very bytes of the body, with the key inside whsec_."""
    receiver = Receiver()
    assert webhook(receiver, signing_secret=SECRET).post(MESSAGE, NOW_MS) is None
    request = receiver.requests[0]
    assert str(request.url) == URL
    signed = f"{MESSAGE.id}.1614265330.".encode() + request.content
    digest = hmac.new(base64.b64decode(SECRET.removeprefix("whsec_")), signed, hashlib.sha256).digest()
    assert request.headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"
    assert (request.headers["webhook-id"], request.headers["webhook-timestamp"]) == (MESSAGE.id, "1614265330")
    assert json.loads(request.content) == MESSAGE.body


def test_a_bearer_token_is_sent_as_one_and_without_secrets_there_is_no_signature() -> None:
    """Each of the two is optional."""
    receiver = Receiver()
    webhook(receiver, bearer_token="b34r3r").post(MESSAGE, NOW_MS)
    webhook(receiver).post(MESSAGE, NOW_MS)
    assert receiver.requests[0].headers["Authorization"] == "Bearer b34r3r"
    assert "webhook-signature" not in receiver.requests[0].headers
    assert "Authorization" not in receiver.requests[1].headers


@pytest.mark.parametrize(
    ("answer", "problem", "retry_after_s"),
    [
        (httpx.Response(503, headers={"Retry-After": "120"}, text="busy"), "HTTP 503 busy", 120.0),
        (httpx.Response(429, headers={"Retry-After": "Fri, 01 Jan 2027 00:00:00 GMT"}), "HTTP 429", None),
        (httpx.Response(302, headers={"Location": "https://elsewhere.example.com"}), "HTTP 302", None),
        (httpx.Response(401, text="x" * 5000), "HTTP 401 " + "x" * 200, None),
        (httpx.ConnectTimeout("t"), "ConnectTimeout: the webhook could not be reached", None),
    ],
)
def test_anything_but_2xx_is_not_taken(answer: Any, problem: str, retry_after_s: float | None) -> None:
    """Also a redirect: a signed message goes to its receiver alone. The address, a secret, is not repeated."""
    receiver = Receiver(answer)
    assert webhook(receiver).post(MESSAGE, NOW_MS) == NotTaken(problem, retry_after_s)
    assert len(receiver.requests) == 1


@pytest.mark.parametrize(
    ("alerts", "words"),
    [
        ({"url": "alerts.example.com"}, "alerts.url.*not an address"),
        ({"url": URL, "signing_secret": "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}, "alerts.signing_secret.*whsec_"),
        ({"url": URL, "signing_secret": "whsec_c2hvcnQ="}, "at least 24 bytes"),
        ({"url": URL, "signing_secret": "whsec_not base64!"}, "whsec_"),
        ({"bearer_token": "b"}, "alerts.url.*is missing"),
    ],
)
def test_wrong_settings_are_named_before_anything_starts(alerts: dict[str, str], words: str) -> None:
    """With the repair, and without the secret."""
    with pytest.raises(SettingsError, match=words) as caught:
        load_settings({"alerts": alerts, "tenants": {"acme": TENANT}}, environ={})
    assert "MfKQ9r8" not in str(caught.value)


def test_the_address_can_come_from_a_variable_and_is_never_shown() -> None:
    """It is a secret like the others."""
    settings = load_settings({"alerts": {"url_env": "HOOK"}, "tenants": {"acme": TENANT}}, environ={"HOOK": URL})
    assert settings.alerts.url is not None
    assert settings.alerts.url.get_secret_value() == URL
    assert "T0K3N" not in repr(settings)
    assert URL in settings.secrets()
