"""flex-wfm report: rebuilds interval reports from the ledger, shows what was sent of them, explains and sends them."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from flex_plugin_backend.cli.moments import Moment, as_time
from flex_plugin_backend.cli.options import config_option
from flex_plugin_backend.domain.intervals import Interval
from flex_plugin_backend.domain.reports import IntervalRows
from flex_plugin_backend.flow.buildreports import activity_report, content_hash, queue_report, wire_of
from flex_plugin_backend.flow.connect import connect
from flex_plugin_backend.flow.rebuild import ReportDesk, each
from flex_plugin_backend.ledger.receipts import Receipt
from flex_plugin_backend.ledger.store import Ledger
from flex_plugin_backend.settings import load_settings
from flex_plugin_backend.wfm import ReportService, WFMConnection
from flex_plugin_backend.wfm.contract import Profile, load_profile

_SECTIONS = (
    ("agent activity", "activities"),
    ("queues", "queues"),
    ("agents by queue", "agent_queues"),
    ("agent system performance", "performance"),
)
# Short headings, so that a queue's many figures fit a screen; the rest are the fields' own names.
_HEADINGS = {
    "queue_id": "queue",
    "queue_name": "name",
    "agent_id": "agent",
    "event_id": "event",
    "event_reason": "reason",
    "start_ms": "start",
    "end_ms": "end",
    "duration_s": "s",
    "contacts_received": "recv",
    "contacts_handled": "hand",
    "contacts_abandoned": "aban",
    "contacts_abandoned_short": "short",
    "contacts_abandoned_long": "long",
    "contacts_diverted": "div",
    "contacts_answered_in_sl": "ans SL",
    "contacts_abandoned_in_sl": "aba SL",
    "handle_time_s": "handle s",
    "talk_time_s": "talk s",
    "hold_time_s": "hold s",
    "work_time_s": "work s",
    "ring_time_s": "ring s",
    "queue_delay_s": "delay s",
    "service_level": "SL %",
    "backlog_not_expired": "in time",
    "backlog_expired": "late",
    "internal_calls": "int",
    "internal_time_s": "int s",
    "out_calls": "out",
    "out_time_s": "out s",
    "ready_time_s": "ready s",
    "idle_time_s": "idle s",
    "busy_time_s": "busy s",
    "login_time_s": "login s",
}
# Where nobody looks at a terminal (a pipe, a file) nothing is cut.
_PIPE_WIDTH = 260
_GRID = Moment(on_grid=True)


@click.command()
@config_option("The settings.")
@click.option("--tenant", required=True, help="Which tenant.")
@click.option(
    "--from",
    "from_ms",
    type=Moment(on_grid=True),
    required=True,
    help="Start of the first interval, e.g. 2026-01-05T09:00Z.",
)
@click.option("--to", "to_ms", type=Moment(on_grid=True), required=True, help="End.")
@click.option("--json", "as_json", is_flag=True, help="The wire JSON, one report a line.")
@click.option("--send", is_flag=True, help="Send them to the WFM now, whatever was sent before.")
@click.option(
    "--explain", metavar="AGENT|QUEUE", help="List the contacts, states and events behind an agent or a queue."
)
def report(
    config: Path | None, tenant: str, from_ms: int, to_ms: int, as_json: bool, send: bool, explain: str | None
) -> None:
    """Rebuild the interval reports of a span of time from the ledger."""
    settings = load_settings(config)
    if tenant not in settings.tenants:
        raise click.BadParameter(f"there is no tenant {tenant}", param_hint="--tenant")
    if to_ms <= from_ms:
        raise click.BadParameter("it lies before --from", param_hint="--to")
    chosen = settings.tenants[tenant]
    now_ms = settings.clock.build().now_ms()
    with closing(Ledger(settings.ledger.url)) as ledger:
        desk = ReportDesk(tenant, chosen, ledger)
        profile = load_profile(chosen.wfm.profile)
        connection = connect(chosen.wfm) if send else None
        known = desk.receipts(from_ms, to_ms)
        for interval in each(from_ms, to_ms):
            rows = desk.rows(interval, now_ms)
            if as_json:
                _print_json(rows, profile)
            else:
                _print_tables(rows, known, profile)
            if explain is not None:
                _explain(desk, interval, explain)
            if send and connection is not None:
                _send(rows, connection)


def _print_json(rows: IntervalRows, profile: Profile) -> None:
    for dto in (activity_report(rows), queue_report(rows)):
        click.echo(json.dumps(wire_of(dto, profile), ensure_ascii=False))


def _print_tables(rows: IntervalRows, known: dict[tuple[str, int], Receipt], profile: Profile) -> None:
    console = _console()
    start_ms = rows.interval.start_ms
    console.rule(f"{as_time(start_ms)} to {as_time(rows.interval.end_ms)}")
    for kind, dto in (("activity", activity_report(rows)), ("queue", queue_report(rows))):
        console.print(f"{kind} report: {_sent(known.get((kind, start_ms)), content_hash(dto, profile))}")
    for title, name in _SECTIONS:
        found = getattr(rows, name)
        if not found:
            console.print(f"{title}: no rows")
            continue
        names = [field for field in found[0].__slots__ if field not in ("agent_value", "interval")]
        table = Table(*(_HEADINGS.get(field, field) for field in names), title=title, title_justify="left")
        for one in found:
            table.add_row(*(_cell(field, getattr(one, field)) for field in names))
        console.print(table)
    for one in rows.not_reportable:
        console.print(f"not reportable: {one.contacts} {one.channel} contacts of {one.queue_id}: {one.cause}")
    for worker, problem in rows.unmapped:
        console.print(f"unmapped: {worker}: {problem}")


def _sent(receipt: Receipt | None, digest: str) -> str:
    if receipt is None:
        return "not sent yet"
    when = as_time(receipt.sent_ms) if receipt.sent_ms is not None else "?"
    same = "the WFM holds these figures" if receipt.hash == digest else "the figures have changed since"
    note = f" ({receipt.note})" if receipt.note else ""
    return f"revision {receipt.revision}, {receipt.status.value} at {when}{note}; {same}"


def _explain(desk: ReportDesk, interval: Interval, name: str) -> None:
    console = _console()
    found = desk.evidence(interval, name)
    console.print(f"Behind {name}:")
    for segment in found.segments:
        state = segment.state
        words = " ".join(
            str(part) for part in (state.state, state.channel, state.direction, state.activity_name) if part
        )
        console.print(f"  state    {as_time(segment.start_ms)}  {words}")
    for visit in found.visits:
        end = as_time(visit.end_ms) if visit.end_ms is not None else "still"
        console.print(f"  visit    {as_time(visit.start_ms)} to {end}  {visit.outcome}  {visit.task_sid}")
    for contact in found.contacts:
        end = as_time(contact.end_ms) if contact.end_ms is not None else "still"
        flags = f"  ({', '.join(contact.flags)})" if contact.flags else ""
        console.print(f"  contact  {as_time(contact.accepted_ms)} to {end}  {contact.reservation_sid}{flags}")
    for event in found.events:
        console.print(f"  event    {as_time(event.occurred_ms)}  {event.type}  {event.sid}")
    if not (found.segments or found.visits or found.contacts):
        console.print("  nothing: no agent and no queue of this name was active in the interval")


def _send(rows: IntervalRows, connection: WFMConnection) -> None:
    service = ReportService(connection)
    service.process_agent_activity_report(activity_report(rows))
    service.process_queue_report(queue_report(rows))
    click.echo(f"{as_time(rows.interval.start_ms)}: both reports were accepted.")


def _console() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=_PIPE_WIDTH)


def _cell(name: str, value: object) -> str:
    if value is None:
        return "-"
    if name.endswith("_ms") and isinstance(value, int):
        return as_time(value)
    return f"{value:.1f}" if isinstance(value, float) else str(value)
