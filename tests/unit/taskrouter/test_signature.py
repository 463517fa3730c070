"""The signature check: Twilio's own vectors, and every input that makes the SDK's validator fail."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from pathlib import Path
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from flex_plugin_backend.errors import SignatureRejected
from flex_plugin_backend.taskrouter.callbacks import FormFields
from flex_plugin_backend.taskrouter.signature import SignatureChecker, url_variants

# The first text drawn in a process builds tables, which takes a while on a busy machine.
RELAXED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

CALLBACKS = Path(__file__).parents[3] / "fixtures" / "callbacks"
TOKEN = "0123456789abcdef0123456789abcdef"
URL = "https://connector.example.com/twilio/acme/events"
FIELDS = {"EventType": "worker.created", "Sid": "EV1", "OperatingUnitSid": ""}
SETTINGS = "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256"


def form(fields: dict[str, str]) -> FormFields:
    return FormFields.parse(urlencode(fields).encode())


def signed(
    url: str = URL, fields: dict[str, str] | None = None, token: str = TOKEN, algorithm: str = "HMAC_SHA1"
) -> str:
    signature: str = RequestValidator(token).compute_signature(url, FIELDS if fields is None else fields, algorithm)
    return signature


def check(
    url: str = URL,
    signature: str | None = None,
    settings: str | None = None,
    shared: dict[str, str] | None = None,
    fields: dict[str, str] | None = None,
) -> None:
    SignatureChecker(TOKEN, shared).check_form(url, form(FIELDS if fields is None else fields), signature, settings)


# -- the golden vectors of the reference --------------------------------------------------------------------------

CALL = {
    "CallSid": "CA1234567890ABCDE",
    "Digits": "1234",
    "From": "+14158675309",
    "To": "+18005551212",
    "Caller": "+14158675309",
}
CALL_URL = "https://mycompany.com/myapp.php?foo=1&bar=2"


@pytest.mark.parametrize(
    ("settings", "signature"),
    [
        (None, "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
        ("key=k1,algorithm=HMAC_SHA256", "033hgUJA9M/hXIZsYjwkerEP/DBm35nEri5FhCYjA5s="),
    ],
)
def test_golden_form_vector(settings: str | None, signature: str) -> None:
    """Twilio's form example is accepted with the auth token and with a SharedKey."""
    SignatureChecker("12345", {"k1": "12345"}).check_form(CALL_URL, form(CALL), signature, settings)


def test_golden_json_vector() -> None:
    """Twilio's JSON example is accepted: address signed, body by its hash."""
    url = CALL_URL + "&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
    body = b'{"property": "value", "boolean": true}'
    SignatureChecker("12345").check_json(url, body, "a9nBmqA0ju/hNViExpshrM61xv4=")


def test_golden_taskrouter_vector() -> None:
    """The TaskRouter example with its non-ASCII value is accepted."""
    fields = json.loads((CALLBACKS / "golden-worker-activity-update.json").read_text())["form"]
    url = "https://connector.example.com/twilio/events?tenant=acme"
    SignatureChecker(TOKEN).check_form(url, form(fields), "XX1HDflf1HUDOh2PTmWtU+dTO50=")


def test_golden_stream_vector() -> None:
    """The Event Streams example is accepted."""
    digest = "dc2813d7ab8c5e08609e1d80121668c71ad6380696af76e05726688084a02b99"
    body = (
        b'[{"specversion":"1.0","type":"com.twilio.taskrouter.worker.activity.update",'
        b'"id":"EZ00000000000000000000000000000001"}]'
    )
    url = f"https://connector.example.com/twilio/stream?bodySHA256={digest}"
    SignatureChecker(TOKEN).check_json(url, body, "u67fXKXYTdwMV/0VfULApSKIjSQ=")


# -- what makes an unguarded handler answer 500, or yes ------------------------------------------------------------


