"""The hashes of short runs of the ready scenarios, and how they are made anew after a change of the model.

Run by hand:  python tests/support/golden.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from simulator.world.run import run_world
from simulator.world.scenario.files import load_scenario, ready_scenarios

GOLDEN = Path(__file__).parents[2] / "fixtures" / "golden" / "event-logs.json"
SHORT: dict[str, Any] = {"agents": 25, "hours": 3.0}
# Where the first hours are quiet, the run begins later.
STARTS = {
    "five-thousand-agents": "2026-01-05T07:30:00Z", "follow-the-sun": "2025-10-26T00:00:00Z",
    "everything-strange": "2026-01-05T08:00:00Z", "ordinary-day": "2026-01-05T08:00:00Z",
}  # fmt: skip


def short_run(name: str) -> dict[str, Any]:
    """What a run is, and what came of it."""
    changes = SHORT | ({"start": STARTS[name]} if name in STARTS else {})
    result = run_world(load_scenario(name, changes), write=lambda _text: None)
    return {**changes, "events": result.events, "sha256": result.sha256}


def main() -> None:
    """Write the file."""
    runs = {name: short_run(name) for name in ready_scenarios()}
    GOLDEN.parent.mkdir(exist_ok=True)
    GOLDEN.write_text(json.dumps(runs, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
