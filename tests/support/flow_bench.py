"""A tenant on a workbench: real ledger, projector, forwarder and SDK, stepped by hand against a scripted WFM."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from histories import AVAILABLE, CATALOGUE, OFFLINE, event
from pytest_httpserver import HTTPServer
from sqlalchemy import select
from werkzeug import Request, Response

from flex_plugin_backend.clock import Clock, ManualClock
from flex_plugin_backend.domain.events import TaskRouterEvent
from flex_plugin_backend.domain.mapping import Activity
from flex_plugin_backend.errors import TwilioUnavailable
from flex_plugin_backend.flow.duty import Threads
from flex_plugin_backend.flow.intake import Along
from flex_plugin_backend.flow.leader import FileLease
from flex_plugin_backend.flow.metrics import FlowMetrics
from flex_plugin_backend.flow.projector import Projector
from flex_plugin_backend.flow.rules import StoredCatalogue, derive_rules
from flex_plugin_backend.flow.tenant import Tenant
from flex_plugin_backend.flow.tenantparts import TenantParts
from flex_plugin_backend.ledger import eventlog
from flex_plugin_backend.ledger.eventlog import Arrival
from flex_plugin_backend.ledger.outbox import IN_LINE, Kind
from flex_plugin_backend.ledger.store import Ledger
from flex_plugin_backend.ledger.tables import answers, state_changes
from flex_plugin_backend.settings import TenantSettings, load_settings
from flex_plugin_backend.wfm import WFMConnection, WFMConnectionConfigBuilder
from flex_plugin_backend.wfm.contract import load_profile

TENANT = "acme"
T0 = 1_750_000_000_000
NOWHERE = "http://127.0.0.1:9"
FULL = StoredCatalogue(dict(CATALOGUE), OFFLINE)


def tenant_settings(service_url: str = NOWHERE, **tables: dict[str, Any]) -> TenantSettings:
    """The settings of one tenant; `tables` override keys of [wfm], [mapping], [states], [reports], [twilio]."""
    tenant: dict[str, Any] = {
        "twilio": {"account_sid": "AC1", "workspace_sid": "WS1", "auth_token": "token", **tables.get("twilio", {})},
        "wfm": {
            "service_url": service_url,
            "access_key": "key",
            "secret_key": "s3cr3t-of-the-key",
            "timeout_s": 5.0,
            "heartbeat_s": 3600.0,
            **tables.get("wfm", {}),
        },
        "mapping": tables.get("mapping", {}),
        "states": tables.get("states", {}),
        "reports": tables.get("reports", {}),
        "repair": tables.get("repair", {}),
    }
    return load_settings({"tenants": {TENANT: tenant}}, environ={}).tenants[TENANT]


@dataclass
class FakeSnapshot:
    """What the reader saw."""

    events: tuple[TaskRouterEvent, ...] = ()
    worker_sids: frozenset[str] = frozenset()
    open_reservation_sids: frozenset[str] = frozenset()


def shown(*workers: str, events: tuple[Any, ...] = (), open_sids: tuple[str, ...] = ()) -> FakeSnapshot:
    """A snapshot that shows these."""
    return FakeSnapshot(events, frozenset(workers), frozenset(open_sids))


def found(worker: str, to: str, at_ms: int) -> Any:
    """A worker as a snapshot shows it."""
    return event("snapshot.worker", at_ms, worker_sid=worker, activity_sid=to, sid=f"SN{worker}{to}{at_ms}")


@dataclass
class FakeReader:
    """Gives what the test put in, oldest first, the last for ever; an exception is raised."""

    catalogues: deque[StoredCatalogue | Exception] = field(default_factory=lambda: deque([FULL]))
    snapshots: deque[FakeSnapshot | Exception] = field(default_factory=lambda: deque([FakeSnapshot()]))
    histories: deque[tuple[Any, ...] | Exception] = field(default_factory=lambda: deque([()]))
    reads: list[str] = field(default_factory=list)
    windows: list[tuple[int, int]] = field(default_factory=list)

    def catalogue(self) -> StoredCatalogue:
        self.reads.append("catalogue")
        return self._next(self.catalogues)

    def snapshot(self) -> FakeSnapshot:
        self.reads.append("snapshot")
        return self._next(self.snapshots)

    def history(self, from_ms: int, to_ms: int) -> list[tuple[Any, ...]]:
        self.reads.append("history")
        self.windows.append((from_ms, to_ms))
        return [self._next(self.histories)]

    @staticmethod
    def _next(script: deque[Any]) -> Any:
        found = script.popleft() if len(script) > 1 else script[0]
        if isinstance(found, Exception):
            raise found
        return found


def twilio_down() -> TwilioUnavailable:
    """What the reader raises while Twilio does not answer."""
    return TwilioUnavailable(what="workers", problem="HTTP 503")


Script = Callable[[Request], Response]


class Peer:
    """A scripted WFM: each request takes the next answer, the last one being `204` for ever."""

    def __init__(self, server: HTTPServer) -> None:
        self.url = server.url_for("").rstrip("/")
        self.states: deque[Script] = deque()
        self.tokens: deque[Script] = deque()
        self.lookups: deque[Script] = deque()
        self.batches: list[list[tuple[str, str, str]]] = []
        self.taken: list[tuple[str, str, str]] = []
        self.authorizations: list[str] = []
        self.logins = 0
        server.expect_request("/v1/authentication/token").respond_with_handler(self._token)
        server.expect_request("/v1/acd-details").respond_with_handler(self._acd)
        server.expect_request("/v1/heartbeat").respond_with_handler(lambda _request: answer(204))
        server.expect_request("/v1/agent-states").respond_with_handler(self._states)

    def _token(self, request: Request) -> Response:
        self.logins += 1
        if self.tokens:
            return self.tokens.popleft()(request)
        return answer(200, {"access_token": f"token-{self.logins}", "expires_in": 3600, "token_type": "bearer"})

    def _acd(self, request: Request) -> Response:
        return self.lookups.popleft()(request) if self.lookups else answer(200, {"acdType": "TWILIO"})

    def _states(self, request: Request) -> Response:
        rows = [(row["agentId"], row["eventId"], row["eventReason"]) for row in request.get_json()["agentStates"]]
        self.batches.append(rows)
        self.authorizations.append(request.headers.get("Authorization", ""))
        response = self.states.popleft()(request) if self.states else answer(200, {"message": "taken"})
        if 200 <= response.status_code < 300:
            self.taken.extend(rows)
        return response

    def then(self, *responses: Response | Script) -> None:
        """The next answers to agent states."""
        for one in responses:
            self.states.append(always(one) if isinstance(one, Response) else one)


def always(response: Response) -> Script:
    """A script that gives this answer."""
    return lambda _request: response


def answer(status: int, body: Any = None, **headers: str) -> Response:
    """An HTTP answer; a dict goes out as JSON."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if isinstance(body, dict):
        return Response(json.dumps(body), status, named, content_type="application/json")
    return Response(body or "", status, named, content_type="text/html")


