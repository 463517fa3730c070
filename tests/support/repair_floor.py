"""A virtual floor that loses events on the way, and judges that know what repair has read."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flex_plugin_backend.wfm.contract import load_profile
from simulator.audit import Verdict, read_rows
from simulator.audit.reports import ReportVerdict
from simulator.faults.letter import Letter
from simulator.faults.mail import Alter
from simulator.harness.jury import Jury
from simulator.harness.virtual import VirtualFloor
from simulator.world.events import Event
from simulator.world.scenario import Scenario

MINUTE, HOUR = 60_000, 3_600_000


Doomed = Callable[[Event, random.Random], bool]
Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@dataclass
class BadDays:
    """Stands before the fake Twilio and answers for it now and then: `answers` gives a status, or None to pass on."""

    app: Wsgi
    answers: Callable[[str], tuple[int, dict[str, str]] | None] = lambda _path: None
    asked: list[str] = field(default_factory=list)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"].rpartition("/")[2]
        self.asked.append(path)
        answer = self.answers(path)
        if answer is None:
            return self.app(environ, start_response)
        status, headers = answer
        start_response(f"{status} Bad Day", [("Content-Type", "application/json"), *headers.items()])
        return [b'{"code": 20500, "message": "bad day", "status": %d}' % status]


@dataclass
class Lose:
    """Loses what `doomed` says of what passes by, and notes it."""

    doomed: Doomed
    passing: Alter
    chance: random.Random
    lost: list[Event] = field(default_factory=list)

    def __call__(self, letter: Letter) -> Sequence[Letter]:
        if self.doomed(letter.event, self.chance):
            self.lost.append(letter.event)
            return []
        return self.passing(letter)


class RepairFloor:
    """A floor whose connector repairs; step it with `run`, judge it with `verdict`."""

    def __init__(
        self,
        folder: Path,
        doomed: Doomed,
        *,
        agents: int = 8,
        seed: int = 1,
        settle_ms: int = HOUR,
        repair: bool = True,
        **more: Any,
    ) -> None:
        """`settle_ms`: so long after it happened everything has come or was recovered."""
        self.down = False
        # Its connector tells every state that it comes to know of, however old, so that each can be judged.
        patient = {"states": {"catch_up_s": 86_400.0}}
        self.floor = VirtualFloor(
            Scenario(agents=agents, seed=seed), folder, warm_up_ms=30 * MINUTE, repair=repair, settings=patient, **more
        )
        self.loss = self.floor.mail.alter = Lose(
            lambda event, chance: self.down or doomed(event, chance), self.floor.mail.alter, random.Random(seed)
        )
        self.twilio = BadDays(self.floor.twilio_wire.app)
        self.floor.twilio_wire.app = self.twilio
        self.database = sqlite3.connect(f"file:{folder / 'ledger.sqlite3'}?mode=ro", uri=True)
        self.jury = Jury(self.floor, settle_ms=settle_ms, by_knowledge=True)
        self._events: dict[str, Event] = {}
        self._seen = 0
        self.recovered: dict[str, int] = {}
        self.floor.service.listen(self._happened)
        judge = self.floor.on_step
        assert judge is not None
        self._judge = judge
        self.floor.on_step = self._step

    def _happened(self, events: Sequence[Event]) -> None:
        self._events.update((one.sid, one) for one in events)

    def _step(self, now_ms: int) -> None:
        """What repair has stored in this step is known from now on, as if it had just come."""
        query = "SELECT seq, sid FROM events WHERE seq > ? AND json_extract(body, '$.route') = 'rest' ORDER BY seq"
        rows = self.database.execute(query, (self._seen,)).fetchall()
        if rows:
            self._seen = rows[-1][0]
            self.recovered.update((sid, now_ms) for _, sid in rows)
            assert self.floor.on_taken is not None
            self.floor.on_taken([self._events[sid] for _, sid in rows], now_ms)
        self._judge(now_ms)

    @property
    def now_ms(self) -> int:
        return self.floor.now_ms

    def run(self, for_ms: int) -> None:
        """Let the floor live, with a look of the judges each quarter of an hour."""
        until_ms = self.now_ms + for_ms
        while self.now_ms < until_ms:
            self.floor.run_to(min(until_ms, self.now_ms + 15 * MINUTE))
            self.jury.look()

    def stay_away(self, for_ms: int) -> None:
        """The connector ends, and starts again later on the same ledger; callbacks of the meantime find nobody."""
        self.down = True
        self.floor.host.die()
        self.run(for_ms)
        self.down = False
        self.floor.host.start()

    def end(self, for_ms: int = 45 * MINUTE) -> None:
        """Nothing more happens; the connector has so long to finish."""
        self.floor.service.end_ms = self.end_ms = self.now_ms
        self.run(for_ms)

    def verdict(self) -> tuple[Verdict, ReportVerdict]:
        return self.jury.verdict(self.end_ms)

    def told(self) -> dict[str, list[tuple[int, str, str]]]:
        """What the WFM was told of each agent, in the order of telling: (start ms, event id, reason)."""
        lines: dict[str, list[tuple[int, str, str]]] = {}
        for row in read_rows(self.floor.wfm.inbox.states(0, 1_000_000)["rows"], load_profile("default")):
            lines.setdefault(row.agent_id, []).append((row.start_ms or 0, row.event_id, row.event_reason))
        return lines

    def withdrawn(self) -> set[tuple[str, int]]:
        """What was told and turned out never to have been: (agent, start ms as told)."""
        query = "SELECT agent_id, start_ms / 1000 * 1000 FROM state_changes WHERE kind = 'withdrawn'"
        return set(self.database.execute(query))

    def present(self) -> dict[str, tuple[str, str]]:
        """What each agent really does now, in the WFM's words."""
        profile = load_profile("default")
        found: dict[str, tuple[str, str]] = {}
        with self.floor.service.present() as (world, _):
            for worker in world.floor.workers:
                one = world.truth.since(worker, 0, world.now_ms)[-1]
                event_id = profile.event_id(one.state, one.channel or None, one.direction or None)
                found[worker.sid] = (event_id or "", one.reason or "")
        return found

    def stored(self) -> set[str]:
        return {sid for (sid,) in self.database.execute("SELECT sid FROM events")}

    def gaps(self) -> list[dict[str, Any]]:
        return self._rows("SELECT * FROM gaps ORDER BY id")

    def receipts(self) -> list[dict[str, Any]]:
        return self._rows("SELECT * FROM report_runs")

    def _rows(self, query: str) -> list[dict[str, Any]]:
        rows = self.database.execute(query)
        names = [one[0] for one in rows.description]
        return [dict(zip(names, row, strict=True)) for row in rows]

    def differing_totals(self) -> list[Any]:
        return self.database.execute("SELECT * FROM queue_checks").fetchall()

    def close(self) -> None:
        self.database.close()
        self.floor.close()