@pytest.mark.parametrize("signature", [None, "", " ", "x", "é", "\udcff", "=" * 5000, "RSOYDt4T1cUTdK1PDd93/VVr8B8="])
def test_missing_or_foreign_signature_is_rejected(signature: str | None) -> None:
    """A missing, empty, odd or foreign header is a rejection, not an exception of another kind."""
    with pytest.raises(SignatureRejected):
        check(signature=signature)


def test_signature_of_another_body_is_rejected() -> None:
    """One changed value is enough for a no."""
    with pytest.raises(SignatureRejected):
        check(signature=signed(), fields={**FIELDS, "Sid": "EV2"})


def test_signature_of_another_address_is_rejected() -> None:
    """A request for another tenant's address is not taken here."""
    with pytest.raises(SignatureRejected):
        check(signature=signed("https://connector.example.com/twilio/other/events"))


def test_empty_fields_are_part_of_what_is_signed() -> None:
    """Leaving out a field without a value breaks the signature, so the parser must keep it."""
    check(signature=signed())
    with pytest.raises(SignatureRejected):
        check(signature=signed(), fields={"EventType": "worker.created", "Sid": "EV1"})


def test_repeated_fields_are_signed_unique_and_sorted() -> None:
    """Several values under one name are all covered: each once, in order."""
    digest = hmac.new(TOKEN.encode(), f"{URL}A1A2".encode(), "sha1").digest()
    fields = FormFields([("A", "2"), ("A", "1"), ("A", "2")])
    SignatureChecker(TOKEN).check_form(URL, fields, base64.b64encode(digest).decode())


@pytest.mark.parametrize(
    ("signed_url", "seen_url"),
    [
        ("https://c.example.com:443/e", "https://c.example.com/e"),
        ("https://c.example.com/e", "https://c.example.com:443/e"),
        ("https://c.example.com/e", "https://c.example.com:8443/e"),
        ("http://c.example.com:80/e", "http://c.example.com/e"),
        ("https://u:p@c.example.com/e", "https://u:p@c.example.com/e"),
        ("https://c.example.com/e", "https://u:p@c.example.com/e"),
        ("https://u:p@c.example.com/e", "https://u:p@c.example.com:8443/e"),
        ("https://[2001:db8::1]/e", "https://[2001:db8::1]:8443/e"),
        ("https://[2001:db8::1]:443/e", "https://[2001:db8::1]/e"),
        ("https://c.example.com/e?a=1", "https://c.example.com/e?a=1#rc=5&rp=all"),
    ],
)
def test_port_userinfo_and_fragment_do_not_matter(signed_url: str, seen_url: str) -> None:
    """The same address with or without port or user information fits; the retry fragment is never signed."""
    check(seen_url, signed(signed_url))


@pytest.mark.parametrize("url", ["https://[::1/e", "https://c.example.com:port/e", "", "::::", "https://"])
def test_broken_address_is_a_rejection(url: str) -> None:
    """An address that cannot be split is judged as it stands and does not raise anything else."""
    with pytest.raises(SignatureRejected):
        check(url, "c2lnbmF0dXJl")


def test_variants_start_with_the_address_as_given() -> None:
    """The usual case costs one computation."""
    assert next(url_variants(URL)) == URL
    assert list(url_variants(URL)) == [URL, URL.replace(".com/", ".com:443/")]


# -- shared keys ---------------------------------------------------------------------------------------------------


def test_shared_key_signs_instead_of_the_auth_token() -> None:
    """With the settings header the SharedKey's secret counts, by HMAC-SHA256."""
    signature = signed(token="shared-secret", algorithm="HMAC_SHA256")
    check(signature=signature, settings=SETTINGS, shared={"webhooks_sharedkey_1": "shared-secret"})


