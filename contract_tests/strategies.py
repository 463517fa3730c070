"""Hypothesis strategies for every DTO of a contract profile: payloads that keep all its rules.

from contract_tests.strategies import payloads

@given(payload=payloads(load_profile(), "AgentStateListDTO"))
def test_my_endpoint(payload): ...
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from contract_tests.rows import pair_of
from flex_plugin_backend.wfm.contract import Event, Field, FieldType, Profile

Row = Mapping[str, Any]
Rows = st.SearchStrategy[list[dict[str, Any]]]

_DAY_MS = 86_400_000
# Mondays to Sundays of a few recent years; whoever wants others gives `starts`.
_FIRST_MS, _LAST_MS = 1_577_836_800_000, 1_767_225_600_000  # 2020-01-01 to 2026-01-01
_MOST_ROWS = 5
# One letter in front and no capitals: never a placeholder such as `null`, never twins that differ by case alone.
_IDS = st.text("abcdefghijklmnopqrstuvwxyz0123456789._@-", min_size=1, max_size=23).map(lambda text: f"z{text}")
_NAMES = st.text("abcdefghijklmnopqrstuvwxyz ÄÖÜéñ中文😀", min_size=1, max_size=16).map(str.strip).filter(bool)


def payloads(
    profile: Profile, dto: str, *, acd_type: str | None = None, agents: st.SearchStrategy[str] | None = None
) -> st.SearchStrategy[dict[str, Any]]:
    """Wire objects of a DTO in which no rule of the profile finds anything.

    Args:
        profile: the contract.
        dto: the name of one of its objects.
        acd_type: what requests carry; any when None.
        agents: the agent ids to choose from; any when None.

    Raises:
        ContractError: the profile has no such object.
    """
    known = _Contract(profile, st.just(acd_type) if acd_type else _IDS, _IDS if agents is None else agents)
    special: dict[str, Callable[[], st.SearchStrategy[dict[str, Any]]]] = {
        "AgentStateListDTO": known.state_lists,
        "AgentActivityReportDTO": known.activity_reports,
        "ReportDTO": known.queue_reports,
        "AgentState": lambda: known.state_lists(least=1).map(lambda plain: plain["agent_states"][0]),
        "AgentActivity": lambda: known.activity_reports(least=1).map(lambda plain: plain["report_data"][0]),
        "QueueRow": lambda: known.queue_reports(least=1).map(lambda plain: plain["queue_report"][0]),
        "AgentQueueRow": lambda: known.agent_queue_rows("Q", st.just(None)).map(lambda found: found[0]),
        "AgentPerformanceRow": known.performance_rows,
    }
    plain = special[dto]() if dto in special else known.any_object(dto)
    return plain.map(lambda found: profile.encode(dto, known.kept(dto, found)))


def event_pairs(profile: Profile, *, logged_in: bool = False) -> st.SearchStrategy[tuple[str, str]]:
    """(event id, reason) of the profile's table, with a reason where one is wanted; `logged_in`: no log-off."""
    off = {event.id for event in profile.events.values() if event.state == "OFFLINE"} if logged_in else set()
    return st.sampled_from([event for event in profile.events.values() if event.id not in off]).flatmap(_pair)


def _pair(event: Event) -> st.SearchStrategy[tuple[str, str]]:
    event_id, reason = pair_of(event)
    return st.tuples(st.just(event_id), _NAMES if reason else st.just(""))


