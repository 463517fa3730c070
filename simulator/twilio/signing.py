"""Twilio's request signature, made here without Twilio's code, so that the connector's check is a real one."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

SIGNATURE_HEADER = "X-Twilio-Signature"
SETTINGS_HEADER = "X-Twilio-Webhooks-Signature-Settings"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The Auth Token (HMAC-SHA1) or, if it has an id, a SharedKey (HMAC-SHA256)."""

    secret: str = field(repr=False)
    shared_key_id: str = ""

    def headers(self, url: str, parameters: Mapping[str, str | Sequence[str]]) -> dict[str, str]:
        """The headers that sign a form POST to `url`."""
        headers = {SIGNATURE_HEADER: signature(self.secret, url, parameters, sha256=bool(self.shared_key_id))}
        if self.shared_key_id:
            headers[SETTINGS_HEADER] = f"key={self.shared_key_id},algorithm=HMAC_SHA256"
        return headers


def signature(
    secret: str, url: str, parameters: Mapping[str, str | Sequence[str]] | None = None, *, sha256: bool = False
) -> str:
    """The signature over the full URL and the sorted parameters (Twilio reference 1.5).

    A JSON body has no parameters; it is covered through `bodySHA256` in the URL.
    """
    text = [url]
    for name in sorted(parameters or {}):
        value = (parameters or {})[name]
        for one in [value] if isinstance(value, str) else sorted(set(value)):
            text += (name, one)
    digest = hmac.new(secret.encode(), "".join(text).encode(), hashlib.sha256 if sha256 else hashlib.sha1)
    return base64.b64encode(digest.digest()).decode()


def body_hash(body: bytes) -> str:
    """The value of `bodySHA256`."""
    return hashlib.sha256(body).hexdigest()
