"""Runs the fake Twilio as a process of its own: REST, /sim and callbacks behind one port."""

from __future__ import annotations

import gc
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from granian import Granian
from granian.constants import Interfaces

from simulator.faults.carrier import cut_broken
from simulator.faults.fault import Side
from simulator.listen import listens, url_of
from simulator.twilio.account import TwilioAccount
from simulator.twilio.app import create_twilio_app
from simulator.twilio.show import Show, ShowSettings
from simulator.world.engine import World
from simulator.world.scenario import Scenario
from simulator.world.service import WorldService

_READY_WITHIN_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSettings:
    """What the process is started with; `hold` waits for POST /sim/start."""

    scenario: Scenario
    show: ShowSettings
    host: str = "127.0.0.1"
    port: int
    auth_token: str = ""
    hold: bool = False
    json_ready: bool = False


def build_show(scenario: Scenario, settings: ShowSettings, auth_token: str = "") -> Show:
    """A world that has come to the start of the show, not started yet."""
    service = WorldService(World(scenario))
    service.advance_to(settings.start_ms)
    own = tuple(one for one in scenario.faults if one.side in (Side.EVENTS, Side.REST))
    settings = replace(settings, faults=(*own, *settings.faults), fault_seed=scenario.seed)
    return Show(service, TwilioAccount.of(scenario, auth_token), settings)


def serve(settings: ProcessSettings) -> None:
    """Serve until SIGTERM or SIGINT."""
    server = Granian(
        "simulator.twilio.process",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        workers=1,
        # The work of a read is Python's and holds the interpreter; more threads would only take turns.
        blocking_threads=2,
        log_enabled=False,
    )
    server.serve(target_loader=partial(_load, settings), wrap_loader=False)


def _load(settings: ProcessSettings) -> Callable[..., Any]:
    """In the serving process: build the world, serve it, start it."""
    show = build_show(settings.scenario, settings.show, settings.auth_token)
    # The floor and its past live as long as the process: looking through them again and again for garbage would
    # only delay callbacks.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    threading.Thread(target=_announce, args=(settings, show), name="announcer", daemon=True).start()
    threading.Thread(target=_leave_with_parent, args=(os.getppid(),), name="guard", daemon=True).start()
    return cut_broken(create_twilio_app(show))


def _announce(settings: ProcessSettings, show: Show) -> None:
    deadline_s = time.monotonic() + _READY_WITHIN_S
    while not listens(settings.host, settings.port):
        if time.monotonic() > deadline_s:
            sys.stderr.write(f"nothing listens on port {settings.port} after {_READY_WITHIN_S:.0f} s\n")
            return
        time.sleep(0.01)
    if not settings.hold:
        show.start()
    text = json.dumps(_ready(settings, show)) if settings.json_ready else _welcome(settings, show)
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _leave_with_parent(parent: int) -> None:
    """The supervisor may be killed without a chance to take its worker along."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def _ready(settings: ProcessSettings, show: Show) -> dict[str, object]:
    account = show.account
    with show.service.present() as (world, now_ms):
        offline_sid = world.floor.offline.sid
        pseudo = [activity.name for activity in world.floor.pseudo_activities]
    return {
        "ready": True,
        "port": settings.port,
        "base_url": url_of(settings.host, settings.port),
        "pid": os.getpid(),
        "account_sid": account.account_sid,
        "workspace_sid": account.workspace_sid,
        "auth_token": account.auth_token,
        "api_key_sid": account.api_key_sid,
        "api_key_secret": account.api_key_secret,
        "offline_activity_sid": offline_sid,
        "pseudo_activities": pseudo,
        "now_ms": now_ms,
        "start_ms": settings.show.start_ms,
        "end_ms": settings.show.end_ms,
        "speed": settings.show.speed,
        "started": not settings.hold,
    }


def _welcome(settings: ProcessSettings, show: Show) -> str:
    facts = _ready(settings, show)
    base = facts["base_url"]
    return "\n".join(
        [
            f"Simulated Twilio with {settings.scenario.agents} agents at {base}",
            f"  REST           {base}/v1/Workspaces/{facts['workspace_sid']}",
            f"  account sid    {facts['account_sid']}",
            f"  auth token     {facts['auth_token']}   (made up; also signs the callbacks)",
            f"  API key        {facts['api_key_sid']} / {facts['api_key_secret']}",
            f"  logged out is  {facts['offline_activity_sid']}",
            f"  callbacks to   {settings.show.callback_url or 'nowhere (--callback-url)'}",
            f"  control        {base}/sim/status  /sim/truth  /sim/emissions",
            "  waiting for    POST /sim/start" if settings.hold else f"  running        {settings.show.speed:g} x",
        ]
    )
