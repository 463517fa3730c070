"""World, fake Twilio, connector and fake WFM in this process, on one clock that jumps from event to event."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from flask import Flask

from flex_plugin_backend import ManualDrive, create_app
from simulator.faults.board import Board
from simulator.faults.carrier import CarriedTransport
from simulator.faults.fault import Fault, Side
from simulator.faults.mail import Mail
from simulator.harness.config import (
    EVENTS_FILTER,
    TENANT,
    ConnectorFacts,
    Scalar,
    clean_environment,
    nested,
    settings_of,
    write_tables,
)
from simulator.harness.host import VirtualHost
from simulator.harness.routes import CallbackRoute, Route, StreamRoute
from simulator.twilio.account import TwilioAccount
from simulator.twilio.app import create_twilio_app
from simulator.twilio.emitter import EmitterSettings
from simulator.twilio.form import CallbackForm
from simulator.twilio.show import Show, ShowSettings
from simulator.twilio.signing import SigningKey
from simulator.twilio.target import CallbackTarget
from simulator.wfm import FakeWfm, WfmOptions, create_wfm_app
from simulator.world.engine import World
from simulator.world.events import Event
from simulator.world.holds import HOLD_EVENTS
from simulator.world.scenario import Scenario
from simulator.world.service import WorldService

_ACCESS_KEY, _SECRET_KEY = "SOAKACCESSKEY", "SOAKSECRETKEY"
_TWILIO, _WFM = "http://twilio.localhost", "http://wfm.localhost"


class VirtualFloor:
    """Everything between a world and the WFM, stepped by `step`; nothing waits, and nothing leaves the process.

    Attributes:
        taken: how many events the connector has taken, repeated ones included.
        on_taken: told of each of them, with the virtual instant (epoch ms), before the connector goes on.
        on_step: told of the virtual instant when everything that happens at it has happened.
    """

    def __init__(
        self,
        scenario: Scenario,
        directory: Path,
        *,
        warm_up_ms: int = 0,
        faults: Sequence[Fault] = (),
        route: Callable[[VirtualFloor], Route] | None = None,
        repair: bool = True,
        settings: Mapping[str, Mapping[str, Scalar]] | None = None,
    ) -> None:
        """Build everything and let the connector start; the world has run for `warm_up_ms` then.

        Args:
            faults: besides those of the scenario; the windows of all count from here.
            settings: tables of the tenant's settings that differ from those of a demo.
        """
        self.service = WorldService(World(scenario))
        self.start_ms = scenario.start_ms + warm_up_ms
        self.service.advance_to(self.start_ms)
        self.service.begin_to_be_heard()
        self.account = TwilioAccount.of(scenario)
        self._show = Show(self.service, self.account, ShowSettings(start_ms=self.start_ms, events_filter=EVENTS_FILTER))
        options = WfmOptions(access_key=_ACCESS_KEY, secret_key=_SECRET_KEY, seed=scenario.seed)
        wfm_app = create_wfm_app(options, now_ms=lambda: self.now_ms)
        self.wfm: FakeWfm = wfm_app.extensions["fake_wfm"]
        self.twilio_wire = CarriedTransport(create_twilio_app(self._show))
        self.wfm_wire = CarriedTransport(wfm_app)
        with self.service.present() as (world, _):
            offline_sid = world.floor.offline.sid
            pseudo = tuple(activity.name for activity in world.floor.pseudo_activities)
        self._facts = ConnectorFacts(
            port=80,
            ledger=directory / "ledger.sqlite3",
            twilio_url=_TWILIO,
            account_sid=self.account.account_sid,
            workspace_sid=self.account.workspace_sid,
            auth_token=self.account.auth_token,
            offline_activity_sid=offline_sid,
            pseudo_activities=pseudo,
            wfm_url=_WFM,
            access_key=_ACCESS_KEY,
            secret_key=_SECRET_KEY,
        )
        self._tables = settings_of(self._facts)
        self._tables[f"tenants.{TENANT}.repair"] = {"enabled": repair}
        for name, table in (settings or {}).items():
            self._tables.setdefault(f"tenants.{TENANT}.{name}", {}).update(table)
        self._now_ms = self.start_ms
        self.host = VirtualHost(
            self._facts.ledger, self.start_ms, self._start_connector, self.twilio_wire, self.wfm_wire, scenario.seed
        )
        self.mail = Mail([*EVENTS_FILTER.split(","), *HOLD_EVENTS], self._show.faults.letters)
        self.service.listen(self.mail.post)
        self.route = (route or callback_route)(self)
        if self.route.tells_of_holds:
            self.service.listen_to_holds(self.mail.post)
        self.taken = 0
        self.on_taken: Callable[[Sequence[Event], int], None] | None = None
        self.on_step: Callable[[int], None] | None = None
        self.set_faults((*scenario.faults, *faults))
        self.host.step_to(self.start_ms)

    def _start_connector(self, drive: ManualDrive) -> Flask:
        with _own_settings():
            return create_app(nested(self._tables), drive=drive)

    def set_faults(self, faults: Iterable[Fault]) -> None:
        """Set faults, each on its side; their windows count from now."""
        boards = {Side.WFM: self.wfm.faults}
        for one in faults:
            boards.get(one.side, self.faults).set([one], self.now_ms)

    @property
    def faults(self) -> Board:
        """The faults of events, of REST and of the machine; those of the WFM are on its own board."""
        return self._show.faults

    @property
    def now_ms(self) -> int:
        """Virtual time; the machine's clock may show another."""
        return self._now_ms

    @property
    def callback_url(self) -> str:
        """Where Twilio sends the tenant's callbacks."""
        return self._facts.callback_url

    def step(self, until_ms: int) -> None:
        """Go to the next instant at which something happens, or to `until_ms` if that comes first."""
        self._now_ms = now_ms = min(self._next_ms(), until_ms)
        self.service.advance_to(now_ms)
        self.host.face(self.faults, now_ms)
        self.host.step_to(now_ms)
        arrived_ms = self.mail.next_ms()
        if arrived_ms is not None and arrived_ms + self.route.gathers_ms <= now_ms:
            taken = list(self.route.deliver(self.mail.due(now_ms)))
            self.host.after_arrivals()
            self.taken += len(taken)
            if self.on_taken is not None:
                self.on_taken(taken, now_ms)
            self.host.step_to(now_ms)
        if self.on_step is not None:
            self.on_step(now_ms)

    def run_to(self, until_ms: int) -> None:
        """Step until `until_ms`."""
        while self.now_ms < until_ms:
            self.step(until_ms)

    def _next_ms(self) -> int:
        happens_ms = None
        if not self.service.has_ended():
            with self.service.present() as (world, _):
                happens_ms = world.next_ms()
        arrives_ms = self.mail.next_ms()
        gathers_ms = self.route.gathers_ms
        # What happens next arrives no sooner than it has been gathered, so the floor may go as far at once.
        dues = (
            None if happens_ms is None else happens_ms + gathers_ms,
            None if arrives_ms is None else arrives_ms + gathers_ms,
            self.host.next_ms(),
            self.host.next_fault_ms(self.faults),
        )
        return min(due_ms for due_ms in (*dues, 2**62) if due_ms is not None)

    def write_config(self, path: Path) -> None:
        """Write the connector's configuration, for commands that work on its ledger."""
        write_tables(self._tables, path)

    def health(self) -> dict[str, Any]:
        """What the connector says of the tenant."""
        answer = self.host.connectors[-1].app.test_client().get("/healthz").get_json()
        tenant: dict[str, Any] = answer["tenants"][TENANT]
        return tenant

    def close(self) -> None:
        """Stop the connector and let go of its ledger."""
        self.host.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def callback_route(floor: VirtualFloor) -> Route:
    """Signed callbacks into the connector's own application."""
    url = floor.callback_url
    return CallbackRoute(floor.host.door, url, CallbackForm(CallbackTarget.parse(url), _sender(floor)))


def stream_route(floor: VirtualFloor) -> Route:
    """Signed batches of Event Streams into the connector's own application."""
    return StreamRoute(floor.host.door, floor.callback_url.removesuffix("/events") + "/streams", _sender(floor))


def _sender(floor: VirtualFloor) -> EmitterSettings:
    account = floor.account
    return EmitterSettings(
        callback_url=floor.callback_url,
        account_sid=account.account_sid,
        workspace_sid=account.workspace_sid,
        workspace_name=account.workspace_name,
        key=SigningKey(account.auth_token),
    )


@contextmanager
def _own_settings() -> Iterator[None]:
    """Without the environment variables of a real connector, which would win over what is given here."""
    kept = dict(os.environ)
    others = kept.keys() - clean_environment(kept).keys()
    for name in others:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update({name: kept[name] for name in others})
