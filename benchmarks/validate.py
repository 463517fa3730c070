"""`flex-wfm validate` beside `check-jsonschema`: a million activity records, and a hundred small files.

    python benchmarks/validate.py [--rows 1000000] [--peer-rows 100000] [--runs 3] [--write]

Method: the whole commands, from the start of the process to its end, one after the other on the same data and the same
schema, which comes from the default profile. Memory is the largest sum of the resident sets of a command's processes,
looked at every 50 ms; pages that two of its processes share count twice. check-jsonschema does not read NDJSON, so its
records stand in one JSON list, and it gets fewer of them: it holds the list as a whole. It checks shape alone; flex-wfm
checks shape and the rules of meaning. Rows of one run compare; runs on different days or machines do not. `--write`
puts the table into BENCHMARKS.md.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from parts import machine, write_part

from flex_plugin_backend.wfm.contract import Profile, load_profile

FILES = 100
START_MS = 1_772_442_900_000
BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Measured:
    """One command: seconds and megabytes."""

    wall_s: float
    peak_mb: float


def records(profile: Profile, number: int) -> Iterator[dict[str, Any]]:
    """Activity records of 1,000 agents, each agent's following one another without a hole."""
    events = [event for event in profile.events.values() if event.reason.value == "none" and event.state != "OFFLINE"]
    for index in range(number):
        turn, agent = divmod(index, 1000)
        start_ms = START_MS + turn * 60_000
        plain = {
            "agent_id": f"WK{agent:032x}",
            "event_id": events[turn % len(events)].id,
            "start_ms": start_ms,
            "end_ms": start_ms + 60_000,
            "duration_s": 60,
        }
        yield profile.encode("AgentActivity", plain)


def run(command: Sequence[str]) -> Measured:
    """Run a command that must find nothing; watch its memory."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    peak_kb = 0
    while process.poll() is None:
        peak_kb = max(peak_kb, sum(map(resident_kb, tree(process.pid))))
        try:
            process.wait(0.05)
        except subprocess.TimeoutExpired:
            continue
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}; the data should be clean")
    return Measured(time.perf_counter() - began, peak_kb / 1024)


def tree(pid: int) -> list[int]:
    """A process and all below it."""
    found = [pid]
    for one in found:
        for task in Path(f"/proc/{one}/task").glob("*/children"):
            try:
                found.extend(map(int, task.read_text().split()))
            except OSError:  # it ended while we looked
                continue
    return found


def resident_kb(pid: int) -> int:
    """The resident set of a process; 0 when it has ended."""
    try:
        match = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0
    return int(match[1]) if match else 0


def median(runs: int, command: Sequence[str]) -> Measured:
    """The run in the middle by time, and the largest memory of all."""
    done = [run(command) for _ in range(runs)]
    return Measured(statistics.median(one.wall_s for one in done), max(one.peak_mb for one in done))


def row(what: str, number: int, unit: str, measured: Measured) -> str:
    """A line of the table."""
    rate = f"{number / measured.wall_s:,.0f} {unit}/s"
    return f"| {what} | {number:,} | {measured.wall_s:.1f} s | {rate} | {measured.peak_mb:.0f} MB |"


def measure(folder: Path, rows: int, peer_rows: int, runs: int) -> str:
    """All commands; the table."""
    profile = load_profile()
    ours, theirs = str(BIN / "flex-wfm"), [str(BIN / "check-jsonschema"), "--schemafile"]
    lines, listed = folder / "records.ndjson", folder / "records.json"
    with lines.open("w") as out:
        out.writelines(json.dumps(record) + "\n" for record in records(profile, rows))
    listed.write_text(json.dumps(list(records(profile, peer_rows))))
    schema, list_schema, report_schema = (folder / f"{name}.schema" for name in ("row", "list", "report"))
    of_row = profile.json_schema("AgentActivity")
    schema.write_text(json.dumps(of_row))
    list_schema.write_text(json.dumps({"$schema": of_row["$schema"], "type": "array", "items": of_row}))
    report_schema.write_text(json.dumps(profile.json_schema("AgentActivityReportDTO")))
    small = folder / "small"
    small.mkdir()
    step_ms = profile.limits.interval_s * 1000
    for index in range(FILES):
        start_ms = START_MS + index * step_ms
        report = {"acd_type": "T", "start_ms": start_ms, "end_ms": start_ms + step_ms, "report_data": []}
        (small / f"{index:03d}.json").write_text(json.dumps(profile.encode("AgentActivityReportDTO", report)))
    files = sorted(map(str, small.glob("*.json")))
    found = [
        row("flex-wfm validate, NDJSON", rows, "records", median(runs, [ours, "validate", str(lines)])),
        row(
            "flex-wfm validate, one process",
            rows,
            "records",
            median(runs, [ours, "validate", "--processes", "1", str(lines)]),
        ),
        row(
            "check-jsonschema, a JSON list",
            peer_rows,
            "records",
            median(runs, [*theirs, str(list_schema), str(listed)]),
        ),
        row("flex-wfm validate, small files", FILES, "files", median(runs, [ours, "validate", *files])),
        row("check-jsonschema, small files", FILES, "files", median(runs, [*theirs, str(report_schema), *files])),
    ]
    head = "| command | how many | time, start included | rate | memory |\n|---|---|---|---|---|"
    return "\n".join([head, *found])


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--peer-rows", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        table = measure(Path(folder), given.rows, given.peer_rows, given.runs)
    text = f"Median of {given.runs} runs; {machine()}.\n\n{table}"
    print(text)
    if given.write:
        intro = (
            "`python benchmarks/validate.py --write` wrote this; its text says how it is measured. "
            "check-jsonschema checks shape alone; flex-wfm checks shape and the rules of meaning."
        )
        write_part("Checking payload files", f"{intro}\n\n{text}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
