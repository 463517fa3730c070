"""World, fake Twilio, connector and fake WFM in this process, on one clock that jumps from event to event."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
from flask import Flask

from flex_plugin_backend import ManualDrive, create_app
from simulator.faults.letter import Fault
from simulator.harness.config import (
    EVENTS_FILTER,
    TENANT,
    ConnectorFacts,
    clean_environment,
    nested,
    settings_of,
)
from simulator.harness.mail import Mail
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
    ) -> None:
        """Build everything and let the connector start; the world has run for `warm_up_ms` then."""
        self.service = WorldService(World(scenario))
        self.start_ms = scenario.start_ms + warm_up_ms
        self.service.advance_to(self.start_ms)
        self.account = TwilioAccount.of(scenario)
        self._show = Show(self.service, self.account, ShowSettings(start_ms=self.start_ms, events_filter=EVENTS_FILTER))
        self.drive = ManualDrive(self.start_ms)
        wfm_app = create_wfm_app(
            WfmOptions(access_key=_ACCESS_KEY, secret_key=_SECRET_KEY), now_ms=lambda: self.drive.now_ms
        )
        self.wfm: FakeWfm = wfm_app.extensions["fake_wfm"]
        self.drive.twilio = httpx.WSGITransport(create_twilio_app(self._show))
        self.drive.wfm = httpx.WSGITransport(wfm_app)
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
        self._repair = repair
        self.connector: Flask = self._start_connector()
        self.mail = Mail([*EVENTS_FILTER.split(","), *HOLD_EVENTS], faults, scenario.seed)
        self.service.listen(self.mail.post)
        self.route = (route or callback_route)(self)
        if self.route.tells_of_holds:
            self.service.listen_to_holds(self.mail.post)
        self.taken = 0
        self.on_taken: Callable[[Sequence[Event], int], None] | None = None
        self.on_step: Callable[[int], None] | None = None
        self.drive.step_to(self.start_ms)

    def _start_connector(self) -> Flask:
        tables = settings_of(self._facts)
        tables[f"tenants.{TENANT}.repair"] = {"enabled": self._repair}
        with _own_settings():
            return create_app(nested(tables), drive=self.drive)

    @property
    def now_ms(self) -> int:
        """Virtual time."""
        return self.drive.now_ms

    @property
    def callback_url(self) -> str:
        """Where Twilio sends the tenant's callbacks."""
        return self._facts.callback_url

    def step(self, until_ms: int) -> None:
        """Go to the next instant at which something happens, or to `until_ms` if that comes first."""
        now_ms = min(self._next_ms(), until_ms)
        self.service.advance_to(now_ms)
        self.drive.step_to(now_ms)
        arrived_ms = self.mail.next_ms()
        if arrived_ms is not None and arrived_ms + self.route.gathers_ms <= now_ms:
            taken = self.route.deliver(self.mail.due(now_ms))
            self.taken += len(taken)
            if self.on_taken is not None:
                self.on_taken(taken, now_ms)
            self.drive.step_to(now_ms)
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
            self.drive.next_ms(),
        )
        return min(due_ms for due_ms in (*dues, 2**62) if due_ms is not None)

    def health(self) -> dict[str, Any]:
        """What the connector says of the tenant."""
        answer = self.connector.test_client().get("/healthz").get_json()
        tenant: dict[str, Any] = answer["tenants"][TENANT]
        return tenant

    def close(self) -> None:
        """Stop the connector and let go of its ledger."""
        self.connector.extensions["flex_wfm_plugin"].close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def callback_route(floor: VirtualFloor) -> Route:
    """Signed callbacks into the connector's own application."""
    url = floor.callback_url
    return CallbackRoute(floor.connector, url, CallbackForm(CallbackTarget.parse(url), _sender(floor)))


def stream_route(floor: VirtualFloor) -> Route:
    """Signed batches of Event Streams into the connector's own application."""
    return StreamRoute(floor.connector, floor.callback_url.removesuffix("/events") + "/streams", _sender(floor))


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
