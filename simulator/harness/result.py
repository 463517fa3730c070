"""What came out of a demo: the verdict, the plan, and everything needed to look into it."""

from __future__ import annotations

import platform
import sqlite3
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from simulator.audit import Verdict
from simulator.audit.reports import ReportVerdict
from simulator.harness.plan import DemoPlan

_PACKAGES = ("flex-wfm", "flask", "granian", "twilio", "httpx", "sqlalchemy")


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoResult:
    """The outcome of one run.

    Attributes:
        reports: the verdict on the interval reports.
        drained: the connector had nothing left to send and the inbox was quiet before the audit.
        wall_s: from the start of the first server to the verdict.
        floor, wfm, connector: what the three servers say of themselves at the end.
        outages: from each kill of the connector until it was at work again, wall epoch seconds.
        directory: where logs, configuration and ledger lie.
    """

    plan: DemoPlan
    verdict: Verdict
    reports: ReportVerdict
    drained: bool
    wall_s: float
    floor: dict[str, Any]
    wfm: dict[str, Any]
    connector: dict[str, Any]
    outages: tuple[tuple[float, float], ...]
    logs: dict[str, str]
    directory: Path

    @property
    def clean(self) -> bool:
        """Both verdicts are clean, and nothing was still under way when they were reached."""
        return self.verdict.clean and self.reports_clean and self.drained

    @property
    def reports_clean(self) -> bool:
        """No report is wrong; a run too short for an interval to be due has none to judge."""
        return self.reports.clean or self.reports.counts.intervals_expected == 0

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON types."""
        plan = {name: str(value) if isinstance(value, Path) else value for name, value in asdict(self.plan).items()}
        verdict = self.verdict.to_dict()
        return {
            **verdict,
            "clean": self.clean,
            "reports": self.reports.to_dict(),
            "drained": self.drained,
            "seed": self.plan.seed,
            "plan": plan,
            "command": self.plan.command,
            "versions": versions(),
            "wall_s": round(self.wall_s, 1),
            "outages": [list(outage) for outage in self.outages],
            "floor": self.floor,
            "wfm": self.wfm,
            "connector": self.connector,
            "logs": self.logs,
            "directory": str(self.directory),
        }


def versions() -> dict[str, str]:
    """The versions that took part."""
    found = {"python": platform.python_version(), "sqlite": sqlite3.sqlite_version}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found
