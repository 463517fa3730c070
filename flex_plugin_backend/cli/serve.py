"""flex-wfm serve: the connector as a server of its own, in one process."""

from __future__ import annotations

import json
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import click
from flask import Flask
from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server.common import AbstractServer
from granian.server.mt import MTServer

from flex_plugin_backend import create_app, logs
from flex_plugin_backend.cli.options import config_option
from flex_plugin_backend.errors import SettingsError
from flex_plugin_backend.settings import Settings, load_settings

_BACKLOG = 1024
_STOP_S = 10
_LISTEN_S = 30.0
_POLL_S = 0.02
# An event passes through four threads on its way to the WFM; with Python's 5 ms a busy one makes each of them wait.
_SWITCH_S = 0.0005
# The server's own lines go where ours go.
_SERVER_LOGS = {
    "version": 1,
    "disable_existing_loggers": False,
    "loggers": {
        "_granian": {"handlers": [], "propagate": True},
        "granian.access": {"handlers": [], "propagate": True},
    },
}


@click.command()
@config_option("The TOML file with the settings; without it they come from the environment alone.")
@click.option("--host", help="Listen on this address instead of [server] host.")
@click.option("--port", type=click.IntRange(0, 65535), help="Listen on this port; 0 takes a free one.")
@click.option("--json-ready", is_flag=True, help='Print one line {"ready": true, "port": N} once it listens.')
def serve(config: Path | None, host: str | None, port: int | None, json_ready: bool) -> None:
    """Run the connector until SIGTERM or Ctrl-C; what was acknowledged is durable then."""
    settings = _with_address(load_settings(config), host, port)
    sys.setswitchinterval(_SWITCH_S)
    logs.configure(settings.log.level, settings.log.format, secrets=settings.secrets())
    with ExitStack() as stack:
        number = _reserve_port(settings.server.host, settings.server.port, stack)
        app = create_app(settings, start=False)
        plugin = app.extensions["flex_wfm_plugin"]
        stack.callback(plugin.close)
        plugin.start()
        server = _server(settings, number)
        stopped = threading.Event()
        stack.callback(stopped.set)
        announcer = threading.Thread(
            target=_announce,
            args=(settings, app, number, json_ready, stopped),
            name="announce",
            daemon=True,
        )
        announcer.start()
        server.serve(target_loader=lambda *_: app)


class _OneProcess(MTServer):
    """granian with its worker as a thread of this process.

    On a Python with GIL granian forks its workers. A forked worker outlives the kill of its parent and goes on taking
    events, and the connector's threads would stand on the wrong side of the fork. The thread form is closed there only
    because several workers would share one GIL; this server has one.
    """

    def _check_gil(self) -> None:
        """Go on with the GIL."""

    def serve(
        self,
        spawn_target: Callable[..., None] | None = None,
        target_loader: Callable[..., Callable[..., Any]] | None = None,
        wrap_loader: bool = True,
    ) -> None:
        """Serve until a signal, without the notice that the free-threaded build is new."""
        AbstractServer.serve(self, spawn_target, target_loader, wrap_loader)


def _server(settings: Settings, port: int) -> _OneProcess:
    return _OneProcess(
        "flex_plugin_backend",
        address=settings.server.host,
        port=port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=settings.server.threads,
        backlog=_BACKLOG,
        log_level=LogLevels.warning,
        log_dictconfig=_SERVER_LOGS,
        workers_kill_timeout=_STOP_S,
    )


def _with_address(settings: Settings, host: str | None, port: int | None) -> Settings:
    changes: dict[str, object] = {}
    if host is not None:
        changes["host"] = host
    if port is not None:
        changes["port"] = port
    return settings.model_copy(update={"server": settings.server.model_copy(update=changes)})


def _reserve_port(host: str, port: int, stack: ExitStack) -> int:
    """Find out that the port is free, or a free one; the server shares ports, so it would not complain itself.

    Raises:
        SettingsError: the address is not of this machine, or another process listens there.
    """
    try:
        family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        sock = socket.socket(family, kind, proto)
        stack.callback(sock.close)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if port == 0 and hasattr(socket, "SO_REUSEPORT"):
            # Kept open, bound and silent, so that nobody else is given the number before the server listens.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind(address)
        number: int = sock.getsockname()[1]
        if port != 0:
            sock.listen(1)  # binding alone does not collide with a listener that shares its port
            sock.close()
    except OSError as error:
        raise SettingsError(
            setting="server.host and server.port",
            source="the settings and the command line",
            problem=f"{host}:{port} cannot be used: {error.strerror or error}",
            repair="Choose another --host or --port, or stop what listens there.",
        ) from error
    return number


def _announce(settings: Settings, app: Flask, port: int, json_ready: bool, stopped: threading.Event) -> None:
    """Say where the connector is, once somebody can reach it there."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.server.host, settings.server.host)  # noqa: S104
    waited_s = 0.0
    while not _listens(host, port):
        if stopped.wait(_POLL_S):
            return
        waited_s += _POLL_S
        if waited_s > _LISTEN_S:
            click.echo(f"flex-wfm does not listen on {host}:{port} after {_LISTEN_S:.0f} s", err=True)
            return
    if json_ready:
        click.echo(json.dumps({"ready": True, "port": port}))
    else:
        click.echo(_welcome(app, host, port))


def _listens(host: str, port: int) -> bool:
    try:
        with closing(socket.create_connection((host, port), timeout=1)):
            return True
    except OSError:
        return False


def _welcome(app: Flask, host: str, port: int) -> str:
    state = app.extensions["flex_wfm"]
    base = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    lines = [f"flex-wfm listens on {base}"]
    lines += [f"  {path}  {base}{state.url_prefix}{path}" for path in ("/healthz", "/readyz", "/metrics")]
    for tenant, url in state.callback_urls().items():
        shown = url if url.startswith("http") else base + url
        lines.append(f"  tenant {tenant}: event callback URL {shown}")
    return "\n".join(lines)
