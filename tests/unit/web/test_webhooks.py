"""The event door: what it takes, what it refuses and with which answer."""

from __future__ import annotations

import io
import json
import logging
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from flex_plugin_backend import create_app
from flex_plugin_backend.errors import IntakeUnavailable
from flex_plugin_backend.settings import load_settings

PATH = "/twilio/acme/events"
FORM = "application/x-www-form-urlencoded"
TOKEN = "0123456789abcdef0123456789abcdef"


def problem(response: Any, status: int) -> str:
    """Check that this is a short JSON problem and give its detail."""
    assert response.status_code == status, response.data
    assert response.content_type == "application/problem+json"
    body = json.loads(response.data)
    assert body["status"] == status
    assert body["request_id"] == response.headers["X-Request-Id"]
    assert len(response.data) < 600
    detail = body["detail"]
    assert isinstance(detail, str)
    return detail


def test_durable_event_gets_204_with_json_type(twilio: Any, runtime: Any) -> None:
    """The answer Twilio asks for, once the event is stored for its tenant."""
    response = twilio.post()
    assert response.status_code == 204
    assert response.data == b""
    assert response.content_type == "application/json"
    [(tenant, event)] = runtime.events
    assert (tenant, event.sid, event.worker_name) == ("acme", "EV1", "Zoë Ünal")


def test_duplicate_gets_204_too(twilio: Any, runtime: Any) -> None:
    """A retry of what is stored is a success for the sender."""
    assert [twilio.post().status_code for _ in range(2)] == [204, 204]
    assert len(runtime.events) == 1


def test_query_and_port_are_part_of_the_address(twilio: Any, runtime: Any) -> None:
    """A query is signed with the address; an explicit port is not held against the sender."""
    assert twilio.post(path=f"{PATH}?a=1&b=%20x").status_code == 204
    twilio.base = "https://flex.example.com:443"
    assert twilio.post().status_code == 204


def test_unsigned_event_is_refused(twilio: Any, runtime: Any) -> None:
    """Without a signature nothing is stored."""
    response = twilio.client.post(PATH, data=urlencode({"Sid": "EV1"}), content_type=FORM)
    assert "X-Twilio-Signature" in problem(response, 403)
    assert runtime.events == []


def test_event_signed_by_somebody_else_is_refused(twilio: Any, runtime: Any) -> None:
    """A signature by another secret stores nothing."""
    twilio.token = "another"
    problem(twilio.post(), 403)
    assert runtime.events == []


@pytest.mark.parametrize(("field", "word"), [("AccountSid", "account"), ("WorkspaceSid", "workspace")])
def test_foreign_event_is_refused(twilio: Any, runtime: Any, event: dict[str, str], field: str, word: str) -> None:
    """A signed event of another account or workspace does not belong to this tenant."""
    assert word in problem(twilio.post({**event, field: "XX9"}), 403)
    assert runtime.events == []


@pytest.mark.parametrize("field", ["AccountSid", "WorkspaceSid"])
@pytest.mark.parametrize("value", [" ", "x" * 82, "A C1", "AC1 WS1"])
def test_unreadable_owner_is_foreign(twilio: Any, runtime: Any, event: dict[str, str], field: str, value: str) -> None:
    """An account or workspace that is there but is no sid is not ours: only an absent or empty one says nothing."""
    problem(twilio.post({**event, field: value}), 403)
    assert runtime.events == []
    assert twilio.post({**event, field: ""}).status_code == 204
    del event[field]
    assert twilio.post({**event, "Sid": "EV2"}).status_code == 204


def test_signed_body_that_is_no_event_is_400(twilio: Any, event: dict[str, str]) -> None:
    """An assignment callback that was pointed here is told what is wrong."""
    del event["EventType"]
    assert "EventType" in problem(twilio.post(event), 400)


def test_shared_key_signs(settings_data: dict[str, Any], runtime: Any, make_twilio: Any) -> None:
    """A tenant with a SharedKey accepts requests signed by it."""
    settings_data["tenants"]["acme"]["twilio"]["shared_keys"] = {"k1": "shared-secret"}
    app = create_app(load_settings(settings_data, environ={}), runtime=runtime)
    twilio = make_twilio(app)
    fields = {"EventType": "worker.created", "Sid": "EV2", "TimestampMs": "1767607245123"}
    signature = RequestValidator("shared-secret").compute_signature(twilio.base + PATH, fields, "HMAC_SHA256")
    headers = {
        "X-Twilio-Signature": signature,
        "X-Twilio-Webhooks-Signature-Settings": "key=k1,algorithm=HMAC_SHA256",
    }
    assert twilio.post(fields, headers=headers).status_code == 204


