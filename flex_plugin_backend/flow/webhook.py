"""The alert webhook: one signed POST for each begin and end of an alarm, as Standard Webhooks has it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Any

import httpx

from flex_plugin_backend.settings import AlertsSettings
from flex_plugin_backend.settings.tree import signing_key

# What the receiver says is of no use to us; this much of it is shown where it refuses.
_SHOWN_CHARS = 200


@dataclass(frozen=True, slots=True)
class Message:
    """One message; a repetition has the same id and body."""

    id: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class NotTaken:
    """Why a message was not taken, and how long the receiver asked to wait (seconds)."""

    problem: str
    retry_after_s: float | None = None


class Webhook:
    """Posts messages to one address; may be used by several threads."""

    def __init__(self, settings: AlertsSettings, transport: httpx.BaseTransport | None = None) -> None:
        """Set up; `settings.url` must be given. `transport` replaces the network."""
        if settings.url is None:
            raise ValueError("there is no address to post to")
        self._url = settings.url.get_secret_value()
        self._bearer = settings.bearer_token.get_secret_value() if settings.bearer_token else None
        self._key = signing_key(settings.signing_secret.get_secret_value()) if settings.signing_secret else None
        self._client = httpx.Client(timeout=settings.timeout_s, transport=transport, follow_redirects=False)

    def post(self, message: Message, now_ms: int) -> NotTaken | None:
        """Send it; None: it was taken (any 2xx)."""
        content = json.dumps(message.body, ensure_ascii=False).encode()
        try:
            answer = self._client.post(self._url, content=content, headers=self._headers(message.id, content, now_ms))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return NotTaken(f"{type(error).__name__}: the webhook could not be reached")
        if answer.is_success:
            return None
        return NotTaken(f"HTTP {answer.status_code} {answer.text[:_SHOWN_CHARS]}".strip(), _retry_after_s(answer))

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()

    def _headers(self, message_id: str, content: bytes, now_ms: int) -> dict[str, str]:
        at_s = str(now_ms // 1000)
        headers = {"Content-Type": "application/json", "webhook-id": message_id, "webhook-timestamp": at_s}
        if self._key is not None:
            signed = f"{message_id}.{at_s}.".encode() + content
            digest = hmac.new(self._key, signed, hashlib.sha256).digest()
            headers["webhook-signature"] = f"v1,{base64.b64encode(digest).decode()}"
        if self._bearer is not None:
            headers["Authorization"] = f"Bearer {self._bearer}"
        return headers


def _retry_after_s(answer: httpx.Response) -> float | None:
    """Seconds only; a date is left to our own pauses."""
    text = answer.headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdigit() else None