@pytest.mark.parametrize(
    "settings",
    [
        "key=unknown,algorithm=HMAC_SHA256",
        "key=webhooks_sharedkey_1,algorithm=HMAC_SHA512",
        "key=webhooks_sharedkey_1,algorithm=none",
        "key=,algorithm=HMAC_SHA256",
        "algorithm",
        "=,=,=",
        "key=webhooks_sharedkey_1",
    ],
)
def test_odd_signature_settings_are_a_rejection(settings: str) -> None:
    """Unknown key ids, unknown algorithms and nonsense never fall back to another secret that would fit."""
    signature = signed(token="shared-secret", algorithm="HMAC_SHA256")
    with pytest.raises(SignatureRejected):
        check(signature=signature, settings=settings, shared={"webhooks_sharedkey_1": "shared-secret"})


def test_auth_token_does_not_stand_in_for_a_shared_key() -> None:
    """A request that names a SharedKey is checked against that key only."""
    with pytest.raises(SignatureRejected):
        check(
            signature=signed(algorithm="HMAC_SHA256"),
            settings=SETTINGS,
            shared={"webhooks_sharedkey_1": "shared-secret"},
        )


# -- JSON bodies ---------------------------------------------------------------------------------------------------


def json_url(body: bytes) -> str:
    return f"{URL}?bodySHA256={hashlib.sha256(body).hexdigest()}"


def test_json_without_body_hash_is_rejected() -> None:
    """The SDK raises TypeError here; without the hash nothing ties the body to the signature."""
    with pytest.raises(SignatureRejected):
        SignatureChecker(TOKEN).check_json(URL, b"{}", signed(URL, {}))


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'[{"a":1} ]', b"\xff\xfe"])
def test_json_with_another_body_is_rejected(body: bytes) -> None:
    """Any other body under a valid signature is a no; an empty object does not skip the check."""
    url = json_url(b'[{"a":1}]')
    with pytest.raises(SignatureRejected):
        SignatureChecker(TOKEN).check_json(url, body, signed(url, {}))


def test_json_body_may_be_any_bytes() -> None:
    """The hash is taken of the raw body, so bytes that are not UTF-8 need no special case."""
    url = json_url(b"\xff\xfe")
    SignatureChecker(TOKEN).check_json(url, b"\xff\xfe", signed(url, {}))


def test_upper_case_body_hash_is_rejected() -> None:
    """Twilio writes the hash in lower case; anything else is not Twilio."""
    url = f"{URL}?bodySHA256={hashlib.sha256(b'{}').hexdigest().upper()}"
    with pytest.raises(SignatureRejected):
        SignatureChecker(TOKEN).check_json(url, b"{}", signed(url, {}))


# -- in general ----------------------------------------------------------------------------------------------------

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@RELAXED
@given(st.dictionaries(TEXT, TEXT, max_size=12))
def test_agrees_with_the_official_validator(fields: dict[str, str]) -> None:
    """Whatever form the official client signs is accepted, and with one more field it is not."""
    signature = signed(fields=fields)
    check(signature=signature, fields=fields)
    with pytest.raises(SignatureRejected):
        check(signature=signature, fields={**fields, "Extra" + "".join(fields): "1"})


@RELAXED
@given(st.binary(max_size=200), st.one_of(st.none(), st.text(max_size=60)), st.one_of(st.none(), st.text(max_size=60)))
def test_never_raises_anything_but_a_rejection(body: bytes, signature: str | None, settings: str | None) -> None:
    """Arbitrary bytes and headers are rejected, and nothing else happens."""
    checker = SignatureChecker(TOKEN, {"k": "s"})
    with pytest.raises(SignatureRejected):
        checker.check_form(URL, FormFields.parse(body), signature, settings)
    with pytest.raises(SignatureRejected):
        checker.check_json(f"{URL}?bodySHA256={signature}", body, signature, settings)


def test_rejections_do_not_repeat_secrets_or_signatures() -> None:
    """The message of a rejection can go to a log."""
    with pytest.raises(SignatureRejected) as caught:
        check(signature="forged-signature", settings="key=secret-id,algorithm=HMAC_SHA256")
    assert TOKEN not in str(caught.value)
    assert "forged" not in str(caught.value)
    assert "secret-id" not in str(caught.value)
