"""Login, refresh, re-login and the ACD-type lookup."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from werkzeug import Request, Response

from flex_plugin_backend.clock import ManualClock
from flex_plugin_backend.errors import WfmError
from flex_plugin_backend.wfm import CXoneWfmException, FailureKind, WFMConnection, WFMConnectionConfigBuilder

from .conftest import SECRET, START_MS, Wfm

KEYS = {"accessKeyId": "ICIK6JQHUUZANCQ====", "accessKeySecret": SECRET}


def test_connect_logs_in_and_looks_up_the_acd_type(wfm: Wfm, connection: WFMConnection) -> None:
    """connect sends the documented login, then asks for the ACD type with the token, and returns the connection."""
    assert connection is connection.connect()
    assert wfm.calls == [("token", None, {"accessKeyTokenRequest": KEYS}), ("acd_details", "access-1", None)]
    assert connection.acd_type() == "TWILIO"
    assert len(wfm.calls) == 2


def test_the_tenant_name_is_sent_when_set(wfm: Wfm, builder: WFMConnectionConfigBuilder) -> None:
    """A configured tenant name goes with the login."""
    with WFMConnection.get_connection(builder.set_tenant_name("acme").build()) as connection:
        connection.connect()
    assert wfm.calls[0][2] == {"tenantName": "acme", "accessKeyTokenRequest": KEYS}


def test_a_closed_connection_says_so(wfm: Wfm, builder: WFMConnectionConfigBuilder) -> None:
    """A call after close is our own error, told from an answer of the service, and nothing is sent."""
    connection = WFMConnection.get_connection(builder.build())
    with connection:
        connection.connect()
    sent = len(wfm.calls)
    with pytest.raises(WfmError, match="closed") as caught:
        connection.heartbeat()
    assert not isinstance(caught.value, CXoneWfmException)
    assert len(wfm.calls) == sent


def test_a_configured_acd_type_replaces_the_lookup(wfm: Wfm, builder: WFMConnectionConfigBuilder) -> None:
    """With set_acd_type nothing is looked up."""
    with WFMConnection.get_connection(builder.set_acd_type("MINE").build()) as connection:
        assert connection.connect().acd_type() == "MINE"
    assert wfm.names() == ["token"]


def test_no_connect_is_needed(wfm: Wfm, connection: WFMConnection) -> None:
    """The first call fetches what is missing."""
    connection.heartbeat()
    assert wfm.names() == ["token", "acd_details", "heartbeat"]
    assert wfm.calls[2][2] == {"acdType": "TWILIO", "timestamp": "2026-03-02T09:15:00Z", "status": "UP"}


def test_a_token_is_used_until_shortly_before_it_expires(
    wfm: Wfm, connection: WFMConnection, clock: ManualClock
) -> None:
    """Ten seconds before its end a token is refreshed, not earlier."""
    connection.connect()
    clock.set_ms(START_MS + 3_589_999)
    connection.heartbeat()
    assert wfm.calls[-1][:2] == ("heartbeat", "access-1")
    clock.set_ms(START_MS + 3_590_000)
    connection.heartbeat()
    assert wfm.calls[-2] == ("refresh", None, {"token": "refresh-1", "updateCookie": True, "toggleEnabled": False})
    assert wfm.calls[-1][:2] == ("heartbeat", "renewed-1")


def test_a_refresh_rotates_the_refresh_token(wfm: Wfm, connection: WFMConnection, clock: ManualClock) -> None:
    """The next refresh uses the refresh token of the last answer."""
    connection.connect()
    for _ in range(3):
        clock.advance(3595)
        connection.heartbeat()
    assert [call[2]["token"] for call in wfm.calls if call[0] == "refresh"] == ["refresh-1", "rotated-1", "rotated-2"]
    assert wfm.names().count("token") == 1
    assert wfm.calls[-1][1] == "renewed-3"


@pytest.mark.parametrize("status", [400, 401, 403, 500])
def test_a_failed_refresh_ends_in_a_login(wfm: Wfm, connection: WFMConnection, clock: ManualClock, status: int) -> None:
    """Whatever is wrong with the refresh, a login follows and the call goes through."""
    connection.connect()
    wfm.script("refresh", wfm.answer(status, {"message": "no"}))
    clock.advance(3595)
    connection.heartbeat()
    assert wfm.names()[2:] == ["refresh", "token", "heartbeat"]
    assert wfm.calls[-1][1] == "access-2"


def test_an_expired_refresh_token_is_not_tried(wfm: Wfm, connection: WFMConnection, clock: ManualClock) -> None:
    """After the refresh token's two hours only a login helps."""
    connection.connect()
    clock.advance(7200)
    connection.heartbeat()
    assert wfm.names()[2:] == ["token", "heartbeat"]


