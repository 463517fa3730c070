"""The whole scenario: its tables, their defaults, and the rules between them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Self

from pydantic import PlainSerializer, PlainValidator, model_validator
from pydantic_core import PydanticCustomError

from simulator.world.scenario import fields as f
from simulator.world.scenario.checks import contradictions
from simulator.world.scenario.fields import Part
from simulator.world.scenario.people import (
    Adherence,
    Administration,
    Browser,
    Duty,
    People,
    Personnel,
    Plugin,
    Shift,
    Site,
    Team,
)
from simulator.world.scenario.work import (
    Answering,
    Callbacks,
    Channels,
    Direct,
    Hold,
    Internal,
    Outage,
    Outbound,
    Queue,
    Spike,
    Transfers,
    WrapUp,
)
from simulator.world.sids import sid_of

DEFAULT_START_MS = 1_767_600_000_000  # 2026-01-05T08:00:00Z, a Monday

_VOICE_SKILLS = ("support", "sales", "billing")
_TEAMS = (
    Team(name="Voice", share=0.4, some_of=_VOICE_SKILLS, some_least=1, some_most=3),
    Team(name="Blended", share=0.6, some_of=(*_VOICE_SKILLS, "chat", "web", "sms"), some_least=3, some_most=5),
)
_SHIFTS = (
    Shift(name="Early", share=0.5, starts="07:00"),
    Shift(name="Day", share=0.3, starts="08:30"),
    Shift(name="Late", share=0.12, starts="11:00"),
    Shift(name="Weekend", share=0.08, starts="08:00", days=("thu", "fri", "sat", "sun", "mon")),
)
_DUTIES = (
    Duty(activity="Break", minutes=15, at=0.22),
    Duty(activity="Lunch", minutes=30, at=0.45),
    Duty(activity="Break", minutes=15, at=0.72),
    Duty(activity="Meeting", minutes=30, share=0.18),
    Duty(activity="Training", minutes=45, share=0.1),
    Duty(activity="Back Office", minutes=20, share=0.3),
)
_QUEUES = (
    Queue(name="Support", skill="support"),
    Queue(name="Sales", skill="sales"),
    Queue(name="Billing & Refunds", skill="billing"),
    Queue(name="Chat Support", skill="chat", channel="chat"),
    Queue(name="Web Messaging", skill="web", channel="web"),
    Queue(name="SMS Care", skill="sms", channel="sms"),
)


class Workspace(Part):
    """The Flex workspace."""

    name: str = f.text("Flex Task Assignment", "friendly name")
    account_sid: str = f.text("", "empty: made from the seed")
    workspace_sid: str = f.text("", "empty: made from the seed")
    offline_activity: str = f.text("Offline", "name of the logged-out activity; known by its sid alone", min_length=1)
    timeout_activity: str = f.text("Unavailable", "where TaskRouter puts workers whose reservation timed out")


def _fault(given: Any) -> Any:
    # The faults are checked tables too, and are made of the same parts as this one; so they come when they are needed.
    from simulator.faults.fault import Fault
    from simulator.faults.registry import read_fault

    return given if isinstance(given, Fault) else read_fault(given)


SetTable = Annotated[Any, PlainValidator(_fault), PlainSerializer(lambda one: one.to_table())]


class Scenario(Part):
    """Everything a world is made of; two worlds with equal scenarios have byte-equal event logs."""

    title: str = f.text("A floor of one site on ordinary days", "what it is, in a sentence")
    agents: int = f.count(100, "how many agents there are, at all sites together", least=1, most=15_000)
    seed: int = f.count(1, "another seed, another day", unit="whole number")
    start_ms: int = f.count(DEFAULT_START_MS, "the world's birth; `start` in a file", unit="ms since 1970, UTC")
    hours: float = f.hours(24.0, "how long a run lasts unless it is told otherwise")
    workspace: Workspace = f.table(Workspace(), "the Flex workspace")
    people: People = f.table(People(), "names")
    sites: tuple[Site, ...] = f.table((Site(),), "where people work")
    teams: tuple[Team, ...] = f.table(_TEAMS, "who can do what")
    shifts: tuple[Shift, ...] = f.table(_SHIFTS, "who works when")
    duties: tuple[Duty, ...] = f.table(_DUTIES, "what is planned within a shift")
    adherence: Adherence = f.table(Adherence(), "how people keep to that")
    browser: Browser = f.table(Browser(), "closed browsers")
    plugin: Plugin = f.table(Plugin(), "the activity-handler plug-in")
    personnel: Personnel = f.table(Personnel(), "who comes and goes")
    administration: Administration = f.table(Administration(), "edits by supervisors")
    channels: Channels = f.table(Channels(), "the media")
    queues: tuple[Queue, ...] = f.table(_QUEUES, "where customers wait")
    spikes: tuple[Spike, ...] = f.table((), "rushes")
    outages: tuple[Outage, ...] = f.table((), "failures of the platform")
    answering: Answering = f.table(Answering(), "what agents do when it rings")
    wrap_up: WrapUp = f.table(WrapUp(), "what agents do afterwards")
    transfers: Transfers = f.table(Transfers(), "contacts that are handed on")
    hold: Hold = f.table(Hold(), "customers on hold")
    callbacks: Callbacks = f.table(Callbacks(), "callbacks and voicemail")
    outbound: Outbound = f.table(Outbound(), "what agents begin")
    internal: Internal = f.table(Internal(), "calls between agents")
    direct: Direct = f.table(Direct(), "calls for one certain agent")
    faults: tuple[SetTable, ...] = f.table((), "what goes wrong around the connector, see docs/faults.md")

    @model_validator(mode="before")
    @classmethod
    def _read_start(cls, given: Any) -> Any:
        if not isinstance(given, Mapping) or "start" not in given:
            return given
        if "start_ms" in given:
            raise ValueError("start and start_ms say the same; leave one of them out")
        start = _moment(given["start"])
        if start is None:
            raise ValueError("start must be a date with a time and an offset, such as 2026-01-05T08:00:00Z")
        others = {name: value for name, value in given.items() if name != "start"}
        return {**others, "start_ms": round(start.timestamp() * 1000)}

    @model_validator(mode="after")
    def _check(self) -> Self:
        found = list(contradictions(self))
        if found:
            raise PydanticCustomError("contradictions", "{text}", {"text": "; ".join(found), "found": found})
        return self

    @property
    def account_sid(self) -> str:
        """The account that owns the workspace."""
        return self.workspace.account_sid or sid_of("AC", self.seed, "account")

    @property
    def workspace_sid(self) -> str:
        """The workspace."""
        return self.workspace.workspace_sid or sid_of("WS", self.seed, "workspace")

    @property
    def end_ms(self) -> int:
        """Where a run ends unless it is told otherwise."""
        return self.start_ms + round(self.hours * 3_600_000)

    @property
    def start(self) -> datetime:
        """The world's birth."""
        return datetime.fromtimestamp(self.start_ms / 1000, UTC)

    def with_(self, changes: Mapping[str, Any]) -> Scenario:
        """This scenario with other values, checked anew; raises ValueError.

        Keys may be paths (`channels.voice.per_agent_hour`, `queues.0.offers`); a table changes what it names and
        leaves the rest, unless it has a `kind`, which replaces it.
        """
        data = self.model_dump(exclude_unset=True)
        for path, value in changes.items():
            _put(data, self, path, value)
        return Scenario.model_validate(data)


