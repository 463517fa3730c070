"""Checks that a request was signed with a secret we share with Twilio; a no is SignatureRejected, nothing else."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from typing import Protocol
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from twilio.request_validator import (  # type: ignore[import-untyped]
    HMAC_SHA1,
    HMAC_SHA256,
    SIGNATURE_HEADER,
    SIGNATURE_SETTINGS_HEADER,
    RequestValidator,
    get_signature_algorithm,
)

from flex_plugin_backend.errors import SignatureRejected

__all__ = ["SIGNATURE_HEADER", "SIGNATURE_SETTINGS_HEADER", "SignatureChecker", "SignedFields", "url_variants"]

_ALGORITHMS = frozenset((HMAC_SHA1, HMAC_SHA256))
_DEFAULT_PORTS = {"http": 80, "https": 443}
_BODY_HASH = "bodySHA256"


class SignedFields(Protocol):
    """Form fields as the signature sees them: every name once, with all its values."""

    def __iter__(self) -> Iterator[str]: ...

    def __len__(self) -> int: ...

    def getall(self, name: str, /) -> list[str]:
        """Every value given under `name`."""


class SignatureChecker:
    """Knows the secrets of one tenant and checks forms and JSON bodies against them (Twilio reference 1.5).

    Only `RequestValidator.compute_signature` is used: `validate` raises on a missing header, on bytes and on a URL
    without its body hash, skips the body check for an empty dict, and garbles addresses with user information.
    """

    def __init__(self, auth_token: str, shared_keys: Mapping[str, str] | None = None) -> None:
        """Take the account's auth token and the SharedKey secrets by key id."""
        self._account = RequestValidator(auth_token)
        self._shared = {key_id: RequestValidator(secret) for key_id, secret in (shared_keys or {}).items()}

    def check_form(self, url: str, fields: SignedFields, signature: str | None, settings: str | None = None) -> None:
        """Accept a form body.

        Args:
            url: the address as Twilio requested it; a port or user information more or less does not matter.
            fields: the decoded form.
            signature: the `X-Twilio-Signature` header.
            settings: the `X-Twilio-Webhooks-Signature-Settings` header.

        Raises:
            SignatureRejected: it is not signed by a secret of this tenant.
        """
        self._check(url, fields, signature, settings)

    def check_json(self, url: str, body: bytes, signature: str | None, settings: str | None = None) -> None:
        """Accept a JSON body: the signature covers the address, and the address the hash of the body.

        Raises:
            SignatureRejected: address or body are not what was signed.
        """
        try:
            hashes = [value for name, value in parse_qsl(urlsplit(url).query) if name == _BODY_HASH]
        except ValueError:
            hashes = []
        if not hashes:
            raise SignatureRejected(problem=f"the address carries no {_BODY_HASH}")
        if not hmac.compare_digest(hashlib.sha256(body).hexdigest().encode(), _octets(hashes[0])):
            raise SignatureRejected(problem=f"the body does not fit {_BODY_HASH}")
        self._check(url, None, signature, settings)

    def _check(self, url: str, fields: SignedFields | None, signature: str | None, settings: str | None) -> None:
        if not signature:
            raise SignatureRejected(problem=f"the header {SIGNATURE_HEADER} is missing")
        validator, algorithm = self._secret_for(settings)
        given = _octets(signature.strip())
        for candidate in url_variants(url):
            expected = validator.compute_signature(candidate, fields, algorithm)
            if hmac.compare_digest(_octets(expected), given):
                return
        raise SignatureRejected(problem="the signature fits neither the secret nor the configured public address")

    def _secret_for(self, settings: str | None) -> tuple[RequestValidator, str]:
        algorithm = get_signature_algorithm(settings).upper()
        if algorithm not in _ALGORITHMS:
            raise SignatureRejected(problem="the signature algorithm is unknown here; a newer flex-wfm may know it")
        key_id = _shared_key_id(settings)
        if key_id is None:
            return self._account, algorithm
        validator = self._shared.get(key_id)
        if validator is None:
            raise SignatureRejected(problem="it names a SharedKey that is not in shared_keys")
        return validator, algorithm


def url_variants(url: str) -> Iterator[str]:
    """The address as given, then with the default port added or the port removed, each also without user information.

    Twilio is not consistent about ports, and it is not known whether it signs user information (reference 1.5).
    """
    url = url.partition("#")[0]
    yield url
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # brackets or a port that are none: nothing to vary
        return
    user, at, host = parts.netloc.rpartition("@")
    bare = host.removesuffix(f":{port}") if port is not None else host
    hosts = [host] if port is None else [host, bare]
    default = _DEFAULT_PORTS.get(parts.scheme)
    if port is None and default is not None:
        hosts.append(f"{host}:{default}")
    for userinfo in (user + at, "") if at else ("",):
        for name in hosts:
            variant = urlunsplit(parts._replace(netloc=userinfo + name))
            if variant != url:
                yield variant


def _shared_key_id(settings: str | None) -> str | None:
    for part in (settings or "").split(","):
        name, _, value = part.partition("=")
        if name.strip().lower() == "key" and value.strip():
            return value.strip()
    return None


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "replace")
