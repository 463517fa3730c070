"""The parameters of a world: how many agents, how much work, and how people behave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from simulator.world.sids import sid_of

DEFAULT_START_MS = 1_767_600_000_000  # 2026-01-05T08:00:00Z, a Monday


def _table(**values: float) -> Mapping[str, float]:
    return MappingProxyType(values)


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """Everything a world is made of; two worlds with equal scenarios have byte-equal event logs.

    Rates count per agent and hour, probabilities lie in 0..1, times are medians unless the name says otherwise.

    Attributes:
        start_ms: the birth of the world, epoch milliseconds.
        arrivals: inbound contacts per agent-hour, by medium (voice, chat, sms, web).
        talk_s, wrap_s, patience_s: by medium; drawn log-normally around the median.
        early_share: agents already logged in when the world begins.
        timeout_activity: where TaskRouter puts a worker whose reservation timed out.
        parks_chats: an agent who is due for a break goes although chats are still open.
        changes_on_contact: an agent switches the activity while on a call instead of after it.
    """

    agents: int = 100
    seed: int = 1
    start_ms: int = DEFAULT_START_MS
    account_sid: str = ""
    workspace_sid: str = ""
    workspace_name: str = "Flex Task Assignment"
    offline_activity: str = "Offline"
    timeout_activity: str = "Unavailable"
    arrivals: Mapping[str, float] = field(default_factory=lambda: _table(voice=2.9, chat=1.2, sms=0.8, web=0.7))
    outbound_per_hour: float = 0.35
    internal_per_hour: float = 0.1
    talk_s: Mapping[str, float] = field(default_factory=lambda: _table(voice=210.0, chat=420.0, sms=480.0, web=360.0))
    wrap_s: Mapping[str, float] = field(default_factory=lambda: _table(voice=30.0, chat=12.0, sms=8.0, web=12.0))
    patience_s: Mapping[str, float] = field(
        default_factory=lambda: _table(voice=150.0, chat=400.0, sms=3600.0, web=400.0)
    )
    answer_s: float = 4.0
    reservation_timeout_s: int = 25
    rejects: float = 0.015
    rejects_by_leaving: float = 0.01
    times_out: float = 0.015
    hangs_up_ringing: float = 0.01
    transfers_to_queue: float = 0.03
    transfers_to_worker: float = 0.03
    forgets_wrap_up: float = 0.01
    skips_wrap_up: float = 0.02
    outbound_answered: float = 0.75
    parks_chats: float = 0.5
    changes_on_contact: float = 0.2
    leaves_chats_at_night: float = 0.4
    early_share: float = 0.7
    shift_s: int = 9 * 3600
    break_s: int = 900
    lunch_s: int = 1800
    meeting_share: float = 0.35
    short_pauses_per_hour: float = 0.25
    attribute_updates_per_hour: float = 0.02
    capacity_updates_per_hour: float = 0.01
    messaging_capacity: int = 3
    customers: int = 0

    def __post_init__(self) -> None:
        if self.agents < 1:
            raise ValueError("a world needs at least one agent")
        # Frozen, yet the sids depend on the seed: filled once, here.
        if not self.account_sid:
            object.__setattr__(self, "account_sid", sid_of("AC", self.seed, "account"))
        if not self.workspace_sid:
            object.__setattr__(self, "workspace_sid", sid_of("WS", self.seed, "workspace"))
        if not self.customers:
            object.__setattr__(self, "customers", max(150, min(2000, self.agents * 3)))
