"""Event logs as files of JSON lines: a header, then one event a line (docs/event-logs.md)."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, TextIO

from simulator.world.events import Event
from simulator.world.notes import NOTHING
from simulator.world.scenario import Scenario

FORMAT = "flex-wfm-sim/events"
VERSION = 1
_KEEPS = 20_000  # encoded blocks of workers and tasks
_encode: Callable[[object], str] = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class LogFileError(ValueError):
    """A file that is no event log, with the line where that shows."""

    def __init__(self, source: str, line: int, problem: str) -> None:
        super().__init__(f"{source}, line {line}: {problem}")
        self.source = source
        self.line = line


@dataclass(frozen=True, slots=True, kw_only=True)
class LogHeader:
    """What holds for all events of a log.

    Attributes:
        source: `simulated` or `recorded`.
        start_ms: no event was told before.
        seed, agents: of the scenario; None for a recorded log.
    """

    source: str
    account_sid: str
    workspace_sid: str
    workspace_name: str = ""
    offline_activity_sid: str = ""
    start_ms: int | None = None
    title: str = ""
    seed: int | None = None
    agents: int | None = None

    @classmethod
    def of(cls, scenario: Scenario, offline_activity_sid: str) -> LogHeader:
        """The header of a world's log."""
        return cls(
            source="simulated",
            account_sid=scenario.account_sid,
            workspace_sid=scenario.workspace_sid,
            workspace_name=scenario.workspace.name,
            offline_activity_sid=offline_activity_sid,
            start_ms=scenario.start_ms,
            title=scenario.title,
            seed=scenario.seed,
            agents=scenario.agents,
        )

    def line(self) -> str:
        """The first line of the file."""
        known = {one.name: getattr(self, one.name) for one in fields(self)}
        return _encode({"format": FORMAT, "version": VERSION, **{k: v for k, v in known.items() if v is not None}})


class LineWriter:
    """Writes events as lines; what several events share is encoded once."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Mapping[str, str], str]] = {}

    def line(self, event: Event) -> str:
        """One event, without the line's end."""
        told = "" if event.at_ms == event.ms else f'"at_ms":{event.at_ms},'
        return (
            f'{{{told}"ms":{event.ms},"sid":"{event.sid}","type":"{event.type}",'
            f'"resource_type":"{event.resource_type}","resource_sid":"{event.resource_sid}",'
            f'"data":{{{self._data(event)}}}}}'
        )

    def _data(self, event: Event) -> str:
        """`event.data()` as the inside of a JSON object, its keys in another order."""
        base, worker, extra = event.task_base, event.worker, event.extra
        if not base or event.type == "task.created":
            return _encode(event.data())[1:-1]
        parts = [
            self._block(base),
            f'"task_assignment_status":"{event.task_status}","task_version":"{event.task_version}",'
            f'"task_age":"{event.ms // 1000 - int(base["task_date_created"])}"',
        ]
        if event.resource_type == "reservation":
            parts.append(f'"reservation_sid":"{event.resource_sid}"')
        if worker:
            parts.append(self._block(worker, besides="operating_unit_sid"))
        if extra:
            parts.append(_encode(extra)[1:-1])
        return ",".join(parts)

    def _block(self, block: Mapping[str, str], besides: str = "") -> str:
        known = self._known.get(id(block))
        if known is None or known[0] is not block:
            if len(self._known) >= _KEEPS:
                self._known.clear()
            text = _encode({key: value for key, value in block.items() if key != besides})[1:-1]
            known = self._known[id(block)] = (block, text)
        return known[1]


def log_lines(header: LogHeader, events: Iterable[Event]) -> Iterator[str]:
    """The lines of a log, each with its end."""
    yield header.line() + "\n"
    writer = LineWriter()
    for event in events:
        yield writer.line(event) + "\n"


def open_text(path: Path, mode: Literal["r", "w"]) -> TextIO:
    """A log file to read (`r`) or write (`w`); compressed if its name ends in .gz, and then without the date."""
    if path.suffix != ".gz":
        file: TextIO = path.open(mode, encoding="utf-8", newline="\n")
        return file
    if mode == "r":
        return io.TextIOWrapper(gzip.open(path, "rb"), encoding="utf-8")
    # Without name and time in it equal logs are equal files.
    return io.TextIOWrapper(_Gzip(path), encoding="utf-8", newline="\n")


class _Gzip(gzip.GzipFile):
    """A compressed file that closes what it lies in."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        super().__init__("", "wb", compresslevel=6, fileobj=self._file, mtime=0)

    def close(self) -> None:
        super().close()
        self._file.close()


def read_log(path: Path) -> tuple[LogHeader, Iterator[Event]]:
    """The header, and the events one after the other as they are asked for.

    Raises:
        LogFileError: the file is no event log; for a line further down, when that line is reached.
        OSError: it cannot be read.
    """
    file = open_text(path, "r")
    try:
        header = _read_header(str(path), file.readline())
    except Exception:
        file.close()
        raise
    return header, _events(str(path), file)


def _read_header(source: str, text: str) -> LogHeader:
    found = _object(source, 1, text)
    if found.get("format") != FORMAT:
        raise LogFileError(source, 1, f'is no event log: its first line must have "format": "{FORMAT}"')
    if found.get("version") != VERSION:
        raise LogFileError(source, 1, f"has version {found.get('version')} of the format; this program reads {VERSION}")
    known = {one.name for one in fields(LogHeader)}
    try:
        return LogHeader(**{name: value for name, value in found.items() if name in known})
    except TypeError as error:
        raise LogFileError(source, 1, "the header lacks source, account_sid or workspace_sid") from error


def _events(source: str, file: TextIO) -> Iterator[Event]:
    with file:
        for number, text in enumerate(file, 2):
            if text.strip():
                yield _event(source, number, text)


def _event(source: str, number: int, text: str) -> Event:
    found = _object(source, number, text)
    data = found.get("data")
    texts = [found.get(name) for name in ("sid", "type", "resource_type", "resource_sid")]
    ms = found.get("ms")
    if not isinstance(data, dict) or not all(isinstance(one, str) for one in texts) or not isinstance(ms, int):
        raise LogFileError(source, number, "an event has ms, sid, type, resource_type, resource_sid and data")
    if not all(isinstance(value, str) for value in data.values()):
        raise LogFileError(source, number, "the values of data are texts")
    sid, kind, resource_type, resource_sid = (str(one) for one in texts)
    at_ms = found.get("at_ms", ms)
    if not isinstance(at_ms, int):
        raise LogFileError(source, number, "at_ms is a number of milliseconds")
    return logged_event(number, kind, ms, data, at_ms=at_ms, sid=sid, resource=(resource_type, resource_sid))


def logged_event(
    seq: int, kind: str, ms: int, data: Mapping[str, str], *, at_ms: int, sid: str, resource: tuple[str, str]
) -> Event:
    """An event whose data are exactly these."""
    worker = {key: value for key, value in data.items() if key.startswith("worker_")}
    return Event(
        at_ms, seq, sid, kind, ms, *resource, data.get("worker_sid", ""), data.get("task_sid", ""), worker,
        NOTHING, "", 0, data,
    )  # fmt: skip


def _object(source: str, number: int, text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise LogFileError(source, number, f"is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise LogFileError(source, number, "is no JSON object")
    return found
