"""The fake CXone WFM: login, strict validation, inbox, refusals in CXone's shapes, and the levers under /sim."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from flex_plugin_backend.wfm.contract import ContractError
from simulator.wfm import FakeWfm, WfmOptions, create_wfm_app

PROFILES = Path(__file__).parents[3] / "fixtures" / "profiles"
START_MS = 1_772_442_900_000
LOGIN = {"accessKeyTokenRequest": {"accessKeyId": "KEY====", "accessKeySecret": "SECRET===="}}
INTERVAL = {"startDate": "2026-03-02T09:15:00Z", "endDate": "2026-03-02T09:30:00Z"}
EMPTY_REPORT = {
    "acdType": "T", "reportVersion": "1.0", **INTERVAL,
    "queueReport": [], "agentQueueReport": [], "agentSystemPerformanceReport": [],
}  # fmt: skip


class Time:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now_ms = START_MS

    def __call__(self) -> int:
        return self.now_ms


class Wfm:
    """A client of a fake WFM that logs in by itself."""

    def __init__(self, now_ms: Callable[[], int] | None, **options: Any) -> None:
        keys = {"access_key": "KEY====", "secret_key": "SECRET====", **options}
        self.app = create_wfm_app(WfmOptions(**keys), now_ms=now_ms)
        self.client: FlaskClient = self.app.test_client()
        self.service: FakeWfm = self.app.extensions["fake_wfm"]
        self.token = self.login().get_json()["access_token"]

    def login(self, body: Any = LOGIN) -> TestResponse:
        return self.client.post("/v1/authentication/token", json=body)

    def post(self, path: str, body: Any, token: str | None = None) -> TestResponse:
        return self.client.post(path, json=body, headers={"Authorization": f"Bearer {token or self.token}"})

    def states(self, *rows: dict[str, Any]) -> TestResponse:
        return self.post("/v1/agent-states", {"acdType": "T", "agentStates": list(rows)})

    def sim(self, path: str) -> Any:
        return self.client.get(f"/sim/{path}").get_json()

    def lever(self, path: str, body: Any = None) -> TestResponse:
        return self.client.post(f"/sim/{path}", json={} if body is None else body)


def state(agent: str = "WK1", event: str = "AVAILABLE", reason: str = "") -> dict[str, Any]:
    start = "2026-03-02T09:15:00Z"
    return {"agentId": agent, "agentValue": agent, "eventId": event, "eventReason": reason, "startTime": start}


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def wfm(time: Time) -> Wfm:
    return Wfm(time)


def test_a_login_gives_the_documented_answer(wfm: Wfm) -> None:
    """The right key gives both tokens and the documented life."""
    answer = wfm.login().get_json()
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 3600)
    assert answer["access_token"] != answer["refresh_token"]


@pytest.mark.parametrize(
    ("part", "value"), [("accessKeyId", "OTHER===="), ("accessKeySecret", "WRONG===="), ("accessKeySecret", "é\ud83d")]
)
def test_a_wrong_key_is_401_in_springs_shape(wfm: Wfm, part: str, value: str) -> None:
    """Half a right key is no key."""
    keys = {**LOGIN["accessKeyTokenRequest"], part: value}
    answer = wfm.login({"accessKeyTokenRequest": keys})
    assert answer.status_code == 401
    assert answer.get_json().keys() == {"timestamp", "status", "error", "message", "path"}
    assert answer.get_json()["error"] == "Unauthorized"


def test_another_tenant_is_403(time: Time) -> None:
    """With a tenant configured, a login naming another is forbidden; naming none is fine."""
    wfm = Wfm(time, tenant_name="acme")
    assert wfm.login({**LOGIN, "tenantName": "acme"}).status_code == 200
    assert wfm.login({**LOGIN, "tenantName": "evil"}).status_code == 403


def test_tokens_expire_by_the_virtual_clock(wfm: Wfm, time: Time) -> None:
    """An access token lives an hour of the given clock."""
    time.now_ms += 3_599_999
    assert wfm.states(state()).status_code == 200
    time.now_ms += 1
    assert wfm.states(state()).status_code == 401


def test_refresh_tokens_rotate_and_expire(wfm: Wfm, time: Time) -> None:
    """A refresh token works once, for two hours; the answer has the documented names."""
    first = wfm.login().get_json()["refresh_token"]
    body = {"token": first, "updateCookie": True, "toggleEnabled": False}
    answer = wfm.client.post("/v1/authentication/refresh", json=body).get_json()
    assert (answer["tokenExpirationTimeSec"], answer["refreshTokenExpirationTimeSec"]) == (3600, 7200)
    assert answer["sessionId"] is None
    assert wfm.post("/v1/agent-states", {"acdType": "T", "agentStates": []}, answer["token"]).status_code == 200
    assert wfm.client.post("/v1/authentication/refresh", json=body).status_code == 401
    time.now_ms += 7_200_000
    late = {**body, "token": answer["refreshToken"]}
    assert wfm.client.post("/v1/authentication/refresh", json=late).status_code == 401


@pytest.mark.parametrize("header", [None, "Bearer nonsense", "Basic abc", "", "Bearer"])
def test_without_a_token_nothing_is_taken(wfm: Wfm, header: str | None) -> None:
    """Missing, unknown and malformed tokens are 401 on every endpoint that wants one."""
    headers = {} if header is None else {"Authorization": header}
    for endpoint in wfm.service.profile.endpoints.values():
        if endpoint.auth:
            answer = wfm.client.open(endpoint.path, method=endpoint.method, json={}, headers=headers)
            assert answer.status_code == 401, endpoint.name
    assert wfm.sim("inbox/states")["rows"] == []


def test_the_acd_lookup(time: Time) -> None:
    """The lookup answers the configured ACD type."""
    wfm = Wfm(time, acd_type="FLEX")
    answer = wfm.client.get("/v1/acd-details", headers={"Authorization": f"Bearer {wfm.token}"})
    assert answer.get_json()["acdType"] == "FLEX"


def test_a_heartbeat_is_counted_and_remembered(wfm: Wfm) -> None:
    """A heartbeat counts, and the last one of each ACD type is known."""
    beat = {"acdType": "T", "timestamp": "2026-03-02T09:15:00Z", "status": "UP"}
    assert wfm.post("/v1/heartbeat", beat).status_code == 200
    assert wfm.sim("counters")["heartbeats"] == 1
    assert wfm.sim("status")["last_heartbeat_s"].keys() == {"T"}


def test_states_are_kept_in_order(wfm: Wfm) -> None:
    """Accepted states stand in the inbox in order, with request number and time; reading goes on from next."""
    assert wfm.states(state("WK1"), state("WK2", "UNAVAILABLE", "Lunch")).get_json()["acceptedRows"] == 2
    wfm.states(state("WK1", "RESERVED"))
    page = wfm.sim("inbox/states")
    rows = page["rows"]
    assert [(row["seq"], row["request"], row["agent_id"], row["event_id"], row["event_reason"]) for row in rows] == [
        (1, 1, "WK1", "AVAILABLE", ""),
        (2, 1, "WK2", "UNAVAILABLE", "Lunch"),
        (3, 2, "WK1", "RESERVED", ""),
    ]
    assert rows[0]["start_time"] == "2026-03-02T09:15:00Z"
    assert rows[0]["accepted_s"] <= rows[2]["accepted_s"]
    assert page["next"] == 3
    assert wfm.sim("inbox/states?after=2") == {"rows": rows[2:], "next": 3}
    assert wfm.sim("inbox/states?after=3") == {"rows": [], "next": 3}
    assert wfm.sim("inbox/states?after=1&limit=1") == {"rows": rows[1:2], "next": 2}


def test_the_inbox_is_bounded(time: Time) -> None:
    """Beyond its limit the inbox forgets the oldest; sequence numbers go on."""
    wfm = Wfm(time, inbox_limit=16)
    for number in range(40):
        wfm.states(state(f"WK{number}"))
    rows = wfm.sim("inbox/states")["rows"]
    assert 16 <= len(rows) <= 18
    assert rows[-1]["agent_id"] == "WK39"
    assert [row["seq"] for row in rows] == list(range(40 - len(rows) + 1, 41))
    assert wfm.sim("inbox/states?after=38")["rows"] == rows[-2:]


def test_reports_are_kept_whole(wfm: Wfm) -> None:
    """Both kinds of report stand in the inbox as they came."""
    activity = {"acdType": "T", "reportVersion": "1.0", **INTERVAL, "reportData": []}
    assert wfm.post("/v1/reports/agent-activity", activity).status_code == 200
    assert wfm.post("/v1/reports/queue", EMPTY_REPORT).status_code == 200
    reports = wfm.sim("inbox/reports")["reports"]
    assert [(item["seq"], item["kind"], item["body"]) for item in reports] == [
        (1, "agent_activity", activity),
        (2, "queue", EMPTY_REPORT),
    ]


def test_a_bad_row_refuses_the_whole_batch(wfm: Wfm) -> None:
    """One bad row: 400 in the validation shape that names rule and place; nothing of the batch is kept."""
    answer = wfm.states(state(), state("WK2", "COFFEE"))
    body = answer.get_json()
    assert answer.status_code == 400
    assert body.keys() == {"code", "details", "hostname", "entityType", "errors"}
    assert body["entityType"] == "AgentStateListDTO"
    assert [(item["rule"], item["pointer"]) for item in body["errors"]] == [("M06", "/agentStates/1/eventId")]
    assert wfm.sim("inbox/states")["rows"] == []
    refusal = wfm.sim("rejections")["rows"][0]
    assert (refusal["endpoint"], refusal["status"]) == ("agent_states", 400)
    assert "M06" in refusal["problem"]


def test_partial_mode_takes_the_good_rows(time: Time) -> None:
    """In partial mode the bad rows are named by position and the others are kept."""
    wfm = Wfm(time, partial=True)
    answer = wfm.states(state("WK1", "COFFEE"), state("WK2"), state("WK3", "UNAVAILABLE"))
    assert answer.status_code == 200
    body = answer.get_json()
    assert (body["acceptedRows"], [(row["index"], row["code"]) for row in body["rejectedRows"]]) == (
        1,
        [(0, "M06"), (2, "M07")],
    )
    assert [row["agent_id"] for row in wfm.sim("inbox/states")["rows"]] == ["WK2"]
    assert wfm.sim("counters")["rejections"] == 2


def test_partial_mode_refuses_what_is_wrong_as_a_whole(time: Time) -> None:
    """A batch of bad rows alone, or one that is wrong outside its rows, is refused as a whole."""
    wfm = Wfm(time, partial=True)
    assert wfm.states(state("WK1", "COFFEE")).status_code == 400
    assert wfm.post("/v1/agent-states", {"agentStates": [state(), state("WK2", "COFFEE")]}).status_code == 400
    assert wfm.post("/v1/reports/queue", {**EMPTY_REPORT, "queueReport": None}).status_code == 400
    assert wfm.sim("inbox/states")["rows"] == []


def test_a_warning_is_accepted(wfm: Wfm) -> None:
    """A mixed queue is only a warning; the report is taken."""
    row = dict.fromkeys(
        ["contactsReceived", "contactsHandled", "contactsAbandoned", "contactsAnsweredInSL", "contactsAbandonedInSL"], 0
    )
    row = {"queueId": "WQ1", "handleTime": 0, "workTime": 0, "queueDelay": 0, **row}
    assert wfm.post("/v1/reports/queue", {**EMPTY_REPORT, "queueReport": [row, row]}).status_code == 200


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"null", b"[" * 100_000])
def test_a_body_that_is_no_json_is_400(wfm: Wfm, body: bytes) -> None:
    """Rubbish is refused with 400 and written down."""
    answer = wfm.client.post("/v1/agent-states", data=body, headers={"Authorization": f"Bearer {wfm.token}"})
    assert answer.status_code == 400
    assert len(wfm.sim("rejections")["rows"]) == 1


def test_unknown_paths_and_methods_have_springs_shape(wfm: Wfm) -> None:
    """404 and 405 look like those of CXone services and are written down."""
    missing, wrong = wfm.client.post("/v1/nothing", json={}), wfm.client.get("/v1/agent-states")
    assert (missing.status_code, missing.get_json()["path"]) == (404, "/v1/nothing")
    assert (wrong.status_code, wrong.get_json()["error"]) == (405, "Method Not Allowed")
    assert [row["status"] for row in wfm.sim("rejections")["rows"]] == [404, 405]


def test_counters(wfm: Wfm) -> None:
    """The counters tell how many of what; reset begins anew and leaves tokens valid."""
    wfm.states(state(), state("WK2"))
    wfm.states(state("WK1", "COFFEE"))
    wfm.post("/v1/reports/queue", EMPTY_REPORT)
    counters = wfm.sim("counters")
    assert {name: counters[name] for name in ("states", "reports", "requests", "tokens", "rejections")} == {
        "states": 2, "reports": 1, "requests": 3, "tokens": 1, "rejections": 1,
    }  # fmt: skip
    wfm.lever("reset")
    assert set(wfm.sim("counters").values()) == {0}
    assert wfm.sim("inbox/states") == {"rows": [], "next": 0}
    assert wfm.states(state()).status_code == 200
    assert wfm.sim("inbox/states")["rows"][0]["seq"] == 1


def test_scripted_answers(wfm: Wfm) -> None:
    """The next requests to an endpoint get the scripted answer, then it behaves again."""
    wfm.lever(
        "faults",
        {"fault": "wfm-answer", "endpoint": "agent_states", "times": 2, "status": 503, "headers": {"Retry-After": "7"}},
    )
    first = wfm.states(state())
    assert (first.status_code, first.headers["Retry-After"]) == (503, "7")
    assert wfm.post("/v1/reports/queue", EMPTY_REPORT).status_code == 200
    assert [wfm.states(state()).status_code for _ in range(2)] == [503, 200]
    assert wfm.sim("counters")["mishaps"] == 2
    assert len(wfm.sim("inbox/states")["rows"]) == 1


def test_scripts_queue_up_and_skip(wfm: Wfm) -> None:
    """Several scripts are used up one after the other; skip lets requests through first; * fits every endpoint."""
    wfm.lever(
        "faults",
        {
            "faults": [
                {"fault": "wfm-answer", "status": 500, "skip": 1},
                {"fault": "wfm-answer", "endpoint": "agent_states", "status": 429, "body": "slow"},
            ]
        },
    )
    answers = [wfm.states(state()) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 500, 429, 200]
    assert answers[2].text == "slow"


def test_a_lost_answer(wfm: Wfm) -> None:
    """With apply the states are taken although the answer says otherwise."""
    wfm.lever("faults", {"fault": "wfm-answer", "status": 502, "apply": True})
    assert wfm.states(state()).status_code == 502
    assert len(wfm.sim("inbox/states")["rows"]) == 1


def test_a_late_answer_is_the_true_one(wfm: Wfm) -> None:
    """A delay alone changes nothing else; taking the faults off ends it."""
    wfm.lever("faults", {"fault": "wfm-answer", "wait_s": 0.01})
    assert wfm.states(state()).status_code == 200
    wfm.lever("faults", {"fault": "wfm-answer", "status": 500, "times": 9})
    assert wfm.client.delete("/sim/faults").get_json() == {"faults": []}
    assert wfm.states(state()).status_code == 200


@pytest.mark.parametrize(
    "script",
    [
        {"status": 99}, {"status": "500"}, {"times": 0}, {"times": True}, {"endpoint": "nothing"}, {"wait_s": -1},
        {"wait_s": 1e999}, {"headers": {"a": "b\r\nc: d"}}, {"headers": []}, {"apply": 1}, {"colour": "red"},
        {"skip": -1}, {"faults": 5}, {"endpoint": []}, {"share": 1.5}, {"minutes": -1}, {"fault": "wfm-answr"},
        {"fault": "drop"}, {"fault": "kill"}, {"fault": 5}, {"fault": None},
    ],
)  # fmt: skip
def test_bad_scripts_are_refused(wfm: Wfm, script: Any) -> None:
    """A fault that makes no sense, or happens elsewhere, is 400 with the reason, and nothing is set."""
    answer = wfm.client.post("/sim/faults", json={"fault": "wfm-answer", **script})
    assert answer.status_code == 400
    assert answer.get_json()["problem"]
    assert wfm.sim("status")["faults"] == 0


@pytest.mark.parametrize("body", [b"", b"rubbish", b"[]", b'[{"status": 500}]', b'"status"', b"5", b"null", b"{}"])
def test_a_fault_that_is_no_table_is_refused(wfm: Wfm, body: bytes) -> None:
    """Whoever sends no JSON object, or an empty one, is told so instead of being served as if nothing were set."""
    answer = wfm.client.post("/sim/faults", data=body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.get_json()["problem"]
    assert wfm.sim("status")["faults"] == 0


def test_revoked_tokens_are_401(wfm: Wfm) -> None:
    """Revoking makes access tokens invalid, and the refresh tokens too when asked."""
    refresh = {"token": wfm.login().get_json()["refresh_token"]}
    wfm.lever("revoke")
    assert wfm.states(state()).status_code == 401
    answer = wfm.client.post("/v1/authentication/refresh", json=refresh)
    assert answer.status_code == 200
    wfm.lever("revoke", {"refresh": True})
    again = wfm.client.post("/v1/authentication/refresh", json={"token": answer.get_json()["refreshToken"]})
    assert again.status_code == 401


def test_the_virtual_clock_can_be_set() -> None:
    """The clock starts at the machine's time, or as given, and /sim/start sets it anew."""
    wfm = Wfm(None, start_ms=START_MS, anchor_ms=10**13, speed=1.0)
    assert wfm.sim("status")["now_ms"] < START_MS
    answer = wfm.lever("start", {"start_ms": 0, "anchor_ms": 0, "speed": 0.000001})
    assert 0 < answer.get_json()["now_ms"] < START_MS // 1000
    for bad in ({}, {"start_ms": 0, "anchor_ms": 0, "speed": 0}, {"start_ms": "0", "anchor_ms": 0, "speed": 1}):
        assert wfm.lever("start", bad).status_code == 400