class Bench:
    """One tenant whose parts are stepped by hand; `restart` builds it anew on the same ledger."""

    def __init__(
        self,
        folder: Path,
        service_url: str = NOWHERE,
        *,
        clock: Clock | None = None,
        reader: FakeReader | None = None,
        catalogue: StoredCatalogue | None = FULL,
        **tables: dict[str, Any],
    ) -> None:
        self.folder = folder
        self.service_url = service_url
        self.clock = clock or ManualClock(T0)
        self.reader = reader or FakeReader()
        self.tables = tables
        self._open()
        if catalogue is not None:
            self.projector.set_catalogue(catalogue)

    def _open(self) -> None:
        settings = tenant_settings(self.service_url, **self.tables)
        self.ledger = Ledger(f"sqlite:///{self.folder / 'ledger.sqlite3'}")
        config = (
            WFMConnectionConfigBuilder()
            .set_service_url(settings.wfm.service_url)
            .set_access_key(settings.wfm.access_key.get_secret_value())
            .set_secret_key(settings.wfm.secret_key)
            .set_timeout_s(settings.wfm.timeout_s)
            .build()
        )
        self.connection = WFMConnection.get_connection(config, clock=self.clock)
        self.metrics = FlowMetrics()
        self.tenant = Tenant(
            TenantParts(
                name=TENANT,
                settings=settings,
                ledger=self.ledger,
                clock=self.clock,
                connection=self.connection,
                reader=self.reader,
                lease=FileLease(self.folder / "ledger.lease"),
                metrics=self.metrics,
                drive=Threads(self.clock),
                submit=self.store,
            )
        )
        self.projector = self.tenant.projector
        self.forwarder = self.tenant.forwarder
        self.forwarder.resume()
        self.projector.load()

    def close(self) -> None:
        """Let go of the ledger and the network."""
        self.connection.close()
        self.ledger.close()

    def restart(self, **tables: dict[str, Any]) -> None:
        """The process died and starts again, perhaps with other settings."""
        self.close()
        self.tables = {**self.tables, **tables}
        self._open()

    def store(self, events: Iterable[TaskRouterEvent], along: Along | None = None) -> int:
        """Put events into the ledger, as the intake does."""
        arrivals = [Arrival(TENANT, one, self.clock.now_ms()) for one in events]
        with self.ledger.write_durably() as connection:
            new = eventlog.append(connection, arrivals)
            if along is not None:
                along(connection, frozenset(sid for _, sid in new))
        self.tenant.stored(len(new))
        return len(new)

    def tell(self, *events: TaskRouterEvent) -> None:
        """Events arrive and are projected, timers included."""
        self.store(events)
        self.project()

    def project(self) -> None:
        """Project until nothing is left."""
        while self.projector.step():
            pass

    def drain(self) -> None:
        """Send until nothing waits; a failure is the test's failure."""
        while (wait_s := self.forwarder.step()) is not None:
            assert wait_s == 0.0, self.tenant.board.standing

    def rows(self, worker: str | None = None) -> list[Any]:
        """Every stored state change, in sending order."""
        query = select(state_changes).order_by(state_changes.c.id)
        if worker is not None:
            query = query.where(state_changes.c.worker_sid == worker)
        with self.ledger.read() as connection:
            return list(connection.execute(query))

    def told(self, worker: str | None = None) -> list[tuple[str, str, str]]:
        """(kind, event id, status) of every row, in sending order."""
        return [(row.kind, row.event_id, row.status) for row in self.rows(worker)]

    def line(self, worker: str) -> list[tuple[int, str | None, str]]:
        """The worker's line of states by start, momentary ones left out and equal neighbours merged."""
        return line_of(self.rows(worker))

    def answers(self) -> list[Any]:
        """What the WFM answered, as kept."""
        with self.ledger.read() as connection:
            return list(connection.execute(select(answers).order_by(answers.c.id)))


