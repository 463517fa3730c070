"""How many single-field mutations of right payloads the rules find, and that they find nothing in right ones.

    python benchmarks/contract_mutations.py [--agents 20] [--hours 24] [--seed 1] [--json FILE]

A floor is simulated in this process, and what its WFM received is mutated: each field of sampled objects is dropped,
made null, given another type or unit, shifted, swapped with a sibling, and each row is told twice. Whether a mutation
breaks the contract is judged by `broken`, which is written from the reference and knows nothing of the rules.
"""

from __future__ import annotations

import argparse
import copy
import json
import platform
import random
import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from flex_plugin_backend.wfm.contract import load_profile
from flex_plugin_backend.wfm.contract.rules import Series
from simulator.harness.virtual import VirtualFloor
from simulator.world.scenario import Scenario

PROFILE = load_profile()
STATES, ACTIVITY, QUEUES = "AgentStateListDTO", "AgentActivityReportDTO", "ReportDTO"
PER_BATCH = 12
Payload = dict[str, Any]

_EVENTS = {event.id: event.reason.value for event in PROFILE.events.values()}
_OPTIONAL = {"queueName", "distributed", "serviceLevel", "backlog", "backlogNotExpired", "backlogExpired"}
_TEXTS = {"acdType", "reportVersion", "agentId", "eventId", "queueId"}
_DISPLAYED = {"agentValue", "queueName"}  # shown to people, not compared: padding them is no breach
_TIMES = {"startTime", "endTime", "startDate", "endDate"}
_LISTS = {"agentStates", "reportData", "queueReport", "agentQueueReport", "agentSystemPerformanceReport"}


def captured(agents: int, hours: float, seed: int) -> list[tuple[str, Payload]]:
    """Every report, and the states in batches, that the WFM of a simulated floor received, in order."""
    with (
        tempfile.TemporaryDirectory() as folder,
        VirtualFloor(Scenario(agents=agents, seed=seed), Path(folder)) as floor,
    ):
        end_ms = floor.start_ms + round(hours * 3_600_000)
        floor.service.end_ms = end_ms
        floor.run_to(end_ms + 600_000)
        rows = floor.wfm.inbox.states(0, 10_000_000)["rows"]
        reports = floor.wfm.inbox.reports(0, 1_000_000)
    found: list[tuple[str, Payload]] = []
    for at in range(0, len(rows), PER_BATCH):
        batch = [_named(row) for row in rows[at : at + PER_BATCH]]
        found.append((STATES, {"acdType": "TWILIO_FLEX", "agentStates": batch}))
    for one in reports:
        found.append((ACTIVITY if "reportData" in one["body"] else QUEUES, one["body"]))
    return found


def _named(row: Any) -> Payload:
    return {
        "agentId": row["agent_id"], "agentValue": row["agent_value"], "eventId": row["event_id"],
        "eventReason": row["event_reason"], "startTime": row["start_time"],
    }  # fmt: skip


# ------------------------------------------------------------------------------------------------ mutations


def mutations(payload: Payload, chance: random.Random, rows: int) -> Iterator[tuple[str, Payload]]:
    """Each mutation of the payload's own fields and of those of some rows of each list."""
    places: list[tuple[str | int, ...]] = [()]
    for name in _LISTS & payload.keys():
        numbers = range(len(payload[name]))
        places += [(name, number) for number in chance.sample(numbers, min(rows, len(numbers)))]
    for place in places:
        for name in _at(payload, place):
            yield from _of_field(payload, place, name)
        if place:
            mutant = copy.deepcopy(payload)
            mutant[place[0]].insert(place[1], copy.deepcopy(_at(payload, place)))
            yield "duplicate", mutant


def _of_field(payload: Payload, place: tuple[str | int, ...], name: str) -> Iterator[tuple[str, Payload]]:
    value = _at(payload, place)[name]
    changes: list[tuple[str, Any]] = [("null", None)]
    if isinstance(value, list):
        changes.append(("type", {"rows": value}))
    elif name in _TIMES:
        moment = datetime.fromisoformat(value)
        changes += [
            ("type", round(moment.timestamp())),
            ("unit", value.replace("Z", ".000Z")),
            ("shift", f"{moment + timedelta(minutes=7, seconds=1):%Y-%m-%dT%H:%M:%SZ}"),
            ("shift", value.replace("Z", "+01:00")),
        ]
    elif isinstance(value, str):
        changes += [("type", 4711), ("type", [value]), ("shift", f" {value}"), ("shift", "")]
    else:
        changes += [("type", str(value)), ("unit", value * 1000), ("shift", value + 1), ("shift", -1 - value)]
    for kind, new in changes:
        mutant = copy.deepcopy(payload)
        _at(mutant, place)[name] = new
        yield kind, mutant
    mutant = copy.deepcopy(payload)
    del _at(mutant, place)[name]
    yield "drop", mutant
    for other in ("endTime", "endDate", "handleTime", "contactsHandled", "loginTime", "eventReason"):
        holder = _at(payload, place)
        if other in holder and other > name and holder[other] != value and type(holder[other]) is type(value):
            mutant = copy.deepcopy(payload)
            here = _at(mutant, place)
            here[name], here[other] = here[other], here[name]
            yield "swap", mutant