def interval_starts(profile: Profile) -> st.SearchStrategy[int]:
    """Starts of intervals on the profile's grid, in epoch milliseconds."""
    step_ms = profile.limits.interval_s * 1000
    return st.integers(-(-_FIRST_MS // step_ms), _LAST_MS // step_ms).map(lambda number: number * step_ms)


@dataclass(frozen=True, slots=True)
class _Contract:
    profile: Profile
    acd_types: st.SearchStrategy[str]
    agents: st.SearchStrategy[str]

    def kept(self, dto: str, plain: Row) -> dict[str, Any]:
        """Without the fields that the profile does not have, in the object and inside it."""
        fields, dropped = self.profile.dto(dto).fields, self.profile.dto(dto).dropped
        result: dict[str, Any] = {}
        for name, value in plain.items():
            field = fields.get(name)
            if field is None:
                if name in dropped:
                    result[name] = value
            elif field.of is not None and isinstance(value, list):
                result[name] = [self.kept(field.of, row) for row in value]
            else:
                result[name] = value
        return result

    # -------------------------------------------------------------------------------------------- states

    def state_lists(self, least: int = 0) -> st.SearchStrategy[dict[str, Any]]:
        @st.composite
        def build(draw: st.DrawFn) -> dict[str, Any]:
            rows: list[dict[str, Any]] = []
            for agent_id in draw(st.lists(self.agents, min_size=least, max_size=3, unique=True)):
                rows.extend(draw(self._states_of(agent_id)))
            rows = rows[: self.profile.limits.agent_states_rows]
            rows.sort(key=lambda row: int(row["start_ms"]))
            return {"acd_type": draw(self.acd_types), "agent_states": rows}

        return build()

    def _states_of(self, agent_id: str) -> Rows:
        """One agent's states, each another than the one before, at least the shortest state apart."""
        least_s = self.profile.limits.min_state_s

        @st.composite
        def build(draw: st.DrawFn) -> list[dict[str, Any]]:
            at_ms = draw(st.integers(_FIRST_MS // 1000, _LAST_MS // 1000)) * 1000
            rows: list[dict[str, Any]] = []
            for event_id, reason in draw(self._pairs(logged_in=False)):
                rows.append({"agent_id": agent_id, "event_id": event_id, "event_reason": reason, "start_ms": at_ms})
                at_ms += draw(st.integers(least_s, 7_200)) * 1000
            return rows

        return build()

    def _pairs(self, *, logged_in: bool) -> st.SearchStrategy[list[tuple[str, str]]]:
        """Events with reasons, one after the other, each another than the one before."""
        pairs = event_pairs(self.profile, logged_in=logged_in)
        return st.lists(pairs, min_size=1, max_size=4).map(_without_repetition)

    # ------------------------------------------------------------------------------------------- reports

    def activity_reports(self, least: int = 0) -> st.SearchStrategy[dict[str, Any]]:
        @st.composite
        def build(draw: st.DrawFn) -> dict[str, Any]:
            start_ms = draw(interval_starts(self.profile))
            end_ms = start_ms + self.profile.limits.interval_s * 1000
            rows: list[dict[str, Any]] = []
            for agent_id in draw(st.lists(self.agents, min_size=least, max_size=3, unique=True)):
                rows.extend(draw(self._activities_of(agent_id, start_ms, end_ms)))
            return {"acd_type": draw(self.acd_types), "start_ms": start_ms, "end_ms": end_ms, "report_data": rows}

        return build()

    def _activities_of(self, agent_id: str, start_ms: int, end_ms: int) -> Rows:
        """One agent's activities without hole, each ending in the interval; the first may have begun before it."""
        least_s = self.profile.limits.min_state_s
        length_s = (end_ms - start_ms) // 1000

        @st.composite
        def build(draw: st.DrawFn) -> list[dict[str, Any]]:
            pairs = draw(self._pairs(logged_in=True))
            many = len(pairs)
            ends_s = sorted(draw(st.sets(st.integers(0, (length_s - 1) // least_s), min_size=many, max_size=many)))
            since_s = ends_s[0] * least_s - draw(st.integers(least_s, 7_200))
            rows: list[dict[str, Any]] = []
            for (event_id, reason), end in zip(pairs, ends_s, strict=True):
                until_s = end * least_s
                rows.append(
                    {
                        "agent_id": agent_id,
                        "event_id": event_id,
                        "event_reason": reason,
                        "start_ms": start_ms + since_s * 1000,
                        "end_ms": start_ms + until_s * 1000,
                        "duration_s": until_s - since_s,
                    }
                )
                since_s = until_s
            return rows

        return build()

    def queue_reports(self, least: int = 0) -> st.SearchStrategy[dict[str, Any]]:
        @st.composite
        def build(draw: st.DrawFn) -> dict[str, Any]:
            start_ms = draw(interval_starts(self.profile))
            agents = draw(st.lists(self.agents, min_size=1, max_size=3, unique=True))
            queues: list[dict[str, Any]] = []
            parts: list[dict[str, Any]] = []
            for queue_id in draw(st.lists(_IDS, min_size=least, max_size=_MOST_ROWS, unique=True)):
                handled = draw(self.agent_queue_rows(queue_id, st.sampled_from(agents)))
                parts.extend(handled)
                queues.append(draw(self._queue_row(queue_id, handled)))
            performance = [{**draw(self.performance_rows()), "agent_id": agent_id} for agent_id in agents]
            return {
                "acd_type": draw(self.acd_types),
                "start_ms": start_ms,
                "end_ms": start_ms + self.profile.limits.interval_s * 1000,
                "queue_report": queues,
                "agent_queue_report": parts,
                "agent_system_performance_report": performance,
            }

        return build()

    def agent_queue_rows(self, queue_id: str, agents: st.SearchStrategy[str | None]) -> Rows:
        """What some agents handled of one queue."""

        @st.composite
        def build(draw: st.DrawFn) -> list[dict[str, Any]]:
            rows: list[dict[str, Any]] = []
            for agent_id in draw(st.lists(agents, min_size=1, max_size=3, unique=True)):
                handled = draw(st.integers(1, 20))
                work_s = draw(st.integers(0, 300)) * handled
                rows.append(
                    {
                        "queue_id": queue_id,
                        "agent_id": agent_id or draw(self.agents),
                        "contacts_handled": handled,
                        "handle_time_s": work_s + draw(st.integers(1, 600)) * handled,
                        "work_time_s": work_s,
                    }
                )
            return rows

        return build()

    def _queue_row(self, queue_id: str, handled: list[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
        """The queue whose contacts these agents handled, and some that were abandoned."""

        @st.composite
        def build(draw: st.DrawFn) -> dict[str, Any]:
            answered = sum(row["contacts_handled"] for row in handled)
            abandoned = draw(st.integers(0, 20))
            in_time = draw(st.integers(0, answered))
            row = {
                "queue_id": queue_id,
                "queue_name": draw(_NAMES),
                "contacts_received": answered + abandoned,
                "contacts_handled": answered,
                "contacts_abandoned": abandoned,
                "contacts_answered_in_sl": in_time,
                "contacts_abandoned_in_sl": draw(st.integers(0, abandoned)),
                "handle_time_s": sum(one["handle_time_s"] for one in handled),
                "work_time_s": sum(one["work_time_s"] for one in handled),
                "queue_delay_s": draw(st.integers(0, 300)) * answered,
            }
            if draw(st.booleans()):
                row["backlog"] = draw(st.integers(0, 50))
            return row

        return build()

    def performance_rows(self) -> st.SearchStrategy[dict[str, Any]]:
        """One agent's interval: ready, idle and busy make the time of the log-in."""

        @st.composite
        def build(draw: st.DrawFn) -> dict[str, Any]:
            login_s = draw(st.integers(1, self.profile.limits.interval_s))
            ready_s = draw(st.integers(0, login_s))
            out_calls, internal_calls = draw(st.integers(0, 5)), draw(st.integers(0, 5))
            return {
                "agent_id": draw(self.agents),
                "internal_calls": internal_calls,
                "internal_time_s": internal_calls * draw(st.integers(1, 600)),
                "ready_time_s": ready_s,
                "idle_time_s": draw(st.integers(0, login_s - ready_s)),
                "out_calls": out_calls,
                "out_time_s": out_calls * draw(st.integers(1, 600)),
                "login_time_s": login_s,
            }

        return build()

    # ------------------------------------------------------------------------------------- everything else

    def any_object(self, dto: str) -> st.SearchStrategy[dict[str, Any]]:
        """An object of which nothing but its fields is known."""
        fields = self.profile.dto(dto).fields
        needed = {name: self._value(field) for name, field in fields.items() if field.required}
        other = {name: self._value(field) for name, field in fields.items() if not field.required}
        if {"access_key", "secret_key"} <= needed.keys():
            needed["secret_key"] = needed["secret_key"].map(lambda text: f"secret-{text}")
        return st.fixed_dictionaries(needed, optional=other)

    def _value(self, field: Field) -> st.SearchStrategy[Any]:
        match field.type:
            case FieldType.STRING | FieldType.ANY:
                return _IDS
            case FieldType.INTEGER | FieldType.DURATION:
                return st.integers(1, min(field.maximum or 3_600, 3_600))
            case FieldType.NUMBER:
                return st.floats(0, field.maximum or 100, allow_nan=False)
            case FieldType.BOOLEAN:
                return st.booleans()
            case FieldType.TIME:
                return st.integers(_FIRST_MS // 1000, _LAST_MS // 1000).map(lambda seconds: seconds * 1000)
            case FieldType.OBJECT:
                return self.any_object(field.of or "")
            case FieldType.ARRAY:
                rows = st.lists(self.any_object(field.of or ""), max_size=min(field.max_rows or 3, 3))
                return rows.map(_numbered)


def _without_repetition(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [pair for number, pair in enumerate(pairs) if number == 0 or pair != pairs[number - 1]]


def _numbered(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows that carry a position carry each another one."""
    return [{**row, "index": number} if "index" in row else row for number, row in enumerate(rows)]
