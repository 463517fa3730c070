"""The running demo: fake WFM, simulated floor and connector as three processes, with the hooks that tests need."""

from __future__ import annotations

import secrets
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Self

from simulator.faults.fault import Side
from simulator.harness.config import EVENTS_FILTER, TENANT, ConnectorFacts, Scalar, clean_environment, write_config
from simulator.harness.errors import ControlFailed, HarnessError, TooLate
from simulator.harness.faces import Face
from simulator.harness.plan import DemoPlan, Progress
from simulator.harness.process import CONNECTOR, SIMULATOR, Child
from simulator.world.scenario.files import load_scenario

_POLL_S = 0.2
_ACCESS_KEY = "DEMOACCESSKEY"


@dataclass(frozen=True, slots=True)
class Clock:
    """The three numbers all processes share, and the end of the world."""

    start_ms: int
    anchor_ms: int
    speed: float
    end_ms: int

    def now_ms(self) -> int:
        """Virtual time."""
        return self.at_ms(time.time())

    def at_ms(self, wall_s: float) -> int:
        """Virtual time at an instant of the wall clock, epoch seconds."""
        return self.start_ms + int((wall_s * 1000 - self.anchor_ms) * self.speed)


@dataclass(frozen=True, slots=True)
class Outage:
    """When the connector was killed and when it was at work again, wall epoch seconds."""

    down_s: float
    up_s: float

    def delayed(self, planned_s: float, acked_s: float | None) -> bool:
        """Whether a callback was under way in the outage."""
        return planned_s <= self.up_s and (acked_s is None or acked_s >= self.down_s)


