"""The condition of one tenant's feed: what each witness says, the gravest of it, since when, why and what to do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import structlog

from flex_plugin_backend.wfm.exceptions import CXoneWfmException, FailureKind

_log = structlog.get_logger(__name__)


class Condition(StrEnum):
    """What the operator sees, always exactly one; the gravest first. STARTING and STANDBY: this process does not
    forward yet.
    """

    HELD = "held"
    WFM_DOWN = "wfm down"
    BLIND = "blind"
    STARTING = "starting"
    STANDBY = "standby"
    CATCHING_UP = "catching up"
    OK = "ok"


class Witness(StrEnum):
    """Who says how it is.

    DELIVERY: state changes and heartbeats to the WFM. REPORTS: the interval reports to the WFM. FEED: what comes from
    Twilio. STORE: the ledger and its disk.
    """

    DELIVERY = "delivery"
    REPORTS = "reports"
    FEED = "feed"
    STORE = "store"


class Trouble(StrEnum):
    """What is behind a condition."""

    WFM_UNREACHABLE = "wfm unreachable"
    WFM_REFUSES = "wfm refuses the connector"
    STATES_REFUSED = "states refused"
    BACKLOG = "backlog"
    FEED_SILENT = "feed silent"
    TWILIO_UNREACHABLE = "twilio unreachable"
    NO_EVENTS = "no events"
    HISTORY = "history"
    DISK = "disk"
    LEDGER = "ledger"


_TO_DO = {
    Trouble.WFM_UNREACHABLE: "Nothing is lost, and it is tried again by itself. If it lasts, check the network, "
    "[wfm] service_url and the status of CXone.",
    Trouble.WFM_REFUSES: "Check the access key, its rights and [wfm] service_url. It is tried again every "
    "[wfm] held_retry_s; a restart tries at once.",
    Trouble.STATES_REFUSED: "See `flex-wfm dead-letters list`, mend what the WFM complains of, then "
    "`flex-wfm dead-letters replay`.",
    Trouble.BACKLOG: "Nothing. It ends by itself once everything that waits has been sent.",
    Trouble.FEED_SILENT: "Check that the workspace's event callback URL (or the Event Streams sink) still points here "
    "and that the proxy lets it through, or that `flex-wfm consume-kinesis` runs. What is missed meanwhile is read "
    "from Twilio's history, a minute or two late.",
    Trouble.TWILIO_UNREACHABLE: "It is tried again by itself. If it lasts, check the network, the auth token or API "
    "key, and Twilio's status.",
    Trouble.NO_EVENTS: "See whether anybody works. If so, check that the workspace's event callback URL (or the Event "
    "Streams sink) still points here. [repair] enabled = true would tell quiet from dead, and bring back what was "
    "missed.",
    Trouble.DISK: "Make room on the disk of the ledger, or see why it cannot be written. Events are taken again by "
    "themselves then, and what was refused meanwhile is read from Twilio's history.",
    Trouble.LEDGER: "See in the log what the database said. Events are refused until it takes them again; what was "
    "refused is read from Twilio's history.",
    Trouble.HISTORY: "Nothing. What happened meanwhile is read from Twilio's history.",
}

ALARMS = frozenset({Condition.WFM_DOWN, Condition.HELD, Condition.BLIND})
ALARMING = frozenset(Trouble) - {Trouble.BACKLOG, Trouble.HISTORY}
_GRAVITY = {one: rank for rank, one in enumerate(Condition)}
_NOT_AT_WORK = frozenset({Condition.STARTING, Condition.STANDBY})


@dataclass(frozen=True, slots=True)
class Standing:
    """A condition, since when (epoch ms), what is behind it, and who says so."""

    condition: Condition
    since_ms: int
    detail: str = ""
    trouble: Trouble | None = None
    witness: Witness = Witness.DELIVERY

    @property
    def is_alarm(self) -> bool:
        """Does somebody have to hear of it."""
        return self.condition in ALARMS

    @property
    def to_do(self) -> str:
        """What to do about it; empty where nothing is."""
        return _TO_DO[self.trouble] if self.trouble else ""

    def is_like(self, other: Standing) -> bool:
        """Is it the same, whatever the details and whoever says so."""
        return (self.condition, self.trouble) == (other.condition, other.trouble)


def gravest(conditions: Iterable[Condition]) -> Condition:
    """What an operator must hear of first."""
    return min(conditions, key=_GRAVITY.__getitem__, default=Condition.STARTING)


def condition_of(failure: CXoneWfmException, now_ms: int) -> tuple[Condition, int, str, Trouble]:
    """What the board is to show of a request to the WFM that failed for another reason than its content."""
    if failure.kind is FailureKind.PASSING:
        return Condition.WFM_DOWN, now_ms, str(failure), Trouble.WFM_UNREACHABLE
    return Condition.HELD, now_ms, str(failure), Trouble.WFM_REFUSES


class ConditionBoard:
    """Holds what each witness of one tenant says; one line of the log at each change.

    Alarms from before a restart are recalled: one that goes on keeps its since-when, one that is over ends when its
    witness speaks for the first time.
    """

    def __init__(self, tenant: str, now_ms: int) -> None:
        self._tenant = tenant
        self._lock = threading.Lock()
        self._on_change: Callable[[], None] = lambda: None
        self._signs = {Witness.DELIVERY: Standing(Condition.STARTING, now_ms)}
        self._recalled: list[Standing] = []
        self._standing = self._signs[Witness.DELIVERY]

    @property
    def standing(self) -> Standing:
        """The present condition: the gravest that a witness reports."""
        return self._standing

    @property
    def is_starting(self) -> bool:
        """Is the first look at Twilio not over."""
        return self._signs[Witness.DELIVERY].condition is Condition.STARTING

    @property
    def alarms(self) -> list[Standing]:
        """Every alarm once, the gravest first; recalled ones of which nobody has spoken yet included."""
        with self._lock:
            return self._alarms()

    def listen(self, on_change: Callable[[], None]) -> None:
        """Call this after each change of an alarm; whoever has caused it does."""
        self._on_change = on_change

    def recall(self, alarms: Iterable[Standing]) -> None:
        """These alarms stood when the process before this one ended."""
        with self._lock:
            self._recalled = list(alarms)

    def show(
        self,
        condition: Condition,
        now_ms: int,
        detail: str = "",
        trouble: Trouble | None = None,
        *,
        witness: Witness = Witness.DELIVERY,
    ) -> None:
        """This is how it is, as this witness sees it; `since` moves only when condition or trouble change."""
        with self._lock:
            before, alarms, old = self._standing, self._alarms(), self._signs.get(witness)
            if condition not in _NOT_AT_WORK:
                self._recalled = [one for one in self._recalled if one.witness is not witness]
            sign = Standing(condition, now_ms, detail, trouble, witness)
            same = next((one for one in (*alarms, *([old] if old else [])) if one.is_like(sign)), None)
            if same is not None:
                sign = replace(sign, since_ms=same.since_ms)
            self._signs[witness] = sign
            self._standing = after = self._gravest(now_ms)
            ended = [one for one in alarms if not any(one.is_like(other) for other in self._alarms())]
        begun = sign if sign.is_alarm and same is None else None
        self._tell(before, after, begun, ended, now_ms)
        if begun or ended:
            self._on_change()

    def _alarms(self) -> list[Standing]:
        found: list[Standing] = []
        for one in sorted((*self._signs.values(), *self._recalled), key=lambda one: one.since_ms):
            if one.is_alarm and not any(one.is_like(other) for other in found):
                found.append(one)
        return sorted(found, key=lambda one: _GRAVITY[one.condition])

    def _gravest(self, now_ms: int) -> Standing:
        found = min(self._signs.values(), key=lambda one: (_GRAVITY[one.condition], one.since_ms))
        if found.condition is not Condition.OK:
            return found
        # All are well: since the last of them became so.
        before = self._standing
        return Standing(Condition.OK, before.since_ms if before.condition is Condition.OK else now_ms, found.detail)

    def _tell(
        self, before: Standing, after: Standing, begun: Standing | None, ended: Sequence[Standing], now_ms: int
    ) -> None:
        for one in ended:
            _log.info(
                "feed.alarm_ended",
                tenant=self._tenant,
                alarm=one.condition.value,
                cause=_word(one.trouble),
                lasted_s=(now_ms - one.since_ms) / 1000,
                condition=after.condition.value,
            )
        if begun is not None:
            _log.error(
                "feed.alarm",
                tenant=self._tenant,
                alarm=begun.condition.value,
                cause=_word(begun.trouble),
                detail=begun.detail,
                to_do=begun.to_do,
                condition=after.condition.value,
            )
        if not ended and begun is None and after.condition is not before.condition:
            _log.info(
                "feed.condition",
                tenant=self._tenant,
                condition=after.condition.value,
                before=before.condition.value,
                detail=after.detail,
            )


def _word(trouble: Trouble | None) -> str | None:
    return trouble.value if trouble else None
