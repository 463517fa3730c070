"""The SDK against the fake WFM in one process, over WSGI: the two readers of one profile understand each other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from flex_plugin_backend.clock import ManualClock
from flex_plugin_backend.wfm import (
    AgentState,
    AgentStateListDTO,
    AgentStatesService,
    CXoneWfmException,
    FailureKind,
    ReportDTO,
    ReportService,
    WFMConnection,
    WFMConnectionConfigBuilder,
)
from simulator.wfm import FakeWfm, WfmOptions, create_wfm_app

PROFILES = Path(__file__).parents[3] / "fixtures" / "profiles"
START_MS = 1_772_442_900_000


class Pair:
    """A connection and the fake WFM it talks to, on one clock."""

    def __init__(self, profile: str) -> None:
        self.clock = ManualClock(START_MS)
        app = create_wfm_app(WfmOptions(profile=profile), now_ms=self.clock.now_ms)
        self.wfm: FakeWfm = app.extensions["fake_wfm"]
        options = self.wfm.options
        builder = WFMConnectionConfigBuilder().set_service_url("http://localhost").set_access_key(options.access_key)
        config = builder.set_secret_key(options.secret_key).set_profile(profile).build()
        transport = httpx.WSGITransport(app=app, raise_app_exceptions=True)
        self.connection = WFMConnection.get_connection(config, transport=transport, clock=self.clock)


@pytest.fixture(params=["default", str(PROFILES / "renamed.toml")], ids=["default", "renamed"])
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    made = Pair(request.param)
    yield made
    made.connection.close()


def _state(pair: Pair, agent: str = "WK1", state: str = "AVAILABLE", reason: str = "") -> AgentState:
    event_id = pair.connection.profile.event_id(state)
    return AgentState(agent_id=agent, event_id=event_id, event_reason=reason, start_ms=pair.clock.now_ms())


def test_states_arrive(pair: Pair) -> None:
    """What the service sends, the fake accepts and keeps."""
    states = (_state(pair), _state(pair, "WK2", "UNAVAILABLE", "Lunch"))
    response = AgentStatesService(pair.connection.connect()).process_agent_states(
        AgentStateListDTO(agent_states=states)
    )
    assert (response.status, response.accepted) == (200, 2)
    rows = pair.wfm.inbox.states(0, 10)["rows"]
    assert [(row["agent_id"], row["event_reason"]) for row in rows] == [("WK1", ""), ("WK2", "Lunch")]


def test_a_day_on_the_virtual_clock(pair: Pair) -> None:
    """Over 24 hours tokens are refreshed each hour and one login is enough."""
    service = ReportService(pair.connection.connect())
    for _ in range(96):
        start_ms = pair.clock.now_ms()
        pair.clock.advance(900)
        service.process_queue_report(ReportDTO(start_ms=start_ms, end_ms=start_ms + 900_000))
    counters = pair.wfm.inbox.counters()
    assert (counters["reports"], counters["tokens"], counters["rejections"]) == (96, 1, 0)
    assert 23 <= counters["refreshes"] <= 25


def test_a_refused_batch_is_content(pair: Pair) -> None:
    """A bad row makes the batch a CONTENT failure that tells rule and place."""
    bad = AgentState(agent_id="WK2", event_id="COFFEE", start_ms=START_MS)
    with pytest.raises(CXoneWfmException, match="M06") as caught:
        AgentStatesService(pair.connection).process_agent_states(AgentStateListDTO(agent_states=(_state(pair), bad)))
    assert (caught.value.kind, caught.value.status) == (FailureKind.CONTENT, 400)
    assert caught.value.response.code == "VALIDATION_ERROR"


def test_a_partial_refusal_names_the_rows(pair: Pair) -> None:
    """In partial mode the rejected rows come back by position."""
    pair.wfm.partial = True
    bad = AgentState(agent_id="WK2", event_id="COFFEE", start_ms=START_MS)
    states = AgentStateListDTO(agent_states=(_state(pair), bad, _state(pair, "WK3")))
    response = AgentStatesService(pair.connection).process_agent_states(states)
    assert [(row.index, row.code) for row in response.rejected] == [(1, "M06")]
    assert response.accepted == 2


def test_a_revoked_login_heals(pair: Pair) -> None:
    """When all tokens are dropped, the next call logs in again and goes through."""
    pair.connection.connect()
    pair.wfm.tokens.revoke(refresh=True)
    assert pair.connection.heartbeat().status == 200
    assert pair.wfm.inbox.counters()["tokens"] == 2