def _moment(value: Any) -> datetime | None:
    """A date and time with an offset, also as text; None for anything else."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    return value if isinstance(value, datetime) and value.tzinfo is not None else None


def merged(base: Any, over: Any) -> Any:
    """Two tables as one: what `over` names counts."""
    if not isinstance(base, Mapping) or not isinstance(over, Mapping) or "kind" in over:
        return over
    return {**base, **{name: merged(base.get(name), value) for name, value in over.items()}}


def _put(data: dict[str, Any], scenario: Scenario, path: str, value: Any) -> None:
    """Write a value where a path leads; what was not written down yet is looked up in the scenario."""
    if path == "start":
        data.pop("start_ms", None)
    *way, last = path.split(".")
    place: Any = data
    shown: Any = scenario
    for step in way:
        place, shown = _inner(place, shown, step, path)
    if isinstance(place, list):
        if not last.isdigit() or int(last) >= len(place):
            raise ValueError(f"{path}: there is no such place in the scenario")
        place[int(last)] = merged(place[int(last)], value)
    else:
        place[last] = merged(place.get(last), value)


def _inner(place: Any, shown: Any, step: str, path: str) -> tuple[Any, Any]:
    """What is one step further on, in the tables that are written and in the scenario as it is."""
    if isinstance(place, list) and step.isdigit() and int(step) < len(place):
        at = int(step)
        return place[at], shown[at] if isinstance(shown, tuple) and at < len(shown) else None
    inner = getattr(shown, step, None) if isinstance(shown, Part) else None
    if isinstance(place, dict) and step in place:
        place[step] = _written(place[step])
    elif isinstance(place, dict) and isinstance(inner, Part):
        # One of several kinds is written down whole, else nobody would know which it is.
        place[step] = inner.model_dump() if hasattr(inner, "kind") else {}
    elif isinstance(place, dict) and isinstance(inner, tuple):
        place[step] = _written(inner)
    if not isinstance(place, dict) or not isinstance(place.get(step), dict | list):
        raise ValueError(f"{path}: there is no such place in the scenario")  # noqa: TRY004  the path is wrong, not a type
    return place[step], inner


def _written(value: Any) -> Any:
    """Tables and lists as they would be written, to be changed without changing what they were made from."""
    if isinstance(value, Part):
        return value.model_dump(exclude_unset=True)
    if isinstance(value, Mapping):
        return dict(value)
    return [_written(one) for one in value] if isinstance(value, list | tuple) else value
