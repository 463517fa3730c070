"""Runs the fake WFM on granian in one process, since its whole state lives in memory."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from contextlib import closing
from typing import Any

import click
from flask import Flask
from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server.common import AbstractServer
from granian.server.mt import MTServer

from simulator.faults.carrier import cut_broken
from simulator.listen import listens, reserve, url_of

_LISTEN_S = 30.0
_POLL_S = 0.02


class _OneProcess(MTServer):
    """granian with its one worker as a thread of this process.

    The ordinary server forks its workers on a Python with GIL: the state would live in the fork, and the fork would
    outlive a killed parent.
    """

    def _check_gil(self) -> None:
        """Go on with the GIL: one worker has nobody to share it with."""

    def serve(
        self,
        spawn_target: Callable[..., None] | None = None,
        target_loader: Callable[..., Callable[..., Any]] | None = None,
        wrap_loader: bool = True,
    ) -> None:
        """Serve until a signal, without the notice about free threading."""
        AbstractServer.serve(self, spawn_target, target_loader, wrap_loader)


def serve_app(app: Flask, *, host: str, port: int, threads: int, json_ready: bool, welcome: str) -> None:
    """Serve until SIGTERM or Ctrl-C; say so on standard output once it listens.

    Args:
        port: 0 takes a free one.
        json_ready: print `{"ready": true, "port": N}` instead of `welcome`, in which {url} is filled in.
    """
    with closing(reserve(host, port)) as reserved:
        number = reserved.getsockname()[1]
        if port != 0:
            reserved.close()
        server = _OneProcess(
            "simulator.wfm",
            address=host,
            port=number,
            interface=Interfaces.WSGI,
            workers=1,
            blocking_threads=threads,
            backlog=1024,
            log_level=LogLevels.warning,
            workers_kill_timeout=10,
        )
        stopped = threading.Event()
        text = (
            json.dumps({"ready": True, "port": number})
            if json_ready
            else welcome.replace("{url}", url_of(host, number))
        )
        threading.Thread(target=_announce, args=(host, number, text, stopped), name="announce", daemon=True).start()
        try:
            server.serve(target_loader=lambda *_: cut_broken(app))
        finally:
            stopped.set()


def _announce(host: str, port: int, text: str, stopped: threading.Event) -> None:
    waited_s = 0.0
    while not listens(host, port):
        if stopped.wait(_POLL_S):
            return
        waited_s += _POLL_S
        if waited_s > _LISTEN_S:
            click.echo(f"the fake WFM does not listen on {host}:{port} after {_LISTEN_S:.0f} s", err=True)
            return
    click.echo(text)
