"""flex-wfm report: figures out of the ledger alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flow_bench import T0, TENANT, Bench
from histories import AVAILABLE, activity, event, reservation, task

from flex_plugin_backend.cli import main
from flex_plugin_backend.cli.moments import as_time
from flex_plugin_backend.domain.intervals import INTERVAL_MS, owner
from flex_plugin_backend.wfm.dto import WFMReportResponseDTO

BEGIN = owner(T0).next.start_ms
MINUTE = 60_000


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A call of ten minutes in the first interval, answered after 20 s; its report has been sent."""
    bench = Bench(tmp_path)
    bench.tenant.reporter.begin()
    bench.tenant.reporter._send = lambda _report: WFMReportResponseDTO(status=200)
    queue = {"task_queue_sid": "WQ1", "task_queue_name": "Support"}
    created = task("created", BEGIN, task_channel="voice", direction="inbound")
    entered = created.from_record({**created.to_record(), "sid": "EVentered", "type": "task-queue.entered", **queue})
    bench.tell(
        activity(T0, AVAILABLE, worker_name="ana"),
        created,
        entered,
        reservation("accepted", BEGIN + 20_000, **queue),
        reservation("completed", BEGIN + 10 * MINUTE, **queue),
        task("completed", BEGIN + 10 * MINUTE),
    )
    bench.clock.set_ms(BEGIN + INTERVAL_MS + 120_000)
    bench.tenant.reporter.step()
    yield bench
    bench.close()


def run(bench: Bench, *more: str, begin_ms: int = BEGIN) -> Result:
    """The command on the bench's ledger, for one interval."""
    config = bench.folder / "flex-wfm.toml"
    config.write_text(
        f'[ledger]\nurl = "sqlite:///{bench.folder}/ledger.sqlite3"\n'
        f'[tenants.{TENANT}.twilio]\naccount_sid = "AC1"\nworkspace_sid = "WS1"\nauth_token = "t"\n'
        f'[tenants.{TENANT}.wfm]\nservice_url = "http://127.0.0.1:9"\naccess_key = "k"\nsecret_key = "s"\n'
    )
    span = ["--from", as_time(begin_ms), "--to", as_time(begin_ms + INTERVAL_MS)]
    return CliRunner().invoke(main, ["report", "-c", str(config), "--tenant", TENANT, *span, *more])


def test_the_tables_show_the_figures_and_what_was_sent(bench: Bench) -> None:
    """The WFM holds these figures, and the call is in them."""
    done = run(bench)
    assert done.exit_code == 0, done.output
    assert done.output.count("revision 1, accepted") == 2
    assert done.output.count("the WFM holds these figures") == 2
    assert "Support" in done.output
    assert "580" in done.output


def test_measured_hold_is_shown_and_changes_nothing_that_the_wfm_holds(bench: Bench) -> None:
    """40 s on hold, told twice and late: no longer talk, still handle time, for which NICE has no field of its own."""
    for kind, at_ms in (("participant.unhold", BEGIN + 100_000), ("participant.hold", BEGIN + 60_000)) * 2:
        bench.tell(event(kind, at_ms, task_sid="WT1", sid=f"{kind}{at_ms}"))
    done = run(bench)
    assert done.output.count("the WFM holds these figures") == 2
    heads = next(line for line in done.output.splitlines() if "hold s" in line)
    row = next(line for line in done.output.splitlines() if "Support" in line)
    at = heads.index("hold s")
    assert row[at : at + len("hold s")].split() == ["40"], done.output
    assert "580" in row
    assert "participant.hold" in run(bench, "--explain", "WQ1").output


def test_a_difference_to_what_was_sent_is_told(bench: Bench) -> None:
    """A late event that the running connector has not sent again yet."""
    bench.tell(activity(BEGIN + 12 * MINUTE, "WA2"))
    assert "the figures have changed since" in run(bench).output


def test_an_interval_that_was_never_sent_says_so(bench: Bench) -> None:
    """And has no rows but the time of the one agent who is still logged in."""
    done = run(bench, begin_ms=BEGIN + INTERVAL_MS)
    assert done.output.count("not sent yet") == 2


def test_json_is_the_wire_form(bench: Bench) -> None:
    """One report a line."""
    activity_line, queue_line = run(bench, "--json").output.splitlines()
    assert json.loads(activity_line)["reportData"]
    assert json.loads(queue_line)["queueReport"][0]["contactsHandled"] == 1


@pytest.mark.parametrize("name", ["ana", "WK1", "Support", "WQ1"])
def test_explain_lists_the_events_behind_an_agent_or_a_queue(bench: Bench, name: str) -> None:
    """By id or by name."""
    output = run(bench, "--explain", name).output
    assert "EVentered" in output
    assert "WR1" in output


def test_explain_of_an_unknown_name_says_that_nothing_is_behind_it(bench: Bench) -> None:
    """Instead of nothing at all."""
    assert "no agent and no queue of this name" in run(bench, "--explain", "Nobody").output


def test_a_time_off_the_grid_is_refused(bench: Bench) -> None:
    """Intervals begin at :00, :15, :30 and :45."""
    done = run(bench, begin_ms=BEGIN + MINUTE)
    assert done.exit_code == 2
    assert "15-minute grid" in done.output
