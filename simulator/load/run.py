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
from simulator.harness.config import EVENTS_FILTER
from simulator.harness.errors import HarnessError
from simulator.harness.faces import Face, inbox_rows
from simulator.load.delivery import Delivery, judge_delivery
from simulator.load.floor import LoadFloor, scenario_of
from simulator.load.letters import Post
from simulator.load.plan import LoadPlan
from simulator.load.records import Records
from simulator.load.result import LoadResult, latency_of_taken, result_of
from simulator.load.sender import Sender, run_precisely
from simulator.load.servers import LoadServers
from simulator.load.verdict import fitness_of
from simulator.twilio.account import TwilioAccount
from simulator.twilio.emitter import EmitterSettings
from simulator.twilio.signing import SigningKey
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
            ScenarioError: the floor cannot be built.
            HarnessError: the run could not be carried out, TargetUnreachable among them.
        """
        plan = self._plan
        self._tell(LoadProgress("floor"))
        scenario = scenario_of(plan)
        floor = LoadFloor(
            scenario, warm_up_minutes=plan.floor_warm_up_minutes, wanted=[] if plan.target else EVENTS_FILTER.split(",")
        )
        with ExitStack() as stack:
            servers, wfm, url, anchor_ms = None, None, plan.target, plan.anchor_ms
            if not url:
                self._tell(LoadProgress("servers"))
                servers = stack.enter_context(LoadServers(plan, scenario.agents, self._directory))
                wfm, url, anchor_ms = servers.wfm, servers.callback_url, servers.clock.anchor_ms
            elif plan.wfm:
                wfm = stack.enter_context(Face("the fake WFM", plan.wfm))
                wfm.get("/sim/counters")
            target = CallbackTarget.parse(url)
            account = TwilioAccount.of(scenario, plan.auth_token)
            sender = EmitterSettings(
                callback_url=url,
                account_sid=plan.account_sid or account.account_sid,
                workspace_sid=plan.workspace_sid or account.workspace_sid,
                workspace_name=account.workspace_name,
                key=SigningKey(account.auth_token),
            )
            begin = time.monotonic() + self._lead_s()
            offset_s = time.time() - time.monotonic()
            start_ms = round((begin + offset_s) * 1000) + (0 if anchor_ms is None else floor.start_ms - anchor_ms)
            post = Post(
                target,
                sender,
                run=secrets.token_hex(8),
                floor_start_ms=floor.start_ms,
                start_ms=start_ms,
                known=floor.known,
            )
            self._sender = Sender(target, post.letters(self._timed(floor)), connections=plan.connections)
            self._send(begin, url)
            records = self._sender.records
            stepped_s = time.time() - time.monotonic() - offset_s
            delivery = None
            if wfm is not None:
                self._tell(LoadProgress("settling"))
                drained = servers.drain() if servers is not None else _drain(wfm, plan.drain_timeout_s)
                self._tell(LoadProgress("auditing"))
                delivery = _judge(floor, post, records, wfm, start_ms, offset_s, drained=drained)
        fitness = fitness_of(records, self._sender.pulse, latency_of_taken(records))
        return result_of(
            records,
            begin=begin,
            wall_offset_s=offset_s,
            delivery=delivery,
            fitness=fitness,
            plan=plan,
            agents=scenario.agents,
            target=plan.target,
            interrupted=self.stopped,
            clock_step_ms=stepped_s * 1000,
            machine=_machine(),
            directory=None if plan.target else self._directory,
        )

    def _lead_s(self) -> float:
        """So long letters are made before the first is due."""
        count = 0.0 if self._plan.has_own_times else self._plan.law().total
        return min(_LONGEST_LEAD_S, _LEAST_LEAD_S + count * _MAKING_S)

    def _timed(self, floor: LoadFloor) -> Iterator[tuple[float, Event]]:
        """The floor's events with the seconds at which they are due."""
        plan = self._plan
        if not plan.has_own_times:
            yield from zip(plan.times(), floor.events(), strict=False)
            return
        speed = plan.speed if plan.shape == "replay" else 1.0
        for event in floor.events():
            due_s = (event.at_ms - floor.start_ms) / 1000 / speed
            if due_s >= plan.duration_s:
                return
            yield due_s, event

    def _send(self, begin: float, url: str) -> None:
        sender, length_s = self._sender, self._plan.duration_s
        if sender is None:
            raise RuntimeError("there is nothing to send")

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
