"""GET /healthz and /readyz: how the connector is, and whether it can take events now."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from flex_plugin_backend.web.state import current_state


def add_health(blueprint: Blueprint) -> None:
    """Add both addresses to a blueprint."""

    @blueprint.get("/healthz")
    def healthz() -> dict[str, Any]:
        return current_state().runtime.health()

    @blueprint.get("/readyz")
    def readyz() -> tuple[dict[str, Any], int]:
        state = current_state()
        if state.forked:
            return {"ready": False, "reasons": [FORKED]}, 503
        ready, reasons = state.runtime.ready()
        return {"ready": ready, "reasons": reasons}, 200 if ready else 503


FORKED = "this process was forked after the connector started; start it in each worker (docs/embedding.md)"
