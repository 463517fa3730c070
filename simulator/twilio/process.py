"""Runs the fake Twilio as a process of its own: REST, /sim and callbacks behind one port."""

from __future__ import annotations

import gc
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from granian import Granian
from granian.constants import Interfaces

from simulator.faults.carrier import cut_broken
from simulator.listen import listens, url_of
from simulator.twilio.grounds import Grounds
from simulator.twilio.show import Show, ShowSettings
from simulator.twilio.worlds import Worlds, shown
from simulator.world.scenario import Scenario

_READY_WITHIN_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSettings:
    """What the process is started with: the first floor, and more of them by name."""

    grounds: Grounds
    more: Mapping[str, Grounds] = field(default_factory=dict)
    host: str = "127.0.0.1"
    port: int
    json_ready: bool = False


def build_show(scenario: Scenario, settings: ShowSettings, auth_token: str = "") -> Show:
    """A world that has come to the start of the show, not started yet."""
    return Grounds(scenario=scenario, show=settings, auth_token=auth_token).build()


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
    worlds = Worlds(settings.grounds)
    for name, grounds in settings.more.items():
        worlds.add(name, grounds, start=False)
    # The floor and its past live as long as the process: looking through them again and again for garbage would
    # only delay callbacks.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    threading.Thread(target=_announce, args=(settings, worlds), name="announcer", daemon=True).start()
    threading.Thread(target=_leave_with_parent, args=(os.getppid(),), name="guard", daemon=True).start()
    return cut_broken(worlds)


def _announce(settings: ProcessSettings, worlds: Worlds) -> None:
    deadline_s = time.monotonic() + _READY_WITHIN_S
    while not listens(settings.host, settings.port):
        if time.monotonic() > deadline_s:
            sys.stderr.write(f"nothing listens on port {settings.port} after {_READY_WITHIN_S:.0f} s\n")
            return
        time.sleep(0.01)
    worlds.start()
    text = json.dumps(_ready(settings, worlds)) if settings.json_ready else _welcome(settings, worlds)
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _leave_with_parent(parent: int) -> None:
    """The supervisor may be killed without a chance to take its worker along."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def _ready(settings: ProcessSettings, worlds: Worlds) -> dict[str, object]:
    first = worlds.first
    with first.show.service.present() as (world, _):
        pseudo = [activity.name for activity in world.floor.pseudo_activities]
    return {
        "ready": True,
        "port": settings.port,
        "base_url": url_of(settings.host, settings.port),
        "pid": os.getpid(),
        **shown(first),
        "pseudo_activities": pseudo,
        "start_ms": first.grounds.show.start_ms,
        "end_ms": first.grounds.show.end_ms,
        "speed": first.grounds.show.speed,
        "worlds": [shown(place) for place in worlds.places()],
    }


def _welcome(settings: ProcessSettings, worlds: Worlds) -> str:
    base = url_of(settings.host, settings.port)
    lines = []
    for place in worlds.places():
        facts, control = shown(place), f"{base}/sim" if place is worlds.first else f"{base}/sim/worlds/{place.name}"
        lines += [
            f"Simulated Twilio with {facts['agents']} agents at {base}",
            f"  REST           {base}/v1/Workspaces/{facts['workspace_sid']}",
            f"  account sid    {facts['account_sid']}",
            f"  auth token     {facts['auth_token']}   (made up; also signs the callbacks)",
            f"  API key        {facts['api_key_sid']} / {facts['api_key_secret']}",
            f"  logged out is  {facts['offline_activity_sid']}",
            f"  callbacks to   {place.show.callback_url or 'nowhere (--callback-url)'}",
            f"  control        {control}/status  {control}/truth  {control}/emissions; by hand: flex-wfm-sim floor",
            f"  running        {place.grounds.show.speed:g} x"
            if facts["started"]
            else "  waiting for    POST /sim/start",
        ]
    return "\n".join(lines)
