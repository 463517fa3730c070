"""What a load run is to do, checked before anything is started."""

from __future__ import annotations

import random
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from simulator.load.shapes import Arrivals, Burst, Ramp, Shape, Steady, send_times
from simulator.twilio.target import CallbackTarget

ShapeName = Literal["steady", "burst", "ramp", "login-storm", "replay"]
SHAPES: tuple[str, ...] = get_args(ShapeName)
OWN_TIMES = ("login-storm", "replay")
MOST_EVENTS = 2_000_000
# At the busiest hour 5,000 agents cause about 65 callbacks a second that the connector asks for. With so many agents
# per callback a second the floor runs about three times as fast as in life, and most states still last.
_AGENTS_PER_RATE = 25
_LEAST_AGENTS, _MOST_AGENTS = 50, 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPlan:
    """The parameters of one run; two runs with the same plan send the same events at the same times.

    Attributes:
        shape: how the rate goes. `login-storm` and `replay` take the floor's own times.
        rate: callbacks a second; unused where the floor's own times count.
        speed: how many times as fast `replay` is.
        duration_s: for how long callbacks are due.
        arrivals: `poisson` or `even`.
        scenario: name or file of what the floor is like; empty: the defaults.
        log: an event log whose events are replayed instead of those of a floor; empty: a floor's.
        agents: of the floor; 0: as many as fit the rate, or the scenario's.
        warm_up_minutes: virtual minutes for which the floor has been at work before the first callback.
        target: where callbacks are posted; empty: a connector is started for the run.
        wfm: address of the fake WFM behind the target; empty: only the connector's answers are judged.
        auth_token, account_sid, workspace_sid: of the target's workspace; empty: made from the seed, as the simulated
            workspace makes them.
        anchor_ms: the machine time at which the target's `[clock]` shows the floor's start; None: the target goes by
            the machine's clock.
        connections: how many requests are under way at most.
        drain_timeout_s: how long to wait for the last answers, and then for the WFM.
        directory: for logs, configuration and ledger of the servers that are started.
    """

    shape: ShapeName = "steady"
    rate: float = 50.0
    speed: float = 1.0
    duration_s: float = 30.0
    arrivals: Arrivals = "poisson"
    burst_every_s: float = 10.0
    burst_within_s: float = 1.0
    scenario: str = ""
    log: str = ""
    agents: int = 0
    seed: int = 1
    warm_up_minutes: float = 30.0
    target: str = ""
    wfm: str = ""
    auth_token: str = field(default="", repr=False)
    account_sid: str = ""
    workspace_sid: str = ""
    anchor_ms: int | None = None
    connections: int = 64
    drain_timeout_s: float = 60.0
    directory: Path | None = None

    def __post_init__(self) -> None:
        """Raises ValueError with what cannot be done."""
        for name in ("rate", "speed", "duration_s", "burst_every_s", "burst_within_s", "drain_timeout_s"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be above 0")
        if self.burst_within_s > self.burst_every_s:
            raise ValueError("a burst must be over before the next one begins")
        if not 1 <= self.connections <= 500:
            raise ValueError("connections must lie between 1 and 500")
        if self.target:
            CallbackTarget.parse(self.target)
        elif self.wfm or self.anchor_ms is not None:
            raise ValueError("--wfm and --anchor-ms belong to a --target; without one the servers are started here")
        if self.log and (self.shape != "replay" or not self.target or self.wfm):
            raise ValueError("--log belongs to --shape replay and a --target, and has no truth to judge a --wfm by")
        if not self.has_own_times and self.law().total > MOST_EVENTS:
            raise ValueError(f"that is more than {MOST_EVENTS:,} callbacks; make it several runs")

    @property
    def has_own_times(self) -> bool:
        """Whether callbacks are due when the floor says so."""
        return self.shape in OWN_TIMES

    @property
    def floor_scenario(self) -> str:
        """Name or file of what the floor is like; empty: the defaults."""
        return self.scenario or ("login-storm" if self.shape == "login-storm" else "")

    @property
    def floor_warm_up_minutes(self) -> float:
        """A storm begins before anybody has come."""
        return 0.0 if self.shape == "login-storm" else self.warm_up_minutes

    @property
    def floor_agents(self) -> int | None:
        """How many agents there are; None leaves it to the scenario."""
        if self.agents:
            return self.agents
        if self.floor_scenario:
            return None
        if self.has_own_times:
            return _LEAST_AGENTS
        return max(_LEAST_AGENTS, min(_MOST_AGENTS, round(self.rate * _AGENTS_PER_RATE)))

    def law(self) -> Shape:
        """The rate over time, where the plan sets it."""
        if self.shape == "burst":
            return Burst(self.rate, self.duration_s, self.burst_every_s, self.burst_within_s)
        return (Ramp if self.shape == "ramp" else Steady)(self.rate, self.duration_s)

    def times(self) -> Iterator[float]:
        """The planned seconds, where the plan sets them."""
        return send_times(self.law(), self.arrivals, random.Random(f"{self.seed}:load"))

    @property
    def title(self) -> str:
        """What is done, in a line."""
        what = f"{self.shape}, {self.duration_s:g} s"
        if self.shape == "replay":
            return f"{what}, {'the log' if self.log else 'the floor'}'s own times at {self.speed:g}x"
        return what if self.has_own_times else f"{what} at {self.rate:g}/s, {self.arrivals} arrivals"

    @property
    def command(self) -> str:
        """The one command that runs this plan again, without the secret."""
        words: list[object] = ["flex-wfm-sim", "load", "--shape", self.shape]
        words += ["--speed", f"{self.speed:g}"] if self.shape == "replay" else []
        words += [] if self.has_own_times else ["--rate", f"{self.rate:g}", "--arrivals", self.arrivals]
        if self.shape == "burst":
            words += ["--burst-every", f"{self.burst_every_s:g}", "--burst-within", f"{self.burst_within_s:g}"]
        words += ["--duration", f"{self.duration_s:g}", "--seed", self.seed]
        words += ["--scenario", self.scenario] if self.scenario else []
        words += ["--log", self.log] if self.log else []
        words += ["--agents", self.agents] if self.agents else []
        words += [] if self.shape == "login-storm" else ["--warm-up-minutes", f"{self.warm_up_minutes:g}"]
        words += ["--connections", self.connections]
        for option in ("target", "wfm", "account_sid", "workspace_sid"):
            if getattr(self, option):
                words += [f"--{option.replace('_', '-')}", getattr(self, option)]
        words += [] if self.anchor_ms is None else ["--anchor-ms", self.anchor_ms]
        return shlex.join(str(word) for word in words)