def _at(payload: Any, place: tuple[str | int, ...]) -> Any:
    for step in place:
        payload = payload[step]
    return payload


# ------------------------------------------------------------------------------------------- the judgement


def broken(dto: str, payload: Payload) -> str | None:
    """Why a payload is against the contract as the reference states it; None where it may stand."""
    own = {STATES: {"acdType", "agentStates"}}.get(dto, {"acdType", "reportVersion", "startDate", "endDate"})
    lists = {STATES: {"agentStates"}, ACTIVITY: {"reportData"}}.get(dto, _LISTS - {"agentStates", "reportData"})
    why = _shape(payload, own | lists)
    if why is None:
        why = next((why for name in lists for row in payload[name] if (why := _row(row))), None)
    if why is not None or dto == STATES:
        return why or _in_order(payload["agentStates"])
    start, end = _moment(payload["startDate"]), _moment(payload["endDate"])
    if start.minute % 15 or start.second or end - start != timedelta(minutes=15):
        return "no interval of the grid"
    return _activities(payload["reportData"], start, end) if dto == ACTIVITY else _queues(payload)


def _shape(holder: Payload, wanted: set[str]) -> str | None:
    for name in wanted - holder.keys():
        if name not in _OPTIONAL:
            return f"{name} is missing"
    for name, value in holder.items():
        if name in _LISTS:
            fits = isinstance(value, list)
        elif name in _TIMES:
            fits = isinstance(value, str) and len(value) == 20 and value.endswith("Z") and _reads(value)
        elif name in _TEXTS:
            fits = isinstance(value, str) and value == value.strip() and bool(value)
        elif name in _DISPLAYED:
            fits = isinstance(value, str) and (bool(value) or name == "queueName")
        elif name == "eventReason":
            fits = isinstance(value, str) and value == value.strip()
        elif name == "serviceLevel":
            fits = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 100
        else:
            fits = isinstance(value, int) and not isinstance(value, bool) and value >= 0
        if not fits:
            return f"{name} is {value!r}"
    return None


def _row(row: Payload) -> str | None:
    if "startTime" in row or "eventId" in row:
        wanted = {"agentId", "agentValue", "eventId", "eventReason", "startTime"}
        wanted |= {"endTime", "duration"} if {"endTime", "duration"} & row.keys() else set()
        why = _shape(row, wanted)
        if why is not None:
            return why
        need = _EVENTS.get(row["eventId"])
        if need is None:
            return "an event that nobody mapped"
        if (need == "required") != bool(row["eventReason"]) and need != "optional":
            return "a reason where none belongs, or none where one does"
        return None
    if "loginTime" in row or "outCalls" in row:
        names = {
            "agentId",
            "internalCalls",
            "internalTime",
            "readyTime",
            "idleTime",
            "outCalls",
            "outTime",
            "loginTime",
        }
        return _shape(row, names)
    names = {"queueId", "contactsHandled", "handleTime", "workTime"}
    if "contactsReceived" in row or "queueDelay" in row:
        names |= {
            "contactsReceived",
            "contactsAbandoned",
            "contactsAnsweredInSL",
            "contactsAbandonedInSL",
            "queueDelay",
        }
    else:
        names.add("agentId")
    return _shape(row, names)


def _in_order(rows: list[Payload]) -> str | None:
    last: dict[str, Payload] = {}
    for row in rows:
        before = last.get(row["agentId"])
        if before is not None and before["startTime"] > row["startTime"]:
            return "an older state after a newer one"
        if before is not None and (before["eventId"], before["eventReason"]) == (row["eventId"], row["eventReason"]):
            return "a change that changes nothing"
        last[row["agentId"]] = row
    return None


def _activities(rows: list[Payload], start: datetime, end: datetime) -> str | None:
    lines: dict[str, list[tuple[datetime, datetime]]] = {}
    for row in rows:
        begun, ended = _moment(row["startTime"]), _moment(row["endTime"])
        if not start <= ended < end or begun > ended:
            return "an activity of another interval"
        if row["duration"] != (ended - begun).total_seconds() or row["duration"] < 3:
            return "a duration that is not end minus start, or too short"
        if row["eventId"] == "LOGOFF":
            return "time logged off as an activity"
        lines.setdefault(row["agentId"], []).append((begun, ended))
    for spans in lines.values():
        spans.sort()
        for (_, ended), (begun, _) in pairwise(spans):
            if begun < ended or timedelta(0) < begun - ended < timedelta(seconds=3):
                return "activities that overlap or leave a hole"
    return None


