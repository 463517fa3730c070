"""One event as the signed form that Twilio posts."""

from __future__ import annotations

import uuid
from typing import Protocol
from urllib.parse import urlencode

from simulator.faults.letter import Letter
from simulator.twilio.signing import SIGNATURE_HEADER, SigningKey
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
        return self._signed(event.sid, self._parameters(event))

    def render_letter(self, letter: Letter) -> tuple[bytes, dict[str, str]]:
        """Body and headers of a callback with all that is wrong with it."""
        if letter.is_plain:
            return self.render(letter.event)
        parameters = letter.applied_to(self._parameters(letter.event))
        body, headers = self._signed(parameters.get("Sid", letter.event.sid), parameters)
        if letter.signing != "right":
            signature = headers.pop(SIGNATURE_HEADER)
            if letter.signing == "wrong":
                headers[SIGNATURE_HEADER] = signature[::-1]
        return body, headers

    def _parameters(self, event: Event) -> dict[str, str]:
        sender = self._sender
        return callback_parameters(
            event,
            account_sid=sender.account_sid,
            workspace_sid=sender.workspace_sid,
            workspace_name=sender.workspace_name,
        )

    def _signed(self, sid: str, parameters: dict[str, str]) -> tuple[bytes, dict[str, str]]:
        headers = {
            "Host": self._target.host_header,
            "Content-Type": "application/x-www-form-urlencoded",
            "User-Agent": "TwilioProxy/1.1",
            "Accept": "*/*",
            "Accept-Encoding": "gzip",
            # Every attempt at one event carries the same token.
            "I-Twilio-Idempotency-Token": str(uuid.uuid5(uuid.NAMESPACE_OID, sid)),
            **self._sender.key.headers(self._target.signed_url, parameters),
        }
        return urlencode(parameters).encode(), headers
