"""What a demo is to do, and how far it has come."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoPlan:
    """The parameters of one run; two runs with the same plan see the same floor.

    Attributes:
        scenario: name or file of what the floor is like; empty: the defaults.
        agents: agents of the simulated floor.
        minutes: virtual minutes for which events flow.
        speed: virtual seconds per wall second.
        seed: of the floor.
        warm_up_minutes: virtual minutes the floor has run before the connector starts; known to it by REST alone.
        lead_s: wall seconds from the start of the clock to the first event, in which the connector must come up.
        attempts: how often a run is begun again, with twice the lead, when the connector was not up in time.
        until_acked: the emitter sends a callback again until it is answered (Twilio itself does not).
        crashes: the run kills the connector. The audit then forgives what no connector can help: a whole request that
            comes twice, and a state that was over before the connector, back again, could know of it.
        ready_timeout_s, drain_timeout_s: wall seconds to wait for a server to start, and for the end to settle.
        quiet_s: wall seconds without a new row after which the WFM's inbox counts as settled.
        directory: for logs, configuration and ledger; None makes one in the system's temporary directory.
    """

    scenario: str = ""
    agents: int = 50
    minutes: float = 60
    speed: float = 75
    seed: int = 1
    warm_up_minutes: float = 30
    lead_s: float = 5.0
    attempts: int = 3
    until_acked: bool = False
    crashes: bool = False
    ready_timeout_s: float = 30.0
    drain_timeout_s: float = 30.0
    quiet_s: float = 1.0
    directory: Path | None = None

    def __post_init__(self) -> None:
        for name in ("agents", "minutes", "speed", "lead_s", "attempts", "ready_timeout_s", "drain_timeout_s"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be above 0")
        for name in ("warm_up_minutes", "quiet_s"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be below 0")

    @property
    def run_s(self) -> float:
        """Wall seconds for which events flow."""
        return self.minutes * 60 / self.speed

    @property
    def command(self) -> str:
        """The one command that runs this plan again."""
        words: list[object] = ["flex-wfm-sim", "demo", *(("--scenario", self.scenario) if self.scenario else ())]
        words += ["--agents", self.agents, "--minutes", f"{self.minutes:g}"]
        words += ["--speed", f"{self.speed:g}", "--seed", self.seed]
        return shlex.join(str(word) for word in words)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One look at a running demo.

    Attributes:
        phase: `floor`, `connector`, `lead`, `running`, `settling` or `auditing`.
        share: how much of the virtual time has passed, 0 to 1.
        virtual_ms: the floor's time; None before the clock runs.
        callbacks: callbacks sent so far.
        rows: states the WFM has accepted so far.
        pending: states the connector still has to send; None while it cannot be asked.
        contacts: contacts of the floor so far.
    """

    phase: str
    share: float = 0.0
    virtual_ms: int | None = None
    callbacks: int = 0
    rows: int = 0
    pending: int | None = None
    contacts: int = 0