def test_without_a_refresh_token_there_is_a_login(wfm: Wfm, connection: WFMConnection, clock: ManualClock) -> None:
    """A login answer without refresh token is fine."""
    wfm.script("token", wfm.answer(200, {"access_token": "a", "expires_in": 60}))
    connection.connect()
    clock.advance(60)
    connection.heartbeat()
    assert wfm.names()[2:] == ["token", "heartbeat"]


@pytest.mark.parametrize(
    ("expires_in", "used_s"), [(8, 6), ("8", 6), (None, 3590), ("soon", 3590), (-1, 3590), (True, 3590)]
)
def test_odd_lives(wfm: Wfm, connection: WFMConnection, clock: ManualClock, expires_in: Any, used_s: int) -> None:
    """A short life leaves most of it for use; a life that makes no sense is taken as the documented hour."""
    wfm.script("token", wfm.login(1, expires_in=expires_in))
    connection.connect()
    clock.set_ms(START_MS + used_s * 1000 - 1)
    connection.heartbeat()
    assert "refresh" not in wfm.names()
    clock.advance(0.001)
    connection.heartbeat()
    assert "refresh" in wfm.names()


def test_a_dropped_token_is_replaced_once(wfm: Wfm, connection: WFMConnection) -> None:
    """401 on a call: log in again, not refresh, and repeat."""
    connection.connect()
    wfm.script("heartbeat", wfm.answer(401, {"error": "Unauthorized"}), wfm.answer(200, {}))
    assert connection.heartbeat().status == 200
    assert [call[:2] for call in wfm.calls[2:]] == [
        ("heartbeat", "access-1"),
        ("token", None),
        ("heartbeat", "access-2"),
    ]


def test_a_second_401_is_unauthorized(wfm: Wfm, connection: WFMConnection) -> None:
    """401 also with a new token: the failure goes up, with the answer, after exactly two tries."""
    connection.connect()
    wfm.script("heartbeat", wfm.answer(401, {"status": 401, "error": "Unauthorized", "message": "who?"}))
    with pytest.raises(CXoneWfmException, match="who\\?") as caught:
        connection.heartbeat()
    assert (caught.value.kind, caught.value.status, caught.value.operation) == (
        FailureKind.UNAUTHORIZED,
        401,
        "heartbeat",
    )
    assert caught.value.response.code == "Unauthorized"
    assert wfm.names()[2:] == ["heartbeat", "token", "heartbeat"]


LOGIN_FAILURES = [
    (400, FailureKind.UNAUTHORIZED),
    (401, FailureKind.UNAUTHORIZED),
    (403, FailureKind.FORBIDDEN),
    (404, FailureKind.UNAUTHORIZED),
    (422, FailureKind.UNAUTHORIZED),
    (429, FailureKind.PASSING),
    (500, FailureKind.PASSING),
    (503, FailureKind.PASSING),
]


@pytest.mark.parametrize(("status", "kind"), LOGIN_FAILURES)
def test_failed_logins(wfm: Wfm, connection: WFMConnection, status: int, kind: FailureKind) -> None:
    """A failed login is never a matter of content: no record may be blamed for it."""
    wfm.script("token", wfm.answer(status, {"error": "x", "errorDescription": "y"}, {"Retry-After": "17"}))
    with pytest.raises(CXoneWfmException) as caught:
        connection.heartbeat()
    error = caught.value
    assert (error.kind, error.status, error.operation, error.retry_after_s) == (kind, status, "token", 17.0)
    assert wfm.names() == ["token"]


