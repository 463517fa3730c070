"""The connector in an application factory, started only in the process that serves.

Run it:  FLEX_WFM_CONFIG=flex-wfm.toml gunicorn --workers 1 --threads 16 'embed_with_factory:serving_app()'
"""

from __future__ import annotations

from flask import Flask

from flex_plugin_backend import FlexPlugin

wfm = FlexPlugin(url_prefix="/wfm", start=False)


def create_app(config: dict[str, object] | None = None) -> Flask:
    """The application, for everything: tests, command-line tasks, the server. Nothing runs in the background."""
    app = Flask(__name__)
    # `FLEX_WFM` may hold the path of the settings file or its content; without it FLEX_WFM_CONFIG is read.
    app.config.update(config or {})

    @app.get("/")
    def home() -> str:
        return "The Flex back end"

    wfm.init_app(app)
    return app


def serving_app() -> Flask:
    """The application in the process that serves: here the connector starts to forward."""
    app = create_app()
    wfm.start()
    return app
