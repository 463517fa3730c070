"""What an operator sees when something is wrong, and what must happen without hands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from flow_bench import T0, TENANT, Bench, FakeReader, twilio_down
from histories import AVAILABLE, BREAK, activity, event

from flex_plugin_backend.cli import main
from flex_plugin_backend.flow.condition import Condition
from flex_plugin_backend.flow.intake import MOST_AHEAD_MS, Intake
from flex_plugin_backend.ledger import eventlog, outbox
from flex_plugin_backend.ledger.outbox import Delivery, StateChange
from flex_plugin_backend.wfm.dto import WFMReportResponseDTO
from flex_plugin_backend.wfm.exceptions import CXoneWfmException, FailureKind


class Wfm:
    """Takes states, or refuses them."""

    def __init__(self) -> None:
        self.told: list[tuple[str | None, str | None, str]] = []
        self.refusing = False
        self.answer = WFMReportResponseDTO(status=200)

    def __call__(self, changes: list[StateChange]) -> WFMReportResponseDTO:
        if self.refusing:
            raise CXoneWfmException(kind=FailureKind.CONTENT, operation="agent_states", problem="unknown agent")
        self.told.extend((one.agent_id, one.event_id, one.reason) for one in changes)
        return self.answer


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A tenant at T0."""
    bench = Bench(tmp_path)
    yield bench
    bench.close()


@pytest.fixture
def wfm(bench: Bench) -> Wfm:
    """Its WFM."""
    wfm = Wfm()
    bench.forwarder._sender = wfm
    return wfm


def condition(bench: Bench) -> Condition:
    """What the board shows."""
    return bench.tenant.board.standing.condition


def test_a_heartbeat_that_fails_on_a_quiet_floor_shows_the_wfm_down_until_one_succeeds(bench: Bench, wfm: Wfm) -> None:
    """Nobody sends anything, so nothing else would tell."""
    failure = CXoneWfmException(kind=FailureKind.PASSING, operation="heartbeat", problem="refused")
    bench.forwarder.heartbeat(failure)
    assert bench.forwarder.step() is None
    assert condition(bench) is Condition.WFM_DOWN
    bench.forwarder.heartbeat(None)
    bench.forwarder.step()
    assert condition(bench) is Condition.OK


def test_a_refused_present_state_needs_a_human_until_a_later_one_is_taken(bench: Bench, wfm: Wfm) -> None:
    """Held, and the rest of the floor goes on."""
    wfm.refusing = True
    bench.tell(activity(T0, BREAK))
    bench.drain()
    assert condition(bench) is Condition.HELD
    assert "1 agents" in bench.tenant.board.standing.detail
    wfm.refusing = False
    bench.tell(activity(T0 + 60_000, AVAILABLE))
    bench.drain()
    assert condition(bench) is Condition.OK


def test_a_connector_that_cannot_read_twilio_is_blind(tmp_path: Path) -> None:
    """And says so instead of ok."""
    reader = FakeReader()
    reader.catalogues.appendleft(twilio_down())
    bench = Bench(tmp_path, reader=reader)
    bench.tenant.startup.prepare()
    bench.forwarder.step()
    bench.tenant.watch.step()
    assert condition(bench) is Condition.BLIND
    bench.close()


def test_an_answer_that_took_no_row_and_names_none_is_a_refusal(bench: Bench, wfm: Wfm) -> None:
    """2xx or not: what the WFM did not take is not delivered."""
    wfm.answer = WFMReportResponseDTO(status=200, accepted=0, unplaced_rejections=1, message="unknown agent")
    bench.tell(activity(T0, BREAK))
    bench.drain()
    assert [row.status for row in bench.rows()] == ["dead"]
    assert condition(bench) is Condition.HELD