@pytest.mark.parametrize(
    "body", ["", "<html>", "[]", "{}", '{"access_token": 5}', '{"access_token": ""}', '{"access_token": "tök"}']
)
def test_a_login_answer_without_a_token_passes(wfm: Wfm, connection: WFMConnection, body: str) -> None:
    """A 200 that holds no token (a captive portal, say) is tried again later."""
    wfm.script("token", wfm.answer(200, body), wfm.login(2))
    with pytest.raises(CXoneWfmException, match="without an access token") as caught:
        connection.connect()
    assert caught.value.kind is FailureKind.PASSING
    connection.connect()


@pytest.mark.parametrize("status", [400, 404, 405])
def test_a_missing_acd_lookup_needs_a_human(wfm: Wfm, connection: WFMConnection, status: int) -> None:
    """An ACD-type lookup that is refused is a matter of set-up, not of the record that waits for it."""
    wfm.script("acd_details", wfm.answer(status, {}))
    with pytest.raises(CXoneWfmException) as caught:
        connection.heartbeat()
    assert (caught.value.kind, caught.value.operation) == (FailureKind.FORBIDDEN, "acd_details")


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"acdType": null}', '{"acdType": " "}', '{"acdType": 5}'])
def test_an_acd_answer_without_type_says_what_to_do(wfm: Wfm, connection: WFMConnection, body: str) -> None:
    """An answer without a type is FORBIDDEN and names the setting that helps."""
    wfm.script("acd_details", wfm.answer(200, body))
    with pytest.raises(CXoneWfmException, match="set acd_type by hand") as caught:
        connection.connect()
    assert caught.value.kind is FailureKind.FORBIDDEN


def test_an_outage_of_the_lookup_heals(wfm: Wfm, connection: WFMConnection) -> None:
    """A lookup that failed is tried again with the next call."""
    wfm.script("acd_details", wfm.answer(503), wfm.answer(200, {"acdType": "LATE"}))
    with pytest.raises(CXoneWfmException):
        connection.connect()
    assert connection.acd_type() == "LATE"


def test_many_threads_share_one_login(wfm: Wfm, connection: WFMConnection) -> None:
    """When the service drops the token under eight threads, one of them logs in and all go on."""
    connection.connect()
    together = threading.Barrier(8, timeout=20)

    def refuse_the_old(request: Request) -> Response:
        if request.headers["Authorization"] == "Bearer access-1":
            together.wait()  # so that all eight hold the dropped token
            return wfm.answer(401)
        return wfm.answer(200, {})

    wfm.script("heartbeat", refuse_the_old)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: connection.heartbeat().status, range(8)))
    assert answers == [200] * 8
    assert wfm.names().count("token") == 2


def test_no_secret_is_logged(
    wfm: Wfm, connection: WFMConnection, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither our log lines nor those of the HTTP client, down to DEBUG, hold the secret or a token."""
    with caplog.at_level(logging.DEBUG):
        connection.connect()
        clock.advance(3595)
        wfm.script("refresh", wfm.answer(500, {"message": f"cannot use refresh-1 of {SECRET}"}))
        connection.heartbeat()
        wfm.script(
            "heartbeat", wfm.answer(400, {"message": f"access-1, access-2? {SECRET}?", "details": ["refresh-2"]})
        )
        with pytest.raises(CXoneWfmException) as caught:
            connection.heartbeat()
    error = caught.value
    text = "\n".join(record.getMessage() for record in caplog.records)
    text += f"{error} {error!r} {error.args} {error.facts} {error.response!r} {connection!r} {vars(connection)!r}"
    assert "could not be refreshed" in text
    for secret in (SECRET, "access-1", "access-2", "refresh-1", "refresh-2"):
        assert secret not in text
