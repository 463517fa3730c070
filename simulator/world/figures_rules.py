"""The parameters of the true figures: thresholds, caps and ids that the connector is given as settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from types import MappingProxyType
from typing import Any

INTERVAL_MS = 900_000

_EVENT_IDS = MappingProxyType(
    {
        "AVAILABLE": "AVAILABLE",
        "UNAVAILABLE": "UNAVAILABLE",
        "RESERVED": "RESERVED",
        "DIALLING": "DIALLING",
        "WRAPUP": "WRAPUP",
        "CONTACT_VOICE": "CONTACT_VOICE",
        "CONTACT_CHAT": "CONTACT_CHAT",
        "CONTACT_SMS": "CONTACT_SMS",
        "CONTACT_WEB": "CONTACT_WEB",
        "CONTACT_OUTBOUND": "CONTACT_OUTBOUND",
        "CONTACT_INTERNAL": "CONTACT_INTERNAL",
        "CONTACT_OTHER": "CONTACT_OTHER",
        "OFFLINE": "LOGOFF",
    }
)


@dataclass(frozen=True, kw_only=True)
class FigureRules:
    """What the figures depend on besides what happened; must say the same as the connector's settings.

    Attributes:
        service_level_s: a wait of up to and including this long is within the service level.
        queue_service_level_s: the same for single queues, by sid or name.
        short_abandon_s: whoever leaves before this has passed is a short abandon.
        min_state_s: in the agent activity report, a shorter segment is absorbed.
        wrap_up_cap_s: a wrap-up ends after this at the latest.
        diverted_reasons: cancel reasons that mean "served elsewhere"; compared as whole texts, case and outer
            blanks ignored.
        no_queue_id: the queue id of a contact without a queue.
        queue_id_format: the queue id of a row; `{queue}`, `{name}` and `{channel}` are filled in.
        reported_channels: contacts of other channels are in no queue.
        event_ids: the event id of each state, of a contact's channel or, unless inbound, of its direction.
    """

    service_level_s: float = 20.0
    queue_service_level_s: Mapping[str, float] = field(default_factory=dict)
    short_abandon_s: float = 5.0
    min_state_s: float = 3.0
    wrap_up_cap_s: float = 3600.0
    diverted_reasons: frozenset[str] = frozenset({"callback requested", "callback", "voicemail", "redirect"})
    no_queue_id: str = "NO_QUEUE"
    queue_id_format: str = "{queue}"
    reported_channels: frozenset[str] = frozenset({"voice", "chat", "sms", "web"})
    event_ids: Mapping[str, str] = field(default_factory=lambda: dict(_EVENT_IDS))

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> FigureRules:
        """Rules from JSON, where only what differs from the default stands; ValueError says what is wrong."""
        defaults = cls()
        chosen: dict[str, Any] = {}
        for name, value in given.items():
            if name not in {one.name for one in fields(cls)}:
                raise ValueError(f"unknown rule {name}; known are {', '.join(one.name for one in fields(cls))}")
            chosen[name] = _like(name, getattr(defaults, name), value)
        if "event_ids" in chosen:
            chosen["event_ids"] = {**_EVENT_IDS, **chosen["event_ids"]}
        if "diverted_reasons" in chosen:
            chosen["diverted_reasons"] = frozenset(reason.strip().casefold() for reason in chosen["diverted_reasons"])
        return cls(**chosen)

    def to_dict(self) -> dict[str, Any]:
        """The rules as JSON types."""
        return {
            name: sorted(value) if isinstance(value, frozenset) else value
            for name, value in asdict(self).items()  # asdict keeps frozen sets as they are
        }

    def service_level_ms(self, queue_sid: str, queue_name: str) -> float:
        """The threshold of a queue."""
        own = self.queue_service_level_s
        return 1000 * own.get(queue_sid, own.get(queue_name, self.service_level_s))

    def is_diverted(self, reason: str) -> bool:
        """Whether a contact cancelled with this reason was served elsewhere."""
        return reason.strip().casefold() in self.diverted_reasons

    def queue_id(self, queue_sid: str, queue_name: str, channel: str) -> str:
        """The id under which a queue's contacts of one channel are reported."""
        parts = {"{queue}": queue_sid or self.no_queue_id, "{channel}": channel, "{name}": queue_name or queue_sid}
        text = self.queue_id_format
        for place, part in parts.items():
            text = text.replace(place, part)
        return text

    def event_id(self, state: str, channel: str, direction: str) -> str:
        """The event id of a state; the direction of a contact counts more than its channel."""
        if state != "CONTACT":
            return self.event_ids[state]
        word = channel if direction == "inbound" else direction
        return self.event_ids.get(f"CONTACT_{word.upper()}", self.event_ids["CONTACT_OTHER"])


def _like(name: str, default: Any, value: Any) -> Any:
    if isinstance(default, float):
        if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
            return float(value)
        raise ValueError(f"{name} must be a number of seconds")
    if isinstance(default, str):
        if isinstance(value, str) and value:
            return value
        raise ValueError(f"{name} must be a text")
    if isinstance(default, frozenset):
        if not isinstance(value, str) and isinstance(value, Iterable) and all(isinstance(one, str) for one in value):
            return frozenset(value)
        raise ValueError(f"{name} must be a list of texts")
    kinds: Any = str if name == "event_ids" else int | float
    if isinstance(value, Mapping) and all(
        isinstance(one, kinds) and not isinstance(one, bool) for one in value.values()
    ):
        return dict(value)
    raise ValueError(f"{name} must be an object of {'texts' if kinds is str else 'numbers of seconds'}")