def _queues(payload: Payload) -> str | None:
    sums: dict[str, Counter[str]] = {}
    for row in payload["agentQueueReport"]:
        sums.setdefault(row["queueId"], Counter()).update(
            {n: row[n] for n in ("contactsHandled", "handleTime", "workTime")}
        )
        if row["workTime"] > row["handleTime"] or (row["handleTime"] and not row["contactsHandled"]):
            return "an agent's time without contacts, or more work than handling"
    seen: set[str] = set()
    for row in payload["queueReport"]:
        if row["queueId"] in seen:
            return "a queue told twice"
        seen.add(row["queueId"])
        handled, abandoned = row["contactsHandled"], row["contactsAbandoned"]
        parts = sums.get(row["queueId"], Counter())
        if handled + abandoned > row["contactsReceived"]:
            return "more than received"
        if row["contactsAnsweredInSL"] > handled or row["contactsAbandonedInSL"] > abandoned:
            return "more in time than at all"
        if row["workTime"] > row["handleTime"] or (not handled and (row["handleTime"] or row["queueDelay"])):
            return "time without contacts, or more work than handling"
        if parts and any(parts[n] != row[n] for n in ("contactsHandled", "handleTime", "workTime")):
            return "agents and queue disagree"
        has_parts = {"backlog", "backlogNotExpired", "backlogExpired"} <= row.keys()
        if has_parts and row["backlog"] != row["backlogNotExpired"] + row["backlogExpired"]:
            return "a backlog that does not add up"
    if sums.keys() - seen:
        return "an agent's part of a queue that is not there"
    if len({row["agentId"] for row in payload["agentSystemPerformanceReport"]}) < len(
        payload["agentSystemPerformanceReport"]
    ):
        return "an agent told twice"
    for row in payload["agentSystemPerformanceReport"]:
        if row["readyTime"] + row["idleTime"] > row["loginTime"] or row["loginTime"] > 900:
            return "parts that are more than the log-in, or a log-in longer than the interval"
        if (row["outTime"] and not row["outCalls"]) or (row["internalTime"] and not row["internalCalls"]):
            return "time without calls"
    return None


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _reads(text: str) -> bool:
    try:
        _moment(text)
    except ValueError:
        return False
    return True


# ------------------------------------------------------------------------------------------------- the run


def run(payloads: list[tuple[str, Payload]], seed: int, *, rows: int = 3, sample: int | None = None) -> dict[str, Any]:
    """The counts: right payloads with findings, mutations by kind, those that break the contract, those found."""
    chance = random.Random(seed)
    series = Series(PROFILE)
    false_alarms = 0
    for number, (dto, payload) in enumerate(payloads):
        false_alarms += len(PROFILE.validate(dto, payload)) + len(list(series.add(str(number), dto, payload)))
        assert broken(dto, payload) is None, (broken(dto, payload), payload)
    false_alarms += len(list(series.finish()))
    chosen = payloads if sample is None else chance.sample(payloads, min(sample, len(payloads)))
    tried, breaking, found, noise = Counter[str](), Counter[str](), Counter[str](), 0
    missed: list[str] = []
    for dto, payload in chosen:
        for kind, mutant in mutations(payload, chance, rows):
            tried[kind] += 1
            why, findings = broken(dto, mutant), PROFILE.validate(dto, mutant)
            if why is None:
                noise += bool(findings)
                continue
            breaking[kind] += 1
            found[kind] += bool(findings)
            if not findings and len(missed) < 10:
                missed.append(f"{dto} {kind}: {why}")
    return {
        "payloads": len(payloads), "false_alarms": false_alarms, "tried": tried, "breaking": breaking, "found": found,
        "share": sum(found.values()) / max(1, sum(breaking.values())), "also_flagged": noise, "missed": missed,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--agents", type=int, default=20)
    parser.add_argument("--hours", type=float, default=24)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    result = run(captured(asked.agents, asked.hours, asked.seed), asked.seed)
    where = f"{platform.python_implementation()} {platform.python_version()}, {datetime.now(UTC):%Y-%m-%d}"
    print(f"{asked.agents} agents, {asked.hours:g} virtual hours, seed {asked.seed}; {where}")
    print(f"{result['payloads']} right payloads, {result['false_alarms']} findings in them")
    print("mutation    tried  breaking   found")
    for kind in sorted(result["tried"]):
        print(f"{kind:10} {result['tried'][kind]:6} {result['breaking'][kind]:9} {result['found'][kind]:7}")
    print(f"found: {100 * result['share']:.2f} % of those that break the contract")
    for line in result["missed"]:
        print("missed:", line)
    if asked.json:
        asked.json.write_text(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