class Stage:
    """Starts everything in the one order that works, and ends it all again.

    Order: the fake WFM; the floor, on hold, with its warm-up behind it; the clock, whose zero lies `lead_s` ahead; the
    connector with that clock, which learns the floor by REST in the lead. At zero the first callback is sent.
    """

    def __init__(self, plan: DemoPlan, directory: Path, *, lead_s: float, tell: Callable[[Progress], None]) -> None:
        self._plan = plan
        self._directory = directory
        self._lead_s = lead_s
        self._tell = tell
        self._open = ExitStack()
        self._children: dict[str, Child] = {}
        self._secret_key = secrets.token_urlsafe(24)
        self.outages: list[Outage] = []
        self._clock: Clock | None = None
        self._down_s = 0.0
        self.twilio: Face = Face("the floor", "http://127.0.0.1:0")
        self.wfm: Face = Face("the fake WFM", "http://127.0.0.1:0")
        self.connector: Face = Face("the connector", "http://127.0.0.1:0")

    # ------------------------------------------------------------------------------------------------ life

    def open(self) -> None:
        """Start everything; where that fails, end what was started.

        Raises:
            TooLate: the connector was not up before the first event.
            HarnessError: a server did not start or did not answer.
        """
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End every process and let go of every connection."""
        self._open.close()
        # The connector first, so that it does not log the others' end as failures.
        for name in ("connector", "twilio", "wfm"):
            child = self._children.pop(name, None)
            if child is not None:
                child.stop()

    def _start(self) -> None:
        floor = self._start_fakes()
        self._start_clock(floor)
        self._tell(Progress(phase="connector"))
        self._start_connector()
        if time.time() * 1000 >= self.clock.anchor_ms:
            raise TooLate(
                f"the connector had not read the floor {self._lead_s:g} s after the clock was started: its first "
                "states would be late",
                log=self._children["connector"].log,
                tail=self._children["connector"].tail(),
            )

    def _start_fakes(self) -> dict[str, Any]:
        """The fake WFM and the floor, on hold; gives what the floor says of itself."""
        self._tell(Progress(phase="floor"))
        plan = self._plan
        secret = {"FLEX_WFM_SIM_SECRET_KEY": self._secret_key}
        self._launch("wfm", SIMULATOR, "wfm", "--port", "0", "--json-ready", "--access-key", _ACCESS_KEY, env=secret)
        self._launch(
            "twilio", SIMULATOR, "twilio", "--port", "0", "--json-ready", "--hold",
            *(("--scenario", plan.scenario) if plan.scenario else ()),
            "--agents", str(plan.agents), "--seed", str(plan.seed),
            "--warmup-minutes", f"{plan.warm_up_minutes:g}",
            "--events-filter", EVENTS_FILTER,
            "--delivery", "until-acked" if plan.until_acked else "twilio",
        )  # fmt: skip
        wfm = self._children["wfm"].ready(plan.ready_timeout_s)
        floor = self._children["twilio"].ready(plan.ready_timeout_s)
        self.wfm = self._face("the fake WFM", f"http://127.0.0.1:{wfm['port']}")
        self.twilio = self._face("the floor", floor["base_url"])
        return floor

    def _start_clock(self, floor: dict[str, Any]) -> None:
        plan = self._plan
        start_ms = int(floor["start_ms"])
        clock = Clock(
            start_ms=start_ms,
            anchor_ms=round((time.time() + self._lead_s) * 1000),
            speed=plan.speed,
            end_ms=start_ms + round(plan.minutes * 60_000),
        )
        facts = self._configure(floor, clock)
        shared = {"start_ms": start_ms, "anchor_ms": clock.anchor_ms, "speed": plan.speed}
        self.wfm.post("/sim/start", shared)
        self._set_faults()
        self.twilio.post("/sim/start", {**shared, "end_ms": clock.end_ms, "callback_url": facts.callback_url})

    def _configure(
        self, floor: dict[str, Any], clock: Clock, changes: Mapping[str, Mapping[str, Scalar]] = MappingProxyType({})
    ) -> ConnectorFacts:
        """Write the connector's configuration for this clock."""
        self._clock = clock
        facts = ConnectorFacts(
            port=_free_port(),
            ledger=self._directory / "ledger.sqlite3",
            twilio_url=floor["base_url"],
            account_sid=floor["account_sid"],
            workspace_sid=floor["workspace_sid"],
            auth_token=floor["auth_token"],
            offline_activity_sid=floor["offline_activity_sid"],
            pseudo_activities=tuple(floor["pseudo_activities"]),
            wfm_url=self.wfm.base_url,
            access_key=_ACCESS_KEY,
            secret_key=self._secret_key,
        )
        write_config(facts, clock, self.config_path, changes)
        self.connector = self._face("the connector", facts.url)
        return facts

    def _set_faults(self) -> None:
        """Those of the scenario that happen at the WFM; the floor knows its own."""
        faults = load_scenario(self._plan.scenario).faults if self._plan.scenario else ()
        by_hand = [one.name for one in faults if one.side is Side.HOST]
        if by_hand:
            raise HarnessError(
                f"{', '.join(by_hand)}: faults of the machine need virtual time; see flex-wfm-sim matrix"
            )
        at_wfm = [one.to_table() for one in faults if one.side is Side.WFM]
        if at_wfm:
            self.wfm.post("/sim/faults", {"faults": at_wfm})

    def _start_connector(self) -> None:
        self._launch("connector", CONNECTOR, "serve", "--config", str(self.config_path), "--json-ready")
        self._children["connector"].ready(self._plan.ready_timeout_s)
        self._await_work()

    def _await_work(self) -> None:
        """Wait until the connector has read the floor and sends states: before that it listens only."""
        deadline_s = time.time() + self._plan.ready_timeout_s
        while self.connector.get("/healthz")["tenants"][TENANT]["status"] in ("starting", "standby"):
            self._children["connector"].check()
            if time.time() > deadline_s:
                raise ControlFailed(f"the connector was not at work {self._plan.ready_timeout_s:.0f} s after its start")
            time.sleep(_POLL_S)  # a look, not an order: the next look decides

    def _launch(
        self, name: str, program: tuple[str, ...], *arguments: str, env: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        self._children[name] = Child(
            name, [*program, *arguments], self._directory / f"{name}.log", env={**clean_environment(), **env}
        )

    def _face(self, name: str, url: str) -> Face:
        return self._open.enter_context(Face(name, url))

    # --------------------------------------------------------------------------------------------- looking

    @property
    def clock(self) -> Clock:
        """The shared clock; there once the stage is open."""
        if self._clock is None:
            raise RuntimeError("the clock has not been started")
        return self._clock

    @property
    def config_path(self) -> Path:
        """The connector's configuration."""
        return self._directory / "connector.toml"

    def logs(self) -> dict[str, str]:
        """Where each server's log is."""
        return {name: str(child.log) for name, child in self._children.items()}

    def running(self) -> list[str]:
        """The servers that run now."""
        return [name for name, child in self._children.items() if child.exit_code is None]

    def urls(self) -> dict[str, str]:
        """Where to look at the running servers."""
        return {
            "connector, health": f"{self.connector.base_url}/healthz",
            "connector, metrics": f"{self.connector.base_url}/metrics",
            "floor, status": f"{self.twilio.base_url}/sim/status",
            "floor, truth": f"{self.twilio.base_url}/sim/truth",
            "fake WFM, states": f"{self.wfm.base_url}/sim/inbox/states",
            "fake WFM, counters": f"{self.wfm.base_url}/sim/counters",
        }

    def progress(self) -> Progress:
        """One look at everything; a dead server raises ChildFailed with the end of its log."""
        for child in self._children.values():
            child.check()
        status, counters, clock = self.twilio.get("/sim/status"), self.wfm.get("/sim/counters"), self.clock
        now_ms = min(clock.now_ms(), clock.end_ms)
        share = (now_ms - clock.start_ms) / (clock.end_ms - clock.start_ms)
        return Progress(
            phase="lead" if share < 0 else "settling" if status["finished"] else "running",
            share=max(0.0, share),
            virtual_ms=now_ms,
            callbacks=int(status["callbacks_sent"]),
            rows=int(counters["states"]),
            pending=self.pending(),
            contacts=int(status["contacts"]),
        )

    def pending(self) -> int | None:
        """What the connector still has to do: events to look at, states and reports to send; None if unknown."""
        tenant = self.connector.get("/healthz")["tenants"][TENANT]
        return int(tenant["pending"]) + int(tenant["unprojected"]) + int(tenant["reports_waiting"])

    # ---------------------------------------------------------------------------------------------- moving

    def run(self, tick: Callable[[Stage, Progress], None] | None = None) -> None:
        """Let the floor run to its end; `tick` is called at each look and may do what it likes to the stage.

        On a busy machine the floor comes late. As long as it moves it is waited for.
        """
        deadline_s = time.time() + self._lead_s + self._plan.run_s + self._plan.drain_timeout_s
        seen, moved_s = None, time.time()
        while True:
            progress = self.progress()
            self._tell(progress)
            if tick is not None:
                tick(self, progress)
            if progress.phase == "settling":
                return
            if (progress.virtual_ms, progress.callbacks) != seen:
                seen, moved_s = (progress.virtual_ms, progress.callbacks), time.time()
            if time.time() > max(deadline_s, moved_s + self._plan.drain_timeout_s):
                raise ControlFailed("the floor did not come to its end in time")
            time.sleep(_POLL_S)  # a look, not an order: the next look decides

    def drain(self) -> bool:
        """Wait until the connector has nothing to send and the inbox is quiet; False when that takes too long."""
        deadline_s = time.time() + self._plan.drain_timeout_s
        rows, since_s = -1, time.time()
        while time.time() < deadline_s:
            progress = self.progress()
            self._tell(progress)
            if progress.rows != rows or progress.pending != 0:
                rows, since_s = progress.rows, time.time()
            elif time.time() - since_s >= self._plan.quiet_s:
                return True
            time.sleep(_POLL_S)
        return False

    def kill_connector(self) -> None:
        """End the connector without warning; its ledger and its configuration stay."""
        self._down_s = time.time()
        self._children["connector"].kill()

    def restart_connector(self) -> None:
        """Kill the connector where it still runs, and start it again on the same ledger, port and clock.

        Returns when it has read the floor again and sends states.
        """
        if self._children["connector"].exit_code is None:
            self.kill_connector()
        self._start_connector()
        self.outages.append(Outage(self._down_s, time.time()))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
