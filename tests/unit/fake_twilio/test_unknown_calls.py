"""A call that no route takes, or with a parameter that none knows, is answered with what was meant."""

from __future__ import annotations

import pytest
from flask import Flask

from simulator.twilio.limits import Limits
from simulator.twilio.show import Show


@pytest.mark.parametrize(
    ("method", "path", "status", "closest", "difference"),
    [
        ("GET", "{ws}/Worker", 404, "GET /v1/Workspaces/{WorkspaceSid}/Workers", "'Worker', not 'Workers'"),
        ("GET", "{ws}/workers/WK1", 404, "GET /v1/Workspaces/{WorkspaceSid}/Workers/{WorkerSid}", "'workers'"),
        ("PUT", "{ws}/Tasks/WT1", 405, "POST /v1/Workspaces/{WorkspaceSid}/Tasks/{TaskSid}", "PUT, not"),
        (
            "GET",
            "{ws}/Workers/WK1/Reservation/WR1",
            404,
            "GET /v1/Workspaces/{WorkspaceSid}/Workers/{WorkerSid}/Reservations/{Sid}",
            "'Reservation', not 'Reservations'",
        ),
        ("GET", "/Workspaces", 404, "GET /v1/Workspaces", "v1 is missing"),
        ("GET", "/v2/Workspaces/WS1/Tasks", 404, "GET /v1/Workspaces/{WorkspaceSid}/Tasks", "'v2', not 'v1'"),
        ("GET", "/sim/stats", 404, "GET /sim/status", "'stats', not 'status'"),
    ],
)
def test_an_unknown_call_names_the_closest_one(
    app: Flask, show: Show, method: str, path: str, status: int, closest: str, difference: str
) -> None:
    """In Twilio's shape; the message says it, too, because that is what a client shows."""
    answer = app.test_client().open(path.replace("{ws}", f"/v1/Workspaces/{show.account.workspace_sid}"), method=method)
    body = answer.get_json()
    assert (answer.status_code, body["status"], body["code"]) == (status, status, 20_000 + status)
    assert body["more_info"] == f"https://www.twilio.com/docs/errors/{body['code']}"
    assert body["details"]["closest_route"] == closest
    assert difference in body["details"]["difference"]
    assert closest in body["message"]


def test_an_unknown_parameter_names_the_closest_one(app: Flask, show: Show) -> None:
    """400 with 20001 and all that the call takes."""
    account = show.account
    answer = app.test_client().post(
        f"/v1/Workspaces/{account.workspace_sid}/Workers",
        data={"FriendlyNmae": "ana"},
        auth=(account.account_sid, account.auth_token),
    )
    assert (answer.status_code, answer.json["code"]) == (400, 20001)
    assert "did you mean FriendlyName?" in answer.json["message"]
    assert answer.json["details"]["parameters"] == ["FriendlyName", "ActivitySid", "Attributes"]


def test_refused_credentials_say_which_are_taken_and_no_secret(app: Flask, show: Show) -> None:
    """The account's sid and the key's, never what belongs to them."""
    answer = app.test_client().get(f"/v1/Workspaces/{show.account.workspace_sid}/Workers")
    assert (answer.status_code, answer.json["code"]) == (401, 20003)
    assert show.account.account_sid in answer.json["details"]["what_to_do"]
    assert show.account.auth_token not in answer.text
    assert show.account.api_key_secret not in answer.text


def test_too_many_requests_in_a_second_are_refused(app: Flask, show: Show) -> None:
    """429 with 20429, the headers of the limit, and Retry-After if it is asked for; the next second is a new one."""
    account, seconds = show.account, [100.0]
    auth, path = (account.account_sid, account.auth_token), f"/v1/Workspaces/{account.workspace_sid}/Activities"
    limiter, clock_s = show.limiter, show.limiter.clock_s
    limiter.limits, limiter.clock_s = Limits(requests=2, retry_after_s=1), lambda: seconds[0]
    try:
        answers = [app.test_client().get(path, auth=auth) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert [answer.headers["X-Rate-Limit-Remaining"] for answer in answers] == ["1", "0", "0"]
        assert answers[2].json["code"] == 20429
        assert answers[2].headers["Retry-After"] == "1"
        seconds[0] += 1.0
        assert app.test_client().get(path, auth=auth).status_code == 200
    finally:
        limiter.limits, limiter.clock_s = Limits(), clock_s
