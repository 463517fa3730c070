"""Results of load runs that never took place, for what is made of them."""

from __future__ import annotations

from typing import Any

from simulator.audit import Counts, Fault, Finding, Verdict
from simulator.load.delivery import Delivery
from simulator.load.plan import LoadPlan
from simulator.load.records import Failure, Records
from simulator.load.result import LoadResult, latency_of_taken, result_of
from simulator.load.sender import Pulse
from simulator.load.verdict import fitness_of

BEGIN, WALL_OFFSET_S = 1_000.0, 1_800_000_000.0
CLEAN = Counts(agents=2, states=3, expected=3, delivered=3, expected_delivered=3, rows=3)
MISSING = Counts(agents=2, states=3, expected=3, delivered=2, expected_delivered=2, missing=1, rows=2)


def records_of(count: int = 200, *, refused: int = 0, lost: int = 0, late_s: float = 0.0) -> Records:
    """Letters at fifty a second that took 2 to 12 ms each; the first ones were refused, the last ones lost."""
    records = Records()
    for number in range(count):
        due = BEGIN + number / 50
        records.open(due, due + late_s)
        records.sent[number] = due + late_s
        records.answered[number] = due + late_s + 0.002 + (number % 11) / 1000
        records.status[number] = 503 if number < refused else Failure.LOST if number >= count - lost else 204
    return records


def load_result(
    records: Records | None = None, *, counts: Counts | None = CLEAN, pulse: Pulse | None = None, **facts: Any
) -> LoadResult:
    """A result; with counts=None no WFM was read."""
    records = records_of() if records is None else records
    findings = (Finding(Fault.MISSING, "WK1", "A Name", "no row tells this state"),) if counts is MISSING else ()
    told = tuple((due + WALL_OFFSET_S, due + WALL_OFFSET_S + 0.02) for due in records.due[::2])
    verdict = None if counts is None else Verdict(counts=counts, latency=None, findings=findings)
    given: dict[str, Any] = {
        "plan": LoadPlan(),
        "agents": 7,
        "interrupted": False,
        "clock_step_ms": 0.0,
        "machine": "a machine",
    }
    return result_of(
        records,
        begin=BEGIN,
        wall_offset_s=WALL_OFFSET_S,
        delivery=None if verdict is None else Delivery(verdict, told, True),
        fitness=fitness_of(records, pulse or Pulse(wall_s=4.0), latency_of_taken(records)),
        **{**given, **facts},
    )
