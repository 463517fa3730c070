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
        ready, reasons = state.runtime.ready() if state.obstacle is None else (False, [state.obstacle])
        return {"ready": ready, "reasons": reasons}, 200 if ready else 503