@pytest.mark.parametrize(
    "content_type", ["", "application/json", "text/plain", "multipart/form-data; boundary=x", ";;"]
)
def test_other_content_types_are_415(twilio: Any, content_type: str) -> None:
    """Only form bodies are events here."""
    assert FORM in problem(twilio.post(content_type=content_type), 415)


def test_unknown_tenant_is_404(twilio: Any) -> None:
    """A tenant that is not configured has no door."""
    problem(twilio.post(path="/twilio/nobody/events"), 404)


@pytest.mark.parametrize("method", ["get", "put", "delete", "patch", "options"])
def test_other_methods_are_405_in_json(twilio: Any, method: str) -> None:
    """A browser that looks at the address gets a clear answer."""
    response = getattr(twilio.client, method)(PATH)
    problem(response, 405)
    assert response.headers["Allow"] == "POST"


@pytest.mark.parametrize("path", ["/twilio/acme", "/twilio/acme/events/", "/twilio/acme/event", "/nothing", "/"])
def test_unknown_addresses_are_404_in_json(twilio: Any, path: str) -> None:
    """Every address of our own application answers in JSON."""
    problem(twilio.client.get(path), 404)


def test_storage_failure_is_503_with_retry_after(twilio: Any, runtime: Any) -> None:
    """What could not be made durable is not acknowledged, and the sender is asked to come again."""
    runtime.failure = IntakeUnavailable(problem="disk full at /var/lib/secret-place")
    response = twilio.post()
    assert "secret-place" not in problem(response, 503)
    assert int(response.headers["Retry-After"]) > 0


def test_fault_of_ours_is_a_json_500_without_details(twilio: Any, runtime: Any) -> None:
    """A bug behind the door shows its request id to the sender and its cause to the log only."""
    runtime.failure = RuntimeError("internal detail")
    assert "internal detail" not in problem(twilio.post(), 500)


def test_field_moved_into_the_address_is_refused(twilio: Any, runtime: Any, event: dict[str, str]) -> None:
    """What is signed has no delimiters, so fields could be shifted into the address; the address is fixed here."""
    signature = RequestValidator(TOKEN).compute_signature(twilio.base + PATH, event)
    rest = {name: value for name, value in event.items() if name != "AccountSid"}
    for path in (f"{PATH}?AccountSidAC1", f"{PATH}AccountSidAC1"):
        response = twilio.post(rest, path=path, headers={"X-Twilio-Signature": signature})
        assert response.status_code in (403, 404)
    assert runtime.events == []


# -- size -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def small(settings_data: dict[str, Any], runtime: Any, make_twilio: Any) -> Any:
    """Twilio, calling an application that takes 2,000 bytes."""
    settings_data["intake"] = {"max_body_bytes": 2000}
    return make_twilio(create_app(load_settings(settings_data, environ={}), runtime=runtime))


def test_body_over_the_limit_is_413(small: Any, event: dict[str, str]) -> None:
    """An honest Content-Length over the limit is refused."""
    assert "2000" in problem(small.post({**event, "WorkerAttributes": "x" * 3000}), 413)
    assert small.post().status_code == 204


def test_chunked_body_over_the_limit_is_413(small: Any) -> None:
    """Without a Content-Length the limit holds while reading."""
    environ = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    response = small.client.post(
        PATH, input_stream=io.BytesIO(b"a=" + b"x" * 9000), content_type=FORM, environ_overrides=environ
    )
    problem(response, 413)


@pytest.mark.parametrize(("size", "status"), [(2000, 403), (2001, 413)])
@pytest.mark.parametrize("chunked", [True, False])
def test_the_limit_is_exact(small: Any, size: int, status: int, chunked: bool) -> None:
    """A body of exactly the limit is judged by its signature, one byte more is too large."""
    environ: dict[str, Any] = {"wsgi.input_terminated": True}
    if chunked:
        environ["HTTP_TRANSFER_ENCODING"] = "chunked"
    body = io.BytesIO(b"a=" + b"x" * (size - 2))
    problem(small.client.post(PATH, input_stream=body, content_type=FORM, environ_overrides=environ), status)