def test_mode_can_be_switched(wfm: Wfm) -> None:
    """Partial refusal can be switched on and off while it runs."""
    assert wfm.lever("mode", {"partial": True}).get_json() == {"partial": True}
    assert wfm.states(state("WK1", "COFFEE"), state("WK2")).status_code == 200
    assert wfm.lever("mode", {"partial": False}).get_json() == {"partial": False}
    assert wfm.states(state("WK1", "COFFEE"), state("WK2")).status_code == 400


def test_another_profile_changes_paths_and_names(time: Time) -> None:
    """The fake speaks whatever the profile says."""
    wfm = Wfm(time, profile=str(PROFILES / "renamed.toml"))
    row = {
        "loginId": "7",
        "userId": "7",
        "stateCode": "READY",
        "eventReason": "",
        "startTime": "2026-03-02T09:15:00.250Z",
    }
    headers = {"Authorization": f"Bearer {wfm.token}"}
    body = {"acdType": "T", "agentStates": [row]}
    assert wfm.client.put("/asc/v2/states", json=body, headers=headers).status_code == 200
    kept = wfm.sim("inbox/states")["rows"][0]
    assert (kept["agent_id"], kept["agent_value"], kept["event_id"]) == ("7", None, "READY")


def test_endpoints_must_differ(tmp_path: Path) -> None:
    """Two endpoints on one path cannot be told apart; that is said at the start."""
    path = tmp_path / "p.toml"
    path.write_text('[profile]\nextends = "default"\n[endpoints]\nqueue_report = "/v1/agent-states"\n')
    with pytest.raises(ContractError, match="share POST /v1/agent-states"):
        create_wfm_app(WfmOptions(profile=str(path)))


def test_options_hide_the_secret() -> None:
    """The secret key is not in the options' text."""
    assert "HIDDEN" not in repr(WfmOptions(secret_key="HIDDEN===="))