def line_of(rows: Iterable[Any]) -> list[tuple[int, str | None, str]]:
    """Rows -> (start ms, event id, reason), of kind CHANGE, by start; momentary states out, equal neighbours merged."""
    found = sorted((one for one in rows if one.kind == Kind.CHANGE and one.status in IN_LINE), key=_by_start)
    lasting = [
        one for one, later in zip(found, [*found[1:], None], strict=False) if not later or later.start_ms > one.start_ms
    ]
    line: list[tuple[int, str | None, str]] = []
    for one in lasting:
        if not line or line[-1][1:] != (one.event_id, one.reason):
            line.append((one.start_ms, one.event_id, one.reason))
    return line


def _by_start(row: Any) -> tuple[int, int]:
    return row.start_ms, row.id


def projector_on(ledger: Ledger, clock: Clock, settings: TenantSettings | None = None, **more: Any) -> Projector:
    """A projector alone, loaded from the ledger."""
    profile = load_profile("default")
    known = settings or tenant_settings()
    found = Projector(
        TENANT,
        ledger,
        clock,
        rules_for=lambda catalogue: derive_rules(known, profile, catalogue),
        reorder_window_s=known.states.reorder_window_s,
        on_changes=lambda: None,
        **more,
    )
    found.load()
    return found


def only(*sids: str) -> StoredCatalogue:
    """A catalogue of these activities alone."""
    known: dict[str, Activity] = {sid: CATALOGUE[sid] for sid in sids}
    return StoredCatalogue(known, OFFLINE if OFFLINE in sids else None)


__all__ = ["AVAILABLE", "Bench", "FakeReader", "FakeSnapshot", "Peer", "only", "projector_on", "tenant_settings"]
