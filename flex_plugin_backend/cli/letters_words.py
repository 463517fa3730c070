"""Dead letters in words, tables and JSON: what is held, why, and how to mend the cause."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from flex_plugin_backend.cli.moments import as_second, as_time
from flex_plugin_backend.domain.intervals import INTERVAL_MS
from flex_plugin_backend.ledger.lookups import StoredAnswer, StoredState
from flex_plugin_backend.ledger.outbox import Delivery
from flex_plugin_backend.ledger.receipts import Receipt
from flex_plugin_backend.settings import TenantSettings

_LABEL = 8


@dataclass(frozen=True, slots=True)
class Detail:
    """One dead letter with all that an operator needs; `present`: the state still is its agent's."""

    tenant: str
    letter: StoredState | Receipt
    answer: StoredAnswer | None
    present: bool
    settings: TenantSettings


def id_of(one: StoredState | Receipt) -> str:
    """By what a letter is named on the command line: a number, or kind and interval of a report."""
    return str(one.id) if isinstance(one, StoredState) else f"{one.kind}@{as_second(one.start_ms)}"


def table(rows: Iterable[tuple[str, ...]]) -> Table:
    """Dead letters as a table."""
    found = Table("id", "tenant", "who", "what", "since", "what it needs", "why")
    for row in rows:
        found.add_row(*row)
    return found


def row_of_state(tenant: str, one: StoredState) -> tuple[str, ...]:
    """A held state as a row of the table."""
    who = one.agent_id or one.worker_sid
    return (id_of(one), tenant, who, _pair(one), as_second(one.start_ms), _needs(one), one.note or "")


def row_of_report(tenant: str, one: Receipt) -> tuple[str, ...]:
    """A refused report as a row of the table."""
    what = f"{one.kind} report, revision {one.revision}"
    return (id_of(one), tenant, "-", what, as_second(one.start_ms), "a repair, then replay", one.note or "")


def _needs(one: StoredState) -> str:
    return "a name; sent by itself then" if one.status is Delivery.UNMAPPED else "a repair, then replay"


def _pair(one: StoredState) -> str:
    return f"{one.event_id or one.state} {one.reason}".strip()


def lines_of(detail: Detail) -> list[str]:
    """One dead letter whole, for people."""
    one, answer = detail.letter, detail.answer
    lines = [f"dead letter {id_of(one)} of tenant {detail.tenant}"]

    def say(label: str, text: str) -> None:
        lines.append(f"{label:<{_LABEL}} {text}")

    if isinstance(one, StoredState):
        say("agent", f"{one.agent_id or '-'} (worker {one.worker_sid})")
        say("state", f"{_pair(one)} since {as_time(one.start_ms)}")
        say("event", one.cause_sid or "none of its own")
        say("noted", as_time(one.recorded_ms))
        say(
            "still so",
            "yes" if detail.present or one.status is Delivery.UNMAPPED else "no: it is over, a replay lets it go",
        )
    else:
        say("report", f"{one.kind}, {as_second(one.start_ms)} to {as_second(one.start_ms + INTERVAL_MS)}")
        say("revision", f"{one.revision}, {one.status.value}")
        say("sent", as_time(one.sent_ms) if one.sent_ms is not None else "waits to be sent again")
    say("why", one.note or "no reason was noted")
    if answer is None:
        say("answer", "none: it never left, or none came")
    else:
        say("answer", f"{answer.status or 'no status'} at {as_time(answer.at_ms)}, to a request of {answer.rows}")
        lines += [f"{'':<{_LABEL}} {line}" for line in (answer.body or "").splitlines()]
    for step in _mend(detail):
        say("mend", step)
    return lines


def _mend(detail: Detail) -> list[str]:
    """What a human can do, by what is known of the cause."""
    one = detail.letter
    if isinstance(one, Receipt):
        start, end = as_second(one.start_ms), as_second(one.start_ms + INTERVAL_MS)
        return [
            f"look at it: flex-wfm report --tenant {detail.tenant} --from {start} --to {end} --json, and check it with "
            "flex-wfm validate",
            f"when the WFM takes it: flex-wfm dead-letters replay {id_of(one)}",
        ]
    if one.status is Delivery.UNMAPPED:
        return [_name_it(detail, one), "it is sent by itself then; nothing needs to be replayed"]
    last = f"then: flex-wfm dead-letters replay {id_of(one)}"
    if detail.answer is None or detail.answer.status is None:
        return ["its form is wrong: flex-wfm contract show prints the contract that it does not fit", last]
    return [
        f"the WFM's words are its answer; the employee's ACD Login ID in CXone must be {one.agent_id}, "
        f"and {_pair(one)} an event that the tenant has set up",
        last,
    ]


def _name_it(detail: Detail, one: StoredState) -> str:
    rule = detail.settings.mapping.agent_id
    if one.event_id is None and one.state == "UNKNOWN":
        return (
            "let the connector read Twilio's activities (REST access), or say what the activity means: "
            f"[tenants.{detail.tenant}.mapping.activities.NAME] state"
        )
    if one.event_id is None:
        return f"add an entry for the state {one.state} under [events] of the contract profile"
    if rule.startswith("attribute:"):
        path = rule.removeprefix("attribute:")
        return f"give {one.worker_sid} its agent id in Twilio, as the attribute {path}; or change [mapping] agent_id"
    return f"the worker's {rule.replace('_', ' ')} is not known yet: its next event, or the next start, tells it"


# -- JSON -----------------------------------------------------------------------------------------------------------


def plain_state(tenant: str, one: StoredState) -> dict[str, Any]:
    """A held state as JSON-able data."""
    return {
        "tenant": tenant,
        "kind": "state",
        "id": one.id,
        "worker_sid": one.worker_sid,
        "agent_id": one.agent_id,
        "event_id": one.event_id,
        "reason": one.reason,
        "state": one.state,
        "start": as_second(one.start_ms),
        "cause": one.cause_sid,
        "status": one.status.value,
        "why": one.note,
    }


def plain_report(tenant: str, one: Receipt) -> dict[str, Any]:
    """A refused report as JSON-able data."""
    return {
        "tenant": tenant,
        "kind": "report",
        "id": id_of(one),
        "report": one.kind,
        "start": as_second(one.start_ms),
        "revision": one.revision,
        "status": one.status.value,
        "sent": None if one.sent_ms is None else as_time(one.sent_ms),
        "why": one.note,
    }


def plain_detail(detail: Detail) -> dict[str, Any]:
    """One dead letter whole, as JSON-able data."""
    one, answer = detail.letter, detail.answer
    plain = plain_state(detail.tenant, one) if isinstance(one, StoredState) else plain_report(detail.tenant, one)
    told = None
    if answer is not None:
        told = {"at": as_time(answer.at_ms), "status": answer.status, "rows": answer.rows, "body": answer.body}
    return {**plain, "present": detail.present, "answer": told, "mend": _mend(detail)}
