"""run_load: one plan from the first server to the result."""

from __future__ import annotations

import os
import platform
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from flex_plugin_backend.wfm.contract import load_profile
from simulator.audit import read_rows
from simulator.harness.errors import HarnessError
from simulator.harness.faces import Face, inbox_rows
from simulator.load.delivery import Delivery, judge_delivery
from simulator.load.floor import LoadFloor
from simulator.load.letters import Post
from simulator.load.plan import LoadPlan
from simulator.load.records import Records
from simulator.load.result import LoadResult, latency_of_taken, result_of
from simulator.load.sender import Sender, run_precisely
from simulator.load.servers import LoadServers
from simulator.load.source import Source, source_of
from simulator.load.verdict import fitness_of
from simulator.twilio.target import CallbackTarget
from simulator.world.events import Event

_MAKING_S = 0.0005  # what making one letter takes, generously
_LEAST_LEAD_S, _LONGEST_LEAD_S = 1.0, 8.0
_QUIET_S, _POLL_S = 2.0, 0.2


@dataclass(frozen=True, slots=True)
class LoadProgress:
    """How far a run has come.

    Attributes:
        phase: `floor`, `servers`, `making`, `running`, `settling` or `auditing`.
        share: of the planned time.
        due, unanswered: callbacks that were due, and those of them without an answer.
    """

    phase: str
    share: float = 0.0
    due: int = 0
    unanswered: int = 0


class TargetUnreachable(HarnessError):
    """Nothing listens where callbacks are to be posted."""


class LoadRun:
    """One run; `stop` ends it early, with the result so far.

    Args:
        plan: what to do.
        directory: for logs, configuration and ledger of the servers that are started.
        tell: hears of the progress.
    """

    def __init__(self, plan: LoadPlan, directory: Path, tell: Callable[[LoadProgress], None] | None = None) -> None:
        self._plan = plan
        self._directory = directory
        self._tell = tell or _silent
        self._sender: Sender | None = None
        self.stopped = False

    def stop(self) -> bool:
        """End the sending; False where there is nothing to end yet or any more."""
        if self._sender is None or self.stopped:
            return False
        self.stopped = True
        self._sender.stop()
        return True

    def run(self) -> LoadResult:
        """Do it.

        Raises:
            ScenarioError, LogFileError, OSError: the floor or the log cannot be used.
            HarnessError: the run could not be carried out, TargetUnreachable among them.
        """
        plan = self._plan
        self._tell(LoadProgress("floor"))
        source = source_of(plan)
        with ExitStack() as stack:
            servers, wfm, url, anchor_ms = None, None, plan.target, plan.anchor_ms
            if not url:
                self._tell(LoadProgress("servers"))
                servers = stack.enter_context(LoadServers(plan, source.agents, self._directory))
                wfm, url, anchor_ms = servers.wfm, servers.callback_url, servers.clock.anchor_ms
            elif plan.wfm:
                wfm = stack.enter_context(Face("the fake WFM", plan.wfm))
                wfm.get("/sim/counters")
            return self._play(source, url, anchor_ms, wfm, servers)

    def _play(
        self, source: Source, url: str, anchor_ms: int | None, wfm: Face | None, servers: LoadServers | None
    ) -> LoadResult:
        """Send everything to a target that is there, and judge it."""
        plan, target = self._plan, CallbackTarget.parse(url)
        begin, offset_s = time.monotonic() + self._lead_s(), time.time() - time.monotonic()
        start_ms = round((begin + offset_s) * 1000) + (0 if anchor_ms is None else source.start_ms - anchor_ms)
        post = Post(
            target,
            source.sender(url),
            run=secrets.token_hex(8),
            floor_start_ms=source.start_ms,
            start_ms=start_ms,
            known=source.known,
        )
        sender = self._sender = Sender(
            target,
            post.letters(self._timed(source)),
            connections=plan.connections,
            drain_s=plan.drain_timeout_s,
        )
        self._send(sender, begin, url)
        stepped_s = time.time() - time.monotonic() - offset_s
        delivery = None
        if wfm is not None and source.floor is not None:
            self._tell(LoadProgress("settling"))
            drained = servers.drain() if servers is not None else _drain(wfm, plan.drain_timeout_s)
            self._tell(LoadProgress("auditing"))
            delivery = _judge(source.floor, post, sender.records, wfm, start_ms, offset_s, drained=drained)
        return result_of(
            sender.records,
            begin=begin,
            wall_offset_s=offset_s,
            delivery=delivery,
            fitness=fitness_of(sender.records, sender.pulse, latency_of_taken(sender.records)),
            plan=plan,
            agents=source.agents,
            interrupted=self.stopped,
            clock_step_ms=stepped_s * 1000,
            machine=_machine(),
            directory=None if plan.target else self._directory,
        )

    def _lead_s(self) -> float:
        """So long letters are made before the first is due."""
        count = 0.0 if self._plan.has_own_times else self._plan.law().total
        return min(_LONGEST_LEAD_S, _LEAST_LEAD_S + count * _MAKING_S)

    def _timed(self, source: Source) -> Iterator[tuple[float, Event]]:
        """The source's events with the seconds at which they are due."""
        plan = self._plan
        if not plan.has_own_times:
            yield from zip(plan.times(), source.events(), strict=False)
            return
        speed, latest_s = plan.speed if plan.shape == "replay" else 1.0, 0.0
        for event in source.events():
            # In a log an event may stand behind a later one; then it is due at once.
            latest_s = max(latest_s, (event.at_ms - source.start_ms) / 1000 / speed)
            if latest_s >= plan.duration_s:
                return
            yield latest_s, event

    def _send(self, sender: Sender, begin: float, url: str) -> None:
        length_s = self._plan.duration_s

        def tell(due: int, unanswered: int) -> None:
            share = (time.monotonic() - begin) / length_s
            self._tell(LoadProgress("running", min(1.0, max(0.0, share)), due, unanswered))

        self._tell(LoadProgress("making"))
        try:
            run_precisely(sender.run(begin, tell))
        except OSError as error:
            raise TargetUnreachable(f"{url} cannot be reached: {error or 'no answer in time'}") from error


def _judge(
    floor: LoadFloor, post: Post, records: Records, wfm: Face, start_ms: int, offset_s: float, *, drained: bool
) -> Delivery:
    profile = load_profile("default")
    told = dict(post.told(len(records)))
    planned = {one.sid: records.due[one.number] + offset_s for one in told.values()}
    rows = read_rows(inbox_rows(wfm), profile)
    return judge_delivery(floor.truth(told), rows, profile, planned=planned, from_ms=start_ms, drained=drained)


def _drain(wfm: Face, timeout_s: float) -> bool:
    """Wait until the WFM has heard nothing new for a while; False when that takes too long."""
    deadline = time.monotonic() + timeout_s
    rows, since = -1, time.monotonic()
    while time.monotonic() < deadline:
        now = int(wfm.get("/sim/counters")["states"])
        if now != rows:
            rows, since = now, time.monotonic()
        elif time.monotonic() - since >= _QUIET_S:
            return True
        time.sleep(_POLL_S)
    return False


def _machine() -> str:
    return f"{os.cpu_count()} processors, {platform.system()} {platform.machine()}, Python {platform.python_version()}"


def _silent(_progress: LoadProgress) -> None:
    """Nobody listens."""
