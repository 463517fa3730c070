"""One event as the signed form that Twilio posts."""

from __future__ import annotations

import uuid
from typing import Protocol
from urllib.parse import urlencode

from simulator.twilio.signing import SigningKey
from simulator.twilio.target import CallbackTarget
from simulator.world.events import Event, callback_parameters


class Sender(Protocol):
    """For whom callbacks are signed."""

    @property
    def account_sid(self) -> str: ...
    @property
    def workspace_sid(self) -> str: ...
    @property
    def workspace_name(self) -> str: ...
    @property
    def key(self) -> SigningKey: ...


class CallbackForm:
    """Renders callbacks to one target."""

    def __init__(self, target: CallbackTarget, sender: Sender) -> None:
        self._target = target
        self._sender = sender

    def render(self, event: Event) -> tuple[bytes, dict[str, str]]:
        """Body and headers of an event's callback (Twilio reference 1.2, 1.3 and 1.5)."""
        sender = self._sender
        parameters = callback_parameters(
            event,
            account_sid=sender.account_sid,
            workspace_sid=sender.workspace_sid,
            workspace_name=sender.workspace_name,
        )
        headers = {
            "Host": self._target.host_header,
            "Content-Type": "application/x-www-form-urlencoded",
            "User-Agent": "TwilioProxy/1.1",
            "Accept": "*/*",
            "Accept-Encoding": "gzip",
            # Every attempt at one event carries the same token.
            "I-Twilio-Idempotency-Token": str(uuid.uuid5(uuid.NAMESPACE_OID, event.sid)),
            **sender.key.headers(self._target.signed_url, parameters),
        }
        return urlencode(parameters).encode(), headers
