"""run_demo: one plan from the first server to the verdict."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from flex_plugin_backend.wfm.contract import load_profile
from simulator.audit import Verdict, Window, audit, read_planned, read_rows, read_truth
from simulator.audit.reports import ReportVerdict, ReportWindow, audit_reports, read_reports, read_true_reports
from simulator.harness.errors import TooLate
from simulator.harness.faces import inbox_rows
from simulator.harness.plan import DemoPlan, Progress
from simulator.harness.result import DemoResult
from simulator.harness.stage import Stage

Tell = Callable[[Progress], None]
Rows = list[dict[str, Any]]


def run_demo(
    plan: DemoPlan,
    *,
    tell: Tell | None = None,
    tick: Callable[[Stage, Progress], None] | None = None,
    tamper: Callable[[Rows], Rows] | None = None,
    stay: Callable[[Stage, DemoResult], None] | None = None,
) -> DemoResult:
    """Start everything, let the floor run, judge what the WFM holds, and end everything.

    Args:
        plan: what to run.
        tell: hears of the progress a few times a second.
        tick: called at each look while the floor runs, with the open stage; the hook for faults.
        tamper: changes the inbox before the audit, to prove that the audit would notice.
        stay: called after the verdict, while everything still runs.

    Raises:
        HarnessError: the run could not be carried through, with the log to look into.
    """
    began_s = time.monotonic()
    tell = tell or _silent
    with _open_stage(plan, tell) as (stage, directory):
        stage.run(tick)
        drained = stage.drain()
        tell(replace(stage.progress(), phase="auditing"))
        result = DemoResult(
            plan=plan,
            verdict=judge(stage, plan, tamper),
            reports=judge_reports(stage, plan),
            drained=drained,
            wall_s=time.monotonic() - began_s,
            floor=stage.twilio.get("/sim/status"),
            wfm=stage.wfm.get("/sim/counters"),
            connector=stage.connector.get("/healthz"),
            outages=tuple((outage.down_s, outage.up_s) for outage in stage.outages),
            logs=stage.logs(),
            directory=directory,
        )
        if stay is not None:
            stay(stage, result)
    return result


def judge(stage: Stage, plan: DemoPlan, tamper: Callable[[Rows], Rows] | None = None) -> Verdict:
    """The audit of what the servers of an open stage hold now."""
    profile = load_profile("default")
    truth = read_truth(stage.twilio.get("/sim/truth", known_from_ms=stage.clock.start_ms))
    emissions = stage.twilio.get("/sim/emissions")
    rows = inbox_rows(stage.wfm)
    return audit(
        truth,
        read_rows(tamper(rows) if tamper else rows, profile),
        codes=profile,
        # What happened in the warm-up was before the connector's time; what was in force at its end counts.
        window=Window(from_ms=stage.clock.start_ms, known_from_ms=_delayed(stage, emissions) if plan.crashes else {}),
        planned=read_planned(emissions),
        redelivery_allowed=plan.crashes,
    )


def judge_reports(stage: Stage, plan: DemoPlan) -> ReportVerdict:
    """The audit of the interval reports that the fake WFM of an open stage holds now.

    Intervals count that lie wholly after the connector's start and were due before the floor's end.
    """
    clock = stage.clock
    truth = read_true_reports(stage.twilio.get("/sim/truth/reports", known_from_ms=clock.start_ms))
    held = read_reports(stage.wfm.get("/sim/inbox/reports")["reports"], load_profile("default"))
    # The connector's clock goes on after the floor's end; of what it reports then the truth knows nothing.
    in_time = [one for one in held if one.end_ms is None or one.end_ms <= clock.end_ms]
    window = ReportWindow(from_ms=clock.start_ms, until_ms=clock.end_ms)
    return audit_reports(truth, in_time, window=window, redelivery_allowed=plan.crashes)


def _delayed(stage: Stage, emissions: dict[str, Any]) -> dict[str, int]:
    """When the connector could first have known of the events whose callbacks its outages kept away."""
    return {
        callback["sid"]: stage.clock.at_ms(outage.up_s)
        for outage in stage.outages
        for callback in emissions["callbacks"]
        if outage.delayed(callback["planned_s"], callback["acked_s"])
    }


@contextmanager
def _open_stage(plan: DemoPlan, tell: Tell) -> Iterator[tuple[Stage, Path]]:
    """An open stage; begun again with twice the lead while the connector is not up in time."""
    base = plan.directory or Path(tempfile.mkdtemp(prefix="flex-wfm-demo-"))
    lead_s = plan.lead_s
    for attempt in range(1, plan.attempts + 1):
        directory = base if attempt == 1 else base / f"attempt-{attempt}"
        directory.mkdir(parents=True, exist_ok=True)
        stage = Stage(plan, directory, lead_s=lead_s, tell=tell)
        try:
            stage.open()
        except TooLate:
            if attempt == plan.attempts:
                raise
            lead_s *= 2
            continue
        try:
            yield stage, directory
        finally:
            stage.close()
        return


def _silent(_progress: Progress) -> None:
    """Nobody listens."""
