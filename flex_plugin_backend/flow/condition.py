"""The condition of one tenant's delivery, in the words the operator sees, each with since-when."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from enum import StrEnum

import structlog

_log = structlog.get_logger(__name__)


class Condition(StrEnum):
    """What the operator sees (design: always exactly one of these)."""

    STARTING = "starting"
    STANDBY = "standby"
    OK = "ok"
    CATCHING_UP = "catching up"
    WFM_DOWN = "wfm down"
    HELD = "held"
    BLIND = "blind"


_ALARMS = frozenset({Condition.WFM_DOWN, Condition.HELD, Condition.BLIND})


@dataclass(frozen=True, slots=True)
class Standing:
    """A condition, since when (epoch ms), and what is behind it."""

    condition: Condition
    since_ms: int
    detail: str = ""


class ConditionBoard:
    """Holds one tenant's condition and logs each change; an alarm that ends says so."""

    def __init__(self, tenant: str, now_ms: int) -> None:
        self._tenant = tenant
        self._lock = threading.Lock()
        self._standing = Standing(Condition.STARTING, now_ms)

    @property
    def standing(self) -> Standing:
        """The present condition."""
        return self._standing

    def show(self, condition: Condition, now_ms: int, detail: str = "") -> None:
        """The condition is now this; `since` moves only when the condition changes."""
        with self._lock:
            before = self._standing
            if condition is before.condition:
                if detail != before.detail:
                    self._standing = Standing(condition, before.since_ms, detail)
                return
            self._standing = Standing(condition, now_ms, detail)
        tell = _log.error if condition in _ALARMS else _log.info
        tell(
            "feed.condition",
            tenant=self._tenant,
            condition=condition.value,
            before=before.condition.value,
            detail=detail,
        )
        if before.condition in _ALARMS:
            lasted_s = (now_ms - before.since_ms) / 1000
            _log.info("feed.alarm_ended", tenant=self._tenant, alarm=before.condition.value, lasted_s=lasted_s)
