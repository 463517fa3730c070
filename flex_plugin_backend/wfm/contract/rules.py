"""The registry of the numbered rules of meaning; the rules themselves stand in the `rules_*` modules."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from flex_plugin_backend.wfm.contract import rules_common, rules_reports, rules_states
from flex_plugin_backend.wfm.contract.findings import Finding
from flex_plugin_backend.wfm.contract.payload import Payload

STATES = frozenset({"AgentStateListDTO"})
ACTIVITY = frozenset({"AgentActivityReportDTO"})
QUEUE = frozenset({"ReportDTO"})
REPORTS = ACTIVITY | QUEUE


@dataclass(frozen=True, slots=True)
class Rule:
    """One numbered rule.

    Attributes:
        id: `M01`, never reused.
        title: what holds when the rule is kept.
        dtos: the payloads it looks at; empty means all.
        check: gives the findings of a payload.
    """

    id: str
    title: str
    dtos: frozenset[str]
    check: Callable[[Payload], Iterable[Finding]]

    def fits(self, dto: str) -> bool:
        """Whether the rule looks at this DTO."""
        return not self.dtos or dto in self.dtos


RULES = {
    rule.id: rule
    for rule in (
        Rule("M01", "an instant is written in the profile's format", frozenset(), rules_common.time_format),
        Rule("M02", "an instant is UTC", frozenset(), rules_common.time_utc),
        Rule("M03", "the start lies before the end", REPORTS, rules_reports.start_before_end),
        Rule("M04", "an interval lies on the grid", REPORTS, rules_reports.interval_aligned),
        Rule("M05", "an interval is as long as the grid's step", REPORTS, rules_reports.interval_length),
        Rule("M06", "an event id is in the profile", STATES | ACTIVITY, rules_states.event_known),
        Rule("M07", "an event that wants a reason has one", STATES | ACTIVITY, rules_states.reason_present),
        Rule("M08", "an event that takes no reason has none", STATES | ACTIVITY, rules_states.reason_absent),
        Rule("M09", "a list without rows is there and empty", frozenset(), rules_common.empty_list_present),
        Rule("M10", "counts and durations are not negative", frozenset(), rules_common.not_negative),
        Rule("M11", "a list keeps to the batch limit", frozenset(), rules_common.batch_limit),
        Rule("M12", "a state is not sent twice in a row", STATES, rules_states.no_duplicate_state),
        Rule("M13", "a report holds no row twice", REPORTS, rules_reports.no_duplicate_row),
        Rule("M14", "a queue has one row", QUEUE, rules_reports.one_row_per_queue),
        Rule("M15", "an activity ends in the interval of its report", ACTIVITY, rules_reports.ends_in_interval),
        Rule("M16", "a duration is end minus start", ACTIVITY, rules_reports.duration_is_span),
        Rule("M17", "handled and abandoned are not more than received", QUEUE, rules_reports.contacts_add_up),
        Rule("M18", "within the threshold are not more than all", QUEUE, rules_reports.in_threshold),
        Rule("M19", "work time is part of handle time", QUEUE, rules_reports.work_in_handle),
        Rule("M20", "ready and idle time are part of login time", QUEUE, rules_reports.parts_of_login),
        Rule("M21", "an agent's states come in the order of time", STATES, rules_states.in_order),
        Rule("M22", "an identifier is not blank and not padded", frozenset(), rules_common.clean_identifier),
        Rule("M23", "an activity is as long as the shortest state", ACTIVITY, rules_reports.not_too_short),
    )
}
