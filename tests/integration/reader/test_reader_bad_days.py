"""The reader on bad days: failures, nonsense, silence, and what may be said about them."""

from __future__ import annotations

import base64
import logging
import socket
from typing import Any

import pytest
from pydantic import SecretStr

from flex_plugin_backend.errors import TwilioUnavailable
from flex_plugin_backend.taskrouter.reader import TaskRouterReader

# -- bad days -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_passing_failures_are_tried_again(rest: Any, reader: TaskRouterReader, pauses: Any, status: int) -> None:
    """Two failures in a row are waited out with growing pauses."""
    for _ in range(2):
        rest.server.expect_oneshot_request(f"{rest.base}/Workers").respond_with_response(rest.error(status, status))
    rest.serve("/Workers", "workers", rest.worker("WK1"))
    rest.serve("/Tasks", "tasks")
    assert reader.snapshot().worker_sids == {"WK1"}
    first_s, second_s = pauses.seconds
    assert 0.25 <= first_s <= 0.5 <= second_s <= 1.0


def test_retry_after_is_obeyed_within_bounds(rest: Any, reader: TaskRouterReader, pauses: Any) -> None:
    """Twilio's own wish counts, but not a wish for an hour; the form with a date falls back to our pause."""
    rest.server.expect_oneshot_request(f"{rest.base}/Workers").respond_with_response(
        rest.error(429, 20429, **{"Retry-After": "7"})
    )
    rest.server.expect_oneshot_request(f"{rest.base}/Workers").respond_with_response(
        rest.error(429, 20429, **{"Retry-After": "3600"})
    )
    rest.server.expect_oneshot_request(f"{rest.base}/Tasks").respond_with_response(
        rest.error(503, 20503, **{"Retry-After": "Mon, 05 Jan 2026 10:00:00 GMT"})
    )
    rest.serve_empty_floor()
    reader.snapshot()
    assert pauses.seconds[:2] == [7, 30]
    assert pauses.seconds[2] <= 0.5


def test_lasting_failure_names_status_and_what_was_read(rest: Any, reader: TaskRouterReader) -> None:
    """After the last attempt the error of a list, which the SDK leaves bare, comes out with its status."""
    rest.server.expect_request(f"{rest.base}/Workers").respond_with_response(rest.error(503, 20503))
    with pytest.raises(TwilioUnavailable, match=r"workers.*503") as caught:
        reader.snapshot()
    assert caught.value.facts["status"] == 503
    assert len(rest.server.log) == 3


def test_wrong_credentials_are_not_tried_again(rest: Any, reader: TaskRouterReader) -> None:
    """A 401 names the settings to look at; neither the token nor names from the answer are in the message."""
    rest.server.expect_request(f"{rest.base}/Activities").respond_with_response(rest.error(401, 20003))
    with pytest.raises(TwilioUnavailable, match="auth_token") as caught:
        reader.catalogue()
    assert len(rest.server.log) == 1
    assert rest.token not in str(caught.value)
    assert "Zoë" not in str(caught.value)


@pytest.mark.parametrize(
    "body",
    ["", "<html>proxy</html>", "[]", "null", "{}", '{"meta": {"key": "workers"}}', '{"meta": null}', '{"a":1,"b":2}'],
)
def test_bodies_that_are_no_list_are_a_clear_failure(rest: Any, reader: TaskRouterReader, body: str) -> None:
    """Whatever a proxy puts in place of Twilio's answer, the failure is TwilioUnavailable."""
    rest.server.expect_request(f"{rest.base}/Workers").respond_with_data(body, content_type="application/json")
    with pytest.raises(TwilioUnavailable, match="workers"):
        reader.snapshot()


def test_refused_connection_is_tried_again_and_then_reported(rest: Any, pauses: Any) -> None:
    """Nobody listens: a few attempts, then a clear error."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{sock.getsockname()[1]}"
        settings = rest.access(api_base_url=url, timeout_s=1)
        with pytest.raises(TwilioUnavailable, match="3 attempts"):
            TaskRouterReader(settings, wait=pauses).catalogue()
    assert len(pauses.seconds) == 2


def test_silent_server_runs_into_the_timeout(rest: Any, pauses: Any) -> None:
    """A server that accepts and says nothing does not hold the reader for ever."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        settings = rest.access(api_base_url=url, timeout_s=0.1)
        with pytest.raises(TwilioUnavailable, match="Timeout"):
            TaskRouterReader(settings, wait=pauses, attempts=2).catalogue()


def test_shutting_down_ends_the_attempts(rest: Any, make_pauses: Any) -> None:
    """A wait that is interrupted ends the reading at once."""
    rest.server.expect_request(f"{rest.base}/Activities").respond_with_response(rest.error(503, 20503))
    with pytest.raises(TwilioUnavailable, match="stopped"):
        TaskRouterReader(rest.access(), wait=make_pauses(stop=True)).catalogue()
    assert len(rest.server.log) == 1


# -- credentials ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "AC1:auth-token-1"),
        ({"rest_key_sid": "SK1", "rest_key_secret": SecretStr("key-secret")}, "SK1:key-secret"),
    ],
)
def test_reads_with_the_key_if_there_is_one(
    rest: Any, make_pauses: Any, changes: dict[str, Any], expected: str
) -> None:
    """The API key reads where one is configured, else the account with its token."""
    rest.serve_empty_floor()
    TaskRouterReader(rest.access(**changes), wait=make_pauses()).snapshot()
    sent = {request.headers["Authorization"] for request, _ in rest.server.log}
    assert sent == {"Basic " + base64.b64encode(expected.encode()).decode()}


def test_nothing_of_a_read_is_logged(rest: Any, reader: TaskRouterReader, caplog: pytest.LogCaptureFixture) -> None:
    """The SDK's own lines with addresses and parameters stay out, even at debug level."""
    rest.serve_empty_floor()
    with caplog.at_level(logging.DEBUG):
        reader.snapshot()
    assert not [record for record in caplog.records if record.name.startswith("twilio")]