def test_content_length_that_is_too_small_does_not_help(small: Any) -> None:
    """A body longer than announced is cut there, so its signature cannot fit."""
    response = small.client.post(
        PATH,
        input_stream=io.BytesIO(b"a=" + b"x" * 9000),
        content_type=FORM,
        environ_overrides={"CONTENT_LENGTH": "10"},
        headers={"X-Twilio-Signature": "x"},
    )
    problem(response, 403)


def test_content_length_that_is_too_large_is_400(small: Any) -> None:
    """A body that ends early is a broken request, not an event."""
    environ = {"CONTENT_LENGTH": "100"}
    response = small.client.post(PATH, input_stream=io.BytesIO(b"a=1"), content_type=FORM, environ_overrides=environ)
    problem(response, 400)


def test_largest_legal_event_fits(twilio: Any, event: dict[str, str]) -> None:
    """Two attribute texts of 4,096 emoji, one of them repeated in the description, are within the default limit."""
    fat = "😀" * 4096
    assert (
        twilio.post({**event, "WorkerAttributes": fat, "TaskAttributes": fat, "EventDescription": fat}).status_code
        == 204
    )


def test_a_flood_of_fields_is_400(twilio: Any) -> None:
    """Thousands of fields are refused before their signature is computed."""
    problem(twilio.client.post(PATH, data="&".join(["a="] * 9000), content_type=FORM), 400)


# -- nothing ever breaks it -----------------------------------------------------------------------------------------

HEADER = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=60)


@settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=200)
@given(
    body=st.binary(max_size=300),
    path=st.sampled_from(
        [PATH, PATH + "?bodySHA256=x", "/twilio//events", "/twilio/acme%2Fevents", "/twilio/%ff/events"]
    ),
    content_type=st.one_of(st.just(FORM), HEADER),
    headers=st.dictionaries(
        st.sampled_from(
            [
                "X-Twilio-Signature",
                "X-Twilio-Webhooks-Signature-Settings",
                "Host",
                "X-Request-Id",
                "Content-Length",
                "Transfer-Encoding",
                "Content-Encoding",
                "I-Twilio-Idempotency-Token",
            ]
        ),
        HEADER,
        max_size=5,
    ),
)
def test_no_input_gives_a_server_error(
    app: Flask, runtime: Any, body: bytes, path: str, content_type: str, headers: dict[str, str]
) -> None:
    """Arbitrary bodies, addresses and headers are refused with a 4xx and store nothing."""
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path.partition("?")[0],
        "QUERY_STRING": path.partition("?")[2],
        "SCRIPT_NAME": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_TYPE": content_type,
        "CONTENT_LENGTH": headers.pop("Content-Length", str(len(body))),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.version": (1, 0),
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()},
    }
    statuses: list[str] = []
    content = b"".join(app(environ, lambda status, _headers, _exc=None: statuses.append(status)))
    assert statuses[0].startswith("4"), (statuses, content)
    assert json.loads(content)["status"] == int(statuses[0][:3])
    assert runtime.events == []


# -- what is written down -------------------------------------------------------------------------------------------


def test_refusal_is_logged_without_the_body(
    twilio: Any, event: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    """The log names tenant, status and request id of a refusal, but neither content nor signature."""
    with caplog.at_level(logging.DEBUG):
        response = twilio.post({**event, "AccountSid": "AC9"}, headers={"X-Request-Id": "abc-1"})
    assert response.headers["X-Request-Id"] == "abc-1"
    line = next(text for text in (record.getMessage() for record in caplog.records) if "refused" in text)
    assert "acme" in line
    assert "abc-1" in line
    for private in ("Zoë", "AC9", "EV1", TOKEN):
        assert private not in caplog.text


@pytest.mark.parametrize("given_id", ["a b", "x" * 65, "<script>", "é", ""])
def test_odd_request_ids_are_replaced(twilio: Any, given_id: str) -> None:
    """Only a plain id of the proxy is taken over."""
    response = twilio.post(path="/twilio/nobody/events", headers={"X-Request-Id": given_id})
    assert response.headers["X-Request-Id"] != given_id
    assert len(response.headers["X-Request-Id"]) == 16