def test_dead_letters_are_listed_explained_and_replayed_with_one_command(
    bench: Bench, wfm: Wfm, tmp_path: Path
) -> None:
    """Only the present of an agent is sent again; what was over by then is let go."""
    wfm.refusing = True
    bench.tell(activity(T0, BREAK))
    bench.drain()
    bench.tell(activity(T0 + 60_000, AVAILABLE))
    bench.drain()
    wfm.refusing = False
    config = tmp_path / "flex-wfm.toml"
    config.write_text(
        f'[ledger]\nurl = "sqlite:///{tmp_path}/ledger.sqlite3"\n'
        f'[tenants.{TENANT}.twilio]\naccount_sid = "AC1"\nworkspace_sid = "WS1"\nauth_token = "t"\n'
        f'[tenants.{TENANT}.wfm]\nservice_url = "http://127.0.0.1:9"\naccess_key = "k"\nsecret_key = "s"\n'
    )
    listed = CliRunner().invoke(main, ["dead-letters", "-c", str(config), "list", "--json"])
    assert listed.exit_code == 0, listed.output
    assert listed.output.count("unknown agent") == 2
    replayed = CliRunner().invoke(main, ["dead-letters", "-c", str(config), "replay"])
    assert replayed.output == f"{TENANT}: 1 states are sent again, 1 were over and are let go.\n"
    bench.drain()
    assert wfm.told == [("WK1", "AVAILABLE", "")]
    assert "no dead letters" in CliRunner().invoke(main, ["dead-letters", "-c", str(config), "list"]).output


def test_after_a_restart_with_another_mapping_the_present_is_told_under_the_new_names(bench: Bench, wfm: Wfm) -> None:
    """Agent id, event id and reason of today, not those of the day the state began."""
    bench.tell(activity(T0, BREAK, worker_name="ana"))
    bench.drain()
    bench.restart(mapping={"agent_id": "friendly_name", "activities": {"Break": {"reason": "B-CODE"}}})
    bench.forwarder._sender = wfm
    wfm.told.clear()
    bench.projector.repeat_present_states()
    bench.drain()
    assert wfm.told[-1] == ("ana", "UNAVAILABLE", "B-CODE")
    assert {agent for agent, _, _ in wfm.told} == {"ana"}


def test_an_agent_who_is_called_otherwise_from_now_on_is_told_under_the_new_id(tmp_path: Path) -> None:
    """The attribute changes, the state does not: the WFM learns the state of the new id all the same."""
    bench = Bench(tmp_path, mapping={"agent_id": "attribute:id"})
    wfm = Wfm()
    bench.forwarder._sender = wfm
    bench.tell(activity(T0, AVAILABLE, agent_key="8"))
    bench.drain()
    bench.tell(event("worker.attributes.update", T0 + 5_000, worker_sid="WK1", agent_key="9"))
    bench.drain()
    assert wfm.told == [("8", "AVAILABLE", ""), ("9", "AVAILABLE", "")]
    bench.close()


def test_rows_behind_a_whole_batch_of_superseded_ones_are_sent(tmp_path: Path) -> None:
    """A batch in which all was skipped is no sign that nothing waits."""
    bench = Bench(tmp_path, wfm={"batch_limit": 1})
    wfm = Wfm()
    bench.forwarder._sender = wfm
    bench.tell(activity(T0, BREAK), activity(T0 + 1_000, AVAILABLE))
    bench.drain()
    assert wfm.told == [("WK1", "UNAVAILABLE", "Break"), ("WK1", "AVAILABLE", "")] or wfm.told == [
        ("WK1", "AVAILABLE", "")
    ]
    with bench.ledger.read() as connection:
        assert outbox.number(connection, TENANT, (Delivery.PENDING,)) == 0
    bench.close()


def test_an_event_from_the_far_future_does_not_silence_its_worker(bench: Bench) -> None:
    """It takes the time of its receipt, so that the true events after it still count."""
    intake = Intake(bench.ledger, bench.clock, ack_timeout_s=5, on_stored=lambda _tenant, _number: None)
    intake.start()
    ahead = activity(T0 + MOST_AHEAD_MS + 1, BREAK)
    near = activity(T0 + MOST_AHEAD_MS, AVAILABLE)
    assert intake.submit(TENANT, (ahead, near)) == 2
    intake.stop()
    with bench.ledger.read() as connection:
        found = [one for _, one in eventlog.after(connection, TENANT, 0, 10)]
    assert found == [replace(ahead, occurred_ms=T0), near]
