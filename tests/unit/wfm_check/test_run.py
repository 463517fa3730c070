"""What a run finds: kinds by shape, captures, rows, feeds, many files."""

from __future__ import annotations

from pathlib import Path

import pytest
from check_files import Put, Run, activity, report, said, state, states

from flex_plugin_backend.errors import ContractError
from flex_plugin_backend.wfm.contract.check import Located

QUEUE_ROW = {
    "queueId": "WQ1", "contactsReceived": 1, "contactsHandled": 1, "contactsAbandoned": 0,
    "contactsAnsweredInSL": 1, "contactsAbandonedInSL": 0, "handleTime": 9, "workTime": 1, "queueDelay": 0,
}  # fmt: skip
PERFORMANCE_ROW = {
    "agentId": "WK1", "internalCalls": 0, "internalTime": 0, "readyTime": 1, "idleTime": 0, "outCalls": 0,
    "outTime": 0, "loginTime": 9,
}  # fmt: skip


def _only(run_result: object) -> Located:
    (found,) = run_result.findings  # type: ignore[attr-defined]
    return found


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (states(state()), "AgentStateListDTO"),
        (report(1, activity()), "AgentActivityReportDTO"),
        ([report(1, activity())], "AgentActivityReportDTO"),
        (activity(), "AgentActivity"),
        (state(), "AgentState"),
        (QUEUE_ROW, "QueueRow"),
        ([QUEUE_ROW, QUEUE_ROW], "QueueRow"),
        ({"queueId": "Q", "agentId": "WK1", "contactsHandled": 1, "handleTime": 9, "workTime": 1}, "AgentQueueRow"),
        (PERFORMANCE_ROW, "AgentPerformanceRow"),
        ({"accessKeyTokenRequest": {"accessKeyId": "K", "accessKeySecret": "S"}}, "AccessTokenRequest"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_kind_is_recognised_by_its_names(put: Put, run: Run, content: object, kind: str) -> None:
    """Each kind, alone and in a list, with nothing found in a good one."""
    result = run(put("a.json", content))
    assert said(result) == []
    assert list(result.files[0].payloads) == [kind]


def test_a_misspelt_name_is_found_as_such(put: Put, run: Run) -> None:
    """A payload that is nearly one of a kind is checked as that kind."""
    found = run(put("a.json", {"acdtype": "T", "agentStates": [state()]}))
    assert said(found) == [("S02", "/acdType"), ("S03", "/acdtype")]


def test_what_is_like_nothing_says_how_to_go_on(put: Put, run: Run) -> None:
    """The finding names the options that help, and shows no value, since it may be a secret."""
    found = _only(run(put("a.json", {"password": "S3CRET"})))
    assert found.finding.rule == "J09"
    assert "--kind" in found.finding.repair
    assert found.value is None


def test_two_equally_like_kinds_are_not_guessed(put: Put, run: Run) -> None:
    """A lone token may be a request or an answer; --kind decides."""
    path = put("a.json", {"token": "x"})
    assert "RefreshTokenRequest or RefreshTokenResponse" in _only(run(path)).finding.message
    assert said(run(path, kind="RefreshTokenRequest")) == []
    assert said(run(path, kind="refresh")) == []


def test_a_row_that_lost_fields_is_taken_for_what_its_neighbours_are(put: Put, run: Run) -> None:
    """Without end and duration an activity looks like a state; in a file of activities it is one."""
    torn = {name: value for name, value in activity(minute=1).items() if name not in ("endTime", "duration")}
    result = run(put("a.ndjson", [activity(), torn, activity(minute=2)]))
    assert said(result) == [("S02", "/duration"), ("S02", "/endTime")]
    assert result.files[0].payloads == {"AgentActivity": 3}


def test_kinds_may_be_mixed_in_one_file(put: Put, run: Run) -> None:
    """Two kinds of report, line by line."""
    queue = {key: value for key, value in report(1).items() if key != "reportData"}
    queue |= {"queueReport": [], "agentQueueReport": [], "agentSystemPerformanceReport": []}
    result = run(put("a.ndjson", [report(1), queue]))
    assert said(result) == []
    assert result.files[0].payloads == {"AgentActivityReportDTO": 1, "ReportDTO": 1}


def test_an_unknown_kind_or_profile_is_refused() -> None:
    """Before anything is read."""
    from datetime import date

    from flex_plugin_backend.wfm.contract.check import Options, check

    for options in ({"kind": "Nothing"}, {"profiles": ("nothing",)}):
        with pytest.raises(ContractError):
            check([], Options(today=date(2026, 1, 1), **options))  # type: ignore[arg-type]


def test_of_several_profiles_the_fitting_one_is_taken(put: Put, run: Run) -> None:
    """Two tenants with other names, each file against its own."""
    own = put("own.toml", '[profile]\nextends = "default"\n[dto.AgentState.fields]\nagent_id = "loginId"\n')
    renamed = {**state(), "loginId": "WK1"}
    del renamed["agentId"]
    theirs, ours = put("theirs.ndjson", [renamed]), put("ours.ndjson", [state()])
    result = run(theirs, ours, profiles=("default", str(own)))
    assert said(result) == []
    assert [file.profile for file in result.files] == ["own", "default"]


def test_place_kind_value_and_repair(put: Put, run: Run) -> None:
    """A finding has all that a reader needs."""
    found = _only(run(put("a.json", '{"acdType": "T",\n  "agentStates": [\n   {"agentId": "WK1", "agentValue": "WK1",'
        ' "eventId": "ELSEWHERE", "eventReason": "",\n "startTime": "2026-03-02T09:15:00Z"}]}')))  # fmt: skip
    assert (found.line, found.column, found.end_line, found.end_column) == (3, 55, 3, 66)
    assert (found.kind, found.value, found.pointer) == ("AgentStateListDTO", '"ELSEWHERE"', "/agentStates/0/eventId")
    assert found.finding.expected.startswith("one of AVAILABLE")
    assert found.finding.repair


def test_a_long_value_is_cut_and_a_secret_is_not_shown(put: Put, run: Run) -> None:
    """Sixty characters at most; none of what goes to the login."""
    login = {"accessKeyTokenRequest": {"accessKeyId": 4711, "accessKeySecret": "S"}}
    assert _only(run(put("login.json", login))).value is None
    found = _only(run(put("a.json", states(state(event="X" * 100)))))
    assert found.value is not None
    assert len(found.value) == 60


def test_a_capture_is_checked_by_its_endpoints(put: Put, run: Run) -> None:
    """Records with endpoint, time and payload; pointers lead into the record."""
    records = [
        {"endpoint": "agent_states", "received": "2026-03-02T09:15:01Z", "payload": states(state(event="ELSEWHERE"))},
        {"endpoint": "POST /v1/reports/agent-activity", "received": 1, "payload": report(1, activity(duration=61))},
        {"endpoint": "/v1/heartbeat", "received": 1, "payload": {}},
        {"endpoint": "unheard_of", "received": 1, "payload": states()},
    ]
    expected = [
        ("M06", "/payload/agentStates/0/eventId"),
        ("M16", "/payload/reportData/0/duration"),
        ("S02", "/payload/acdType"),
        ("S02", "/payload/timestamp"),
    ]
    lines = run(put("a.ndjson", records))
    assert said(lines) == expected
    assert [found.line for found in lines.findings] == [1, 2, 3, 3]
    whole = run(put("a.json", records))
    assert [pointer for _, pointer in said(whole)] == [
        f"/{at}{one[1]}" for at, one in zip((0, 1, 2, 2), expected, strict=True)
    ]


def test_the_inbox_of_the_fake_wfm_is_a_capture(put: Put, run: Run) -> None:
    """As `GET /sim/inbox/reports` answers."""
    row = {"seq": 1, "kind": "agent_activity", "accepted_s": 1.5, "body": report(1, activity(duration=61))}
    assert said(run(put("a.json", {"reports": [row]}))) == [("M16", "/reports/0/body/reportData/0/duration")]


def test_one_bad_file_never_hides_the_others(put: Put, run: Run, tmp_path: Path) -> None:
    """Findings of every file, in the order of the names."""
    put("1.json", b"\xff")
    put("2.json", states(state(event="ELSEWHERE")))
    put("3.json", "[" * 3000)
    put("4.json", states(state(agent=" WK1")))
    result = run(tmp_path)
    assert [Path(found.file).name for found in result.findings][:2] == ["1.json", "2.json"]
    assert [file.errors > 0 for file in result.files] == [True] * 4


def test_all_findings_are_there_and_the_limit_says_what_it_leaves_out(put: Put, run: Run) -> None:
    """The rest is counted by rule, and counts for the exit code."""
    path = put("a.ndjson", [activity(minute=at, duration=61) for at in range(9)])
    assert len(said(run(path))) == 9
    result = run(path, max_findings=2)
    assert (len(said(result)), result.errors, result.rest, result.exit) == (2, 9, {"M16": 7}, 1)
    assert run(path, max_findings=0).exit == 1


def test_a_file_is_one_feed(put: Put, run: Run, tmp_path: Path) -> None:
    """A hole between the reports of a file is found; between files only where they are said to be one feed."""
    hole = put("a.ndjson", [report(0), report(2)])
    assert [(found.finding.rule, found.line, found.pointer) for found in run(hole).findings] == [
        ("M65", 2, "/startDate")
    ]
    one, two = put("one.json", report(0)), put("two.json", [report(1), report(3)])
    assert [(Path(found.file).name, found.pointer) for found in run(one, two).findings] == [
        ("two.json", "/1/startDate")
    ]
    two.unlink()
    three = put("three.json", report(2))
    assert said(run(one, three)) == []
    found = _only(run(one, three, one_feed=True))
    assert (Path(found.file).name, found.line, found.value) == ("three.json", 1, '"2026-03-02T09:30:00Z"')


def test_the_time_is_looked_at_only_where_it_is_given(put: Put, run: Run) -> None:
    """A report of an interval that has not ended."""
    path = put("a.json", report(1))
    assert said(run(path)) == []
    assert [rule for rule, _ in said(run(path, now_ms=1_772_442_901_000))] == ["M25"]


def test_processes_change_nothing(put: Put, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes find what one finds, in the same order."""
    from flex_plugin_backend.wfm.contract.check import workers

    monkeypatch.setattr(workers, "SERIAL_BLOCKS", 1)
    rows = [activity(agent=f"WK{at}", duration=60 + (at % 97 == 0)) for at in range(6000)]
    path = put("a.ndjson", rows)
    alone, together = run(path), run(path, processes=2)
    assert len(said(alone)) == 62
    assert list(alone.findings) == list(together.findings)
    assert alone.files[0].payloads == together.files[0].payloads


def test_a_worker_that_dies_is_told_and_loses_nothing_before_it(
    put: Put, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is unread from there on; what was found before is kept, and the next file is checked."""
    from flex_plugin_backend.wfm.contract.check import workers

    own = put("own.toml", '[profile]\nextends = "default"\n')
    path = put("a.ndjson", [activity(agent=f"WK{at}", duration=60 + (at == 0)) for at in range(1200)])
    after = put("b.json", states(state(event="ELSEWHERE")))
    monkeypatch.setattr(workers, "SERIAL_BLOCKS", 1)
    start = workers.multiprocess

    def without_profile(*args: object) -> object:
        own.unlink(missing_ok=True)  # a worker that cannot load its profile ends at once
        return start(*args)

    monkeypatch.setattr(workers, "multiprocess", without_profile)
    result = run(path, after, profiles=(str(own),), processes=2)
    assert said(result) == [("M16", "/duration"), ("M06", "/agentStates/0/eventId")]
    assert [one.problem for one in result.unread] == ["was not checked to its end, as a worker process was killed"]
    assert "--processes 1" in result.unread[0].repair
