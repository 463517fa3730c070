"""FlexPlugin, the connector as a Flask extension, and create_app, the connector as an application of its own."""

from __future__ import annotations

import atexit
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
from flask import Blueprint, Flask

from flex_plugin_backend import logs
from flex_plugin_backend.errors import SettingsError
from flex_plugin_backend.settings import Settings, load_settings
from flex_plugin_backend.settings.checks import cautions
from flex_plugin_backend.web.health import add_health
from flex_plugin_backend.web.metrics import DoorMetrics, add_metrics
from flex_plugin_backend.web.ports import RuntimePort
from flex_plugin_backend.web.problems import answer_errors_as_json
from flex_plugin_backend.web.state import EXTENSION, PluginState, make_doors
from flex_plugin_backend.web.streams import add_streams
from flex_plugin_backend.web.webhooks import add_webhooks

if TYPE_CHECKING:
    from flex_plugin_backend.flow.drive import ManualDrive

SettingsSource = Settings | str | Path | Mapping[str, Any]
CONFIG_KEY = "FLEX_WFM"
_log = structlog.get_logger(__name__)


class FlexPlugin:
    """The connector inside a Flask application.

    `FlexPlugin(app, settings="flex-wfm.toml")`, or `plugin = FlexPlugin(settings=...)` and `plugin.init_app(app)` in an
    application factory. Each application gets a connector of its own; its state is `app.extensions["flex_wfm"]`.
    """

    def __init__(
        self,
        app: Flask | None = None,
        *,
        settings: SettingsSource | None = None,
        runtime: RuntimePort | None = None,
        url_prefix: str | None = None,
        start: bool = True,
        drive: ManualDrive | None = None,
    ) -> None:
        """Set up, and with an application also `init_app`.

        Args:
            app: the application to live in.
            settings: a `Settings`, the path of a TOML file, or its content as a mapping. None: the same out of
                `app.config["FLEX_WFM"]`, else the file named by the environment variable `FLEX_WFM_CONFIG`.
            runtime: what is behind the doors; None builds the real one.
            url_prefix: where the addresses stand in the application; None: `[server] url_prefix`.
            start: start the background work at once. With servers that fork after loading the application, or for
                command-line tasks that need no connector, say False and call `start()` in the process that serves.
            drive: for tests: no threads and no network, the caller moves the clock (docs/testing.md).
        """
        self._settings = settings
        self._runtime = runtime
        self._url_prefix = url_prefix
        self._start = start
        self._drive = drive
        self._states: list[PluginState] = []
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Add the connector to an application.

        Raises:
            SettingsError: the settings are missing or wrong.
        """
        if EXTENSION in app.extensions:
            raise SettingsError(
                setting="FlexPlugin",
                source="the application",
                problem="it is in this application already",
                repair="Add it once; one connector serves many tenants.",
            )
        settings = self._load(app)
        logs.adopt_host_logging(secrets=settings.secrets())
        prefix = settings.server.url_prefix if self._url_prefix is None else _clean(self._url_prefix)
        state = PluginState(
            settings=settings,
            runtime=self._runtime or _real_runtime(settings, self._drive),
            url_prefix=prefix,
            doors=make_doors(settings, prefix),
            metrics=DoorMetrics(),
        )
        app.extensions[EXTENSION] = state
        app.register_blueprint(_blueprint(), url_prefix=prefix or None)
        self._states.append(state)
        for caution in cautions(settings):
            _log.warning("caution", settings=caution)
        if self._start:
            self.start()

    def start(self) -> None:
        """Start the background work in this process, for every application that is not yet started.

        After `close()` it begins anew on the same ledger.
        """
        for state in self._states:
            if state.started_in is None:
                if state.spent and self._runtime is None:
                    state.runtime = _real_runtime(state.settings, self._drive)
                state.spent = False
                state.runtime.start()
                state.started_in = os.getpid()
        atexit.unregister(self.close)  # once is enough, however often it was started
        atexit.register(self.close)

    def close(self) -> None:
        """Stop the background work; what was taken is durable. Calling it twice does no harm."""
        for state in self._states:
            # A child of a fork has none of the threads; stopping them is the parent's business.
            if state.started_in == os.getpid():
                state.started_in = None
                state.spent = True
                state.runtime.stop()
        atexit.unregister(self.close)

    def _load(self, app: Flask) -> Settings:
        source = self._settings if self._settings is not None else app.config.get(CONFIG_KEY)
        return source if isinstance(source, Settings) else load_settings(source)


def create_app(
    settings: SettingsSource | None = None,
    *,
    runtime: RuntimePort | None = None,
    start: bool = True,
    drive: ManualDrive | None = None,
) -> Flask:
    """The connector as a Flask application of its own, for `flex-wfm serve` or any WSGI server.

    Args:
        settings: as for `FlexPlugin`.
        runtime: what is behind the doors; None builds the real one.
        start: start the background work at once.
        drive: for tests: no threads and no network, the caller moves the clock (docs/testing.md).

    Raises:
        SettingsError: the settings are missing or wrong.
    """
    app = Flask("flex_plugin_backend", static_folder=None)
    # No redirect for a doubled slash: Twilio would follow it with a body that was signed for another address.
    app.url_map.merge_slashes = False
    answer_errors_as_json(app)
    plugin = FlexPlugin(app, settings=settings, runtime=runtime, start=start, drive=drive)
    app.extensions[f"{EXTENSION}_plugin"] = plugin
    return app


def _blueprint() -> Blueprint:
    blueprint = Blueprint("flex_wfm", __name__)
    add_webhooks(blueprint)
    add_streams(blueprint)
    add_health(blueprint)
    add_metrics(blueprint)
    answer_errors_as_json(blueprint)
    return blueprint


def _real_runtime(settings: Settings, drive: ManualDrive | None) -> RuntimePort:
    # Imported here: the store and the WFM client behind it are heavy, and tests bring a runtime of their own.
    from flex_plugin_backend.flow.runtime import Runtime

    runtime: RuntimePort = Runtime(settings, drive.clock if drive else settings.clock.build(), drive)
    return runtime


def _clean(prefix: str) -> str:
    prefix = prefix.strip("/")
    return f"/{prefix}" if prefix else ""
