"""The settings that the figures of the interval reports depend on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from flex_plugin_backend.domain.mapping import Channel
from flex_plugin_backend.domain.reservations import StateRules

REPORTABLE = frozenset({Channel.VOICE, Channel.CHAT, Channel.SMS, Channel.WEB})

# "Callback requested" is seen in the field (Twilio reference 4.2); the other words are assumed.
DIVERTED_REASONS = frozenset({"callback requested", "callback", "voicemail", "redirect"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRules:
    """Settings of the reports. Every threshold is in milliseconds and compared in milliseconds.

    Attributes:
        states: the settings of state derivation; the cap of wrap-up is taken from here, so that state and booking
            agree.
        min_state_ms: a segment shorter than this is absorbed in the activity report.
        service_level_ms: the threshold of a queue without one of its own; a wait up to and including it is within.
        queue_service_level_ms: thresholds by queue sid, or by queue name in lower case.
        short_abandon_ms: an abandoned wait below this is a short abandon.
        diverted_reasons: cancel reasons in lower case that mean "served elsewhere": diverted, not abandoned.
        diverted_abandoned: words of the task attribute `conversations.abandoned` that mean the same (`no`,
            `follow-up`); none by default.
        no_queue_id: the pseudo-queue of tasks without a queue.
        queue_id_format: the queue id of a row; `{queue}`, `{name}` and `{channel}` are filled in.
    """

    states: StateRules = field(default_factory=StateRules)
    min_state_ms: int = 3_000
    service_level_ms: int = 20_000
    queue_service_level_ms: Mapping[str, int] = field(default_factory=dict)
    short_abandon_ms: int = 5_000
    diverted_reasons: frozenset[str] = DIVERTED_REASONS
    diverted_abandoned: frozenset[str] = frozenset()
    no_queue_id: str = "NO_QUEUE"
    queue_id_format: str = "{queue}"

    def threshold_ms(self, queue_sid: str | None, queue_name: str | None) -> int:
        """The service-level threshold of a queue; a task without a queue has the default one."""
        found = self.queue_service_level_ms.get(queue_sid or "")
        if found is None and queue_sid is not None:
            found = self.queue_service_level_ms.get((queue_name or "").casefold())
        return self.service_level_ms if found is None else found

    def is_diverted(self, reason: str | None, abandoned: str | None) -> bool:
        """Does a task cancelled with this reason, and this `conversations.abandoned`, count as served elsewhere."""
        return (reason or "").strip().casefold() in self.diverted_reasons or (
            abandoned or ""
        ) in self.diverted_abandoned

    def queue_id(self, queue_sid: str | None, queue_name: str | None, channel: Channel) -> str:
        """The id under which a row of this queue and channel is reported."""
        queue = queue_sid or self.no_queue_id
        filled = self.queue_id_format.replace("{queue}", queue).replace("{channel}", channel.value)
        return filled.replace("{name}", queue_name or queue)
