"""What the WFM should hold for one agent: the model's states as (event id, reason) pairs with their obligations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from simulator.audit.records import StateCodes, TruthAgent, TruthState

Pair = tuple[str, str]
Key = tuple[Pair, int]


@dataclass(frozen=True, slots=True)
class Window:
    """Which part of the run the connector answers for.

    Attributes:
        from_ms: the connector's start; the state in force then is the first one demanded.
        until_ms: states that begin later are not demanded; None demands all.
        min_state_ms: a state shorter than this may be delivered or left out.
        known_from_ms: event sid -> when the connector could first have known of it, for events whose callback an
            outage of the connector kept away. A state that was over by then may be left out.
    """

    from_ms: int
    until_ms: int | None = None
    min_state_ms: int = 3000
    known_from_ms: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry:
    """One state the WFM may be told of.

    Attributes:
        pair: event id and reason.
        start_ms: when it began.
        end_ms: when the next one began; None for the last, which is open.
        short: it lasted less than `min_state_ms` and has ended.
        excused: it was over before the connector could know of it.
        in_window: it was in force at the connector's start or began later, and not after the window's end.
        opening_s: the latest start, in whole seconds, that is taken for this state besides its own; else None. For
            the state in force at the connector's start: that start, because Twilio's REST API shows such a state but
            not always when it began. For the state the world began with: the world's beginning, because the agent
            was in it before.
        cause_sid: the event that began it.
        position: of its first state among the agent's states.
    """

    pair: Pair
    start_ms: int
    end_ms: int | None
    short: bool
    excused: bool
    in_window: bool
    opening_s: int | None
    cause_sid: str | None
    position: int = 0

    @property
    def start_s(self) -> int:
        """The start in whole seconds, truncated: what a wire time can carry."""
        return self.start_ms // 1000

    @property
    def key(self) -> Key:
        """What a delivered row must say to be this state."""
        return self.pair, self.start_s

    def told_by(self, key: Key) -> bool:
        """Whether a row with this key tells this state."""
        if key == self.key:
            return True
        pair, start_s = key
        return self.opening_s is not None and pair == self.pair and start_s <= self.opening_s

    @property
    def demanded(self) -> bool:
        """Nothing excuses its absence but a repeat of what the WFM holds already (see `align.skipped`)."""
        return self.in_window and not self.may_be_left_out

    @property
    def may_be_left_out(self) -> bool:
        """No fault either way."""
        return self.short or self.excused


def build_timeline(agent: TruthAgent, codes: StateCodes, window: Window) -> list[Entry]:
    """The agent's states as pairs, neighbours with the same pair made one, each with its obligation."""
    merged: list[tuple[Pair, TruthState, int]] = []
    previous_ms: int | None = None
    for position, state in enumerate(agent.states):
        if previous_ms is not None and state.start_ms < previous_ms:
            raise ValueError(f"the truth of agent {agent.agent_id} runs backwards at {state.start_ms}")
        previous_ms = state.start_ms
        pair = pair_of(state, codes)
        if not merged or merged[-1][0] != pair:
            merged.append((pair, state, position))
    starts = [state.start_ms for _, state, _ in merged]
    ends: list[int | None] = [*starts[1:], None]
    return [
        _entry(pair, state, end_ms, window, position)
        for (pair, state, position), end_ms in zip(merged, ends, strict=False)
    ]


def pair_of(state: TruthState, codes: StateCodes) -> Pair:
    """The (event id, reason) that the contract profile gives a state; only UNAVAILABLE has a reason."""
    event_id = codes.event_id(state.state, state.channel, state.direction)
    return event_id, (state.reason or "") if state.state == "UNAVAILABLE" else ""


def _opening_s(state: TruthState, window: Window, *, over: bool) -> int | None:
    if not over and state.start_ms <= window.from_ms:
        return window.from_ms // 1000
    return state.start_ms // 1000 if state.cause_sid is None else None


def _entry(pair: Pair, state: TruthState, end_ms: int | None, window: Window, position: int) -> Entry:
    # A state that ended at the very instant of the start was not in force any more.
    over = end_ms is not None and end_ms <= window.from_ms
    known_ms = window.known_from_ms.get(state.cause_sid) if state.cause_sid is not None else None
    later = window.until_ms is not None and state.start_ms > window.until_ms
    return Entry(
        pair=pair,
        start_ms=state.start_ms,
        end_ms=end_ms,
        short=end_ms is not None and end_ms - state.start_ms < window.min_state_ms,
        excused=known_ms is not None and end_ms is not None and end_ms <= known_ms,
        in_window=not over and not later,
        opening_s=_opening_s(state, window, over=over),
        cause_sid=state.cause_sid,
        position=position,
    )
