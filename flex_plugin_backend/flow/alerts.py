"""Alarms over restarts: kept in the ledger, and each begin and end told to the webhook until it is taken."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import structlog
from sqlalchemy.exc import SQLAlchemyError

from flex_plugin_backend.clock import Clock
from flex_plugin_backend.flow.backoff import Backoff
from flex_plugin_backend.flow.condition import Condition, ConditionBoard, Standing, Trouble, Witness
from flex_plugin_backend.flow.duty import AT_ONCE, UNTIL_WOKEN, Duty, Pause
from flex_plugin_backend.flow.status import iso
from flex_plugin_backend.flow.webhook import Message, NotTaken
from flex_plugin_backend.ledger import alarms as alarm_rows
from flex_plugin_backend.ledger.alarms import Alarm
from flex_plugin_backend.ledger.store import Ledger
from flex_plugin_backend.settings import AlertsSettings

KEPT_MS = 35 * 86_400_000
# However many alarms there are while the webhook does not answer, no more than so many are remembered for it.
MOST_WAITING = 100
# A ledger that does not take an alarm is tried again after so long.
SAVE_AGAIN_S = 30.0
LONGEST_WISH_S = 3600.0

_log = structlog.get_logger(__name__)
Key = tuple[str, int]


class Post(Protocol):
    """Sends a message; None where it was taken."""

    def __call__(self, message: Message, now_ms: int) -> NotTaken | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRules:
    """When and how long somebody is told.

    Attributes:
        after_s: an alarm that is over sooner is not told.
        give_up_s: so long after an alarm ended its messages are tried.
    """

    after_s: float = 60.0
    give_up_s: float = 86_400.0
    backoff: Backoff = field(default_factory=lambda: Backoff(first_s=5.0, cap_s=300.0))

    @classmethod
    def of(cls, settings: AlertsSettings) -> AlertRules:
        """What the settings say."""
        backoff = Backoff(first_s=settings.retry_first_s, cap_s=settings.retry_cap_s)
        return cls(after_s=settings.after_s, give_up_s=settings.give_up_s, backoff=backoff)


class AlarmBook:
    """One tenant's alarms: follows the board, keeps them in the ledger and tells them, each begin before its end.

    Memory comes first: where the disk is full, that is told all the same, and written down as soon as it can be.
    """

    def __init__(
        self,
        tenant: str,
        ledger: Ledger,
        clock: Clock,
        board: ConditionBoard,
        rules: AlertRules,
        *,
        post: Post | None,
        chance: random.Random | None = None,
        on_message: Callable[[bool], None] = lambda _taken: None,
    ) -> None:
        """Set up.

        Args:
            post: the webhook; None: nobody is told.
            on_message: told of each attempt whether the webhook took it.
        """
        self._tenant = tenant
        self._ledger = ledger
        self._clock = clock
        self._board = board
        self._rules = rules
        self._post = post
        self._chance = chance or random.Random()
        self._on_message = on_message
        self._alarms: dict[Key, Alarm] = {}
        self._unsaved: set[Key] = set()
        self._failures = 0
        self.problem: str | None = None
        self.duty = Duty(f"alerts-{tenant}", self.step)
        board.listen(self.duty.wake)

    def begin(self) -> None:
        """Recall what stood, or was still to be told, when the process before this one ended."""
        with self._ledger.write() as connection:
            alarm_rows.forget(connection, self._tenant, self._clock.now_ms() - KEPT_MS)
            found = alarm_rows.unfinished(connection, self._tenant)
        self._alarms = {_key(one): one for one in found}
        stood = [_standing(one) for one in found if one.ended_ms is None]
        # What a newer program called it is over: nobody here can say so later.
        self._board.recall(one for one in stood if one is not None)

    def step(self) -> Pause:
        """Follow the board, write down what has changed, send what is due of it."""
        now_ms = self._clock.now_ms()
        self._follow(now_ms)
        self._save()  # first: what was told to begin must be known to a later process, or it never ends
        pause = self._tell(now_ms)
        if self._save() or pause.firm or pause is AT_ONCE:
            return pause
        return Pause(min(SAVE_AGAIN_S, pause.seconds or SAVE_AGAIN_S))

    def _follow(self, now_ms: int) -> None:
        present = {_key(one): one for one in map(_alarm, self._board.alarms)}
        for key, alarm in present.items():
            if key not in self._alarms:
                self._put(alarm)
        for key, alarm in list(self._alarms.items()):
            if alarm.ended_ms is None and key not in present:
                self._put(replace(alarm, ended_ms=max(now_ms, alarm.since_ms)))
        waiting = [one for one in self._alarms.values() if one.ended_ms is not None]
        for alarm in waiting[: max(0, len(waiting) - MOST_WAITING)]:
            self._give_up(alarm, now_ms)

    def _put(self, alarm: Alarm) -> None:
        self._alarms[_key(alarm)] = alarm
        self._unsaved.add(_key(alarm))

    def _save(self) -> bool:
        """Write down what has changed; False where the ledger does not take it."""
        if self._unsaved:
            try:
                with self._ledger.write() as connection:
                    alarm_rows.save(connection, self._tenant, [self._alarms[key] for key in sorted(self._unsaved)])
            except SQLAlchemyError as error:
                _log.warning("alerts.not_saved", tenant=self._tenant, problem=str(getattr(error, "orig", error)))
                return False
            self._unsaved.clear()
        self._alarms = {key: one for key, one in self._alarms.items() if not self._is_settled(one)}
        return True

    def _is_settled(self, alarm: Alarm) -> bool:
        return alarm.ended_ms is not None and (self._post is None or alarm.end_told_ms is not None)

    # -- telling --------------------------------------------------------------------------------------------------

    def _tell(self, now_ms: int) -> Pause:
        if self._post is None:
            return UNTIL_WOKEN
        due: list[tuple[int, Alarm]] = []
        for alarm in list(self._alarms.values()):
            at_ms = self._due_ms(alarm)
            if alarm.ended_ms is not None and alarm.begin_told_ms is None and alarm.ended_ms < (at_ms or 0):
                self._let_go(alarm, now_ms)  # over before anybody had to hear of it
            elif alarm.ended_ms is not None and now_ms - alarm.ended_ms > self._rules.give_up_s * 1000:
                self._give_up(alarm, now_ms)
            elif at_ms is not None:
                due.append((at_ms, alarm))
        if not due:
            return UNTIL_WOKEN
        at_ms, alarm = min(due, key=lambda one: one[0])
        return self._send(alarm, now_ms) if at_ms <= now_ms else Pause((at_ms - now_ms) / 1000)

    def _due_ms(self, alarm: Alarm) -> int | None:
        """When its next message is due."""
        if alarm.begin_told_ms is None:
            return alarm.since_ms + round(self._rules.after_s * 1000)
        return alarm.ended_ms if alarm.end_told_ms is None else None

    def _send(self, alarm: Alarm, now_ms: int) -> Pause:
        begins = alarm.begin_told_ms is None
        assert self._post is not None  # noqa: S101 asked by the caller
        refused = self._post(self._message(alarm, begins=begins), now_ms)
        self._on_message(refused is None)
        if refused is not None:
            self._failures += 1
            if self.problem is None:
                _log.warning("alerts.not_taken", tenant=self._tenant, problem=refused.problem)
            self.problem = refused.problem
            wish_s = None if refused.retry_after_s is None else min(refused.retry_after_s, LONGEST_WISH_S)
            return Pause(self._rules.backoff.delay_s(self._failures, self._chance, wish_s), firm=True)
        self._failures, self.problem = 0, None
        told_ms = self._clock.now_ms()
        self._put(replace(alarm, begin_told_ms=told_ms) if begins else replace(alarm, end_told_ms=told_ms))
        return AT_ONCE

    def _let_go(self, alarm: Alarm, now_ms: int) -> None:
        """Nothing of it is told any more; without a told begin the ledger shows that nobody was."""
        self._put(replace(alarm, end_told_ms=now_ms))

    def _give_up(self, alarm: Alarm, now_ms: int) -> None:
        if alarm.end_told_ms is None:
            _log.error("alerts.given_up", tenant=self._tenant, alarm=alarm.condition, cause=alarm.cause)
            self._let_go(alarm, now_ms)

    def _message(self, alarm: Alarm, *, begins: bool) -> Message:
        at_ms = alarm.since_ms if begins else alarm.ended_ms or alarm.since_ms
        standing = _standing(alarm)
        to_do = standing.to_do if standing else ""
        lasted_s = None if begins else (at_ms - alarm.since_ms) / 1000
        data: dict[str, Any] = {
            "tenant": self._tenant,
            "condition": alarm.condition,
            "cause": alarm.cause,
            "since": iso(alarm.since_ms),
            "ended": None if begins else iso(at_ms),
            "lasted_s": lasted_s,
            "detail": alarm.detail,
            "to_do": to_do if begins else "",
        }
        name = f"flex-wfm, {self._tenant}: {alarm.condition} ({alarm.cause})"
        text = (
            f"{name} since {iso(at_ms)}. {alarm.detail}. {to_do}"
            if begins
            else f"{name} is over after {lasted_s:.0f} s."
        )
        kind = "alarm.begin" if begins else "alarm.end"
        slug = alarm.cause.replace(" ", "-")
        return Message(
            f"{self._tenant}.{slug}.{alarm.since_ms}.{kind.removeprefix('alarm.')}",
            {"type": kind, "timestamp": iso(at_ms), "text": text, "data": data},
        )


def _key(alarm: Alarm) -> Key:
    return alarm.cause, alarm.since_ms


def _alarm(one: Standing) -> Alarm:
    return Alarm(
        condition=one.condition.value,
        cause=one.trouble.value if one.trouble else "",
        witness=one.witness.value,
        since_ms=one.since_ms,
        detail=one.detail,
    )


def _standing(alarm: Alarm) -> Standing | None:
    try:
        condition, trouble, witness = Condition(alarm.condition), Trouble(alarm.cause), Witness(alarm.witness)
    except ValueError:
        return None
    return Standing(condition, alarm.since_ms, alarm.detail, trouble, witness)
