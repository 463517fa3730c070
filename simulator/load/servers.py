"""Fake WFM, a floor that stands still, and a connector between them, for a load run that is given none."""

from __future__ import annotations

import time
from pathlib import Path

from simulator.harness import DemoPlan, Stage
from simulator.harness.config import TENANT, Scalar
from simulator.harness.errors import ControlFailed
from simulator.harness.stage import Clock
from simulator.load.plan import LoadPlan

_POLL_S = 0.1
_READY_S = 120.0
_WEEK_S = 604_800.0


class LoadServers(Stage):
    """The demo's three servers, but the floor only answers REST: the load generator plays what happens on it.

    So the connector looks at the floor once, when it starts; a later look would show it a floor on which nothing
    has happened.
    """

    def __init__(self, plan: LoadPlan, agents: int, directory: Path) -> None:
        floor = DemoPlan(
            scenario=plan.floor_scenario,
            agents=agents,
            seed=plan.seed,
            warm_up_minutes=plan.floor_warm_up_minutes,
            speed=1,
            ready_timeout_s=_READY_S,
            drain_timeout_s=plan.drain_timeout_s,
        )
        super().__init__(floor, directory, lead_s=0.0, tell=lambda _progress: None)
        self.callback_url = ""

    def _start(self) -> None:
        floor = self._start_fakes()
        start_ms, anchor_ms = int(floor["start_ms"]), time.time_ns() // 1_000_000
        changes: dict[str, dict[str, Scalar]] = {
            f"tenants.{TENANT}.repair": {"enabled": False},
            f"tenants.{TENANT}.states": {"snapshot_after_outage_s": _WEEK_S, "wrap_up_cap_s": _WEEK_S},
        }
        # The floor stands still, so nobody asks for its end.
        self._clock = Clock(start_ms=start_ms, anchor_ms=anchor_ms, speed=1.0, end_ms=start_ms + 1)
        self.callback_url = self._configure(floor, self._clock, changes).callback_url
        self.wfm.post("/sim/start", {"start_ms": start_ms, "anchor_ms": anchor_ms, "speed": 1.0})
        self._set_faults()
        self._start_connector()
        self._await_work()

    def _await_work(self) -> None:
        """Return when the connector has read the floor and told the WFM what it saw."""
        deadline_s = time.monotonic() + _READY_S
        while self.connector.get("/healthz")["tenants"][TENANT]["status"] in ("starting", "standby"):
            if time.monotonic() > deadline_s:
                raise ControlFailed(f"the connector was not at work after {_READY_S:.0f} s")
            time.sleep(_POLL_S)
        if not self.drain():
            raise ControlFailed("the WFM was not told of the floor as it was before the first callback")
