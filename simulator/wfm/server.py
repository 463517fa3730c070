"""Runs the fake WFM on granian in one process, since its whole state lives in memory."""

from __future__ import annotations

import json
import socket
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


class AddressInUse(click.ClickException):
    """The address cannot be listened on."""


def serve_app(app: Flask, *, host: str, port: int, threads: int, json_ready: bool, welcome: str) -> None:
    """Serve until SIGTERM or Ctrl-C; say so on standard output once it listens.

    Args:
        port: 0 takes a free one.
        json_ready: print `{"ready": true, "port": N}` instead of `welcome`, in which {url} is filled in.
    """
    with closing(_reserve(host, port)) as reserved:
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
        url = f"http://[{host}]:{number}" if ":" in host else f"http://{host}:{number}"
        text = json.dumps({"ready": True, "port": number}) if json_ready else welcome.replace("{url}", url)
        threading.Thread(target=_announce, args=(host, number, text, stopped), name="announce", daemon=True).start()
        try:
            server.serve(target_loader=lambda *_: app)
        finally:
            stopped.set()


def _reserve(host: str, port: int) -> socket.socket:
    """A bound socket for the port: it finds out that the port is free, and keeps a free one until granian listens."""
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if port == 0 and hasattr(socket, "SO_REUSEPORT"):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind((host, port))
        if port != 0:
            sock.listen(1)  # binding alone does not collide with a listener that shares its port
    except OSError as error:
        sock.close()
        raise AddressInUse(f"{host}:{port} cannot be used: {error.strerror or error}; choose another --port") from error
    return sock


def _announce(host: str, port: int, text: str, stopped: threading.Event) -> None:
    waited_s = 0.0
    while not _listens(host, port):
        if stopped.wait(_POLL_S):
            return
        waited_s += _POLL_S
        if waited_s > _LISTEN_S:
            click.echo(f"the fake WFM does not listen on {host}:{port} after {_LISTEN_S:.0f} s", err=True)
            return
    click.echo(text)


def _listens(host: str, port: int) -> bool:
    try:
        with closing(socket.create_connection((host, port), timeout=1)):
            return True
    except OSError:
        return False
