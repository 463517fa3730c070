"""flex-wfm-sim floor: looks at the floor of a running fake Twilio and changes it by hand."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import click

from simulator.cli.numbers import FiniteRange

_FLAG = click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")


@dataclass(frozen=True, slots=True)
class _Face:
    """The control face of one world."""

    url: str
    world: str

    def call(self, method: str, path: str, body: dict[str, Any] | None = None, *, of_world: bool = True) -> Any:
        """The JSON answer; a refusal, and a server that is not there, end the command with one line."""
        import httpx

        base = self.url.rstrip("/") + "/sim"
        if of_world and self.world:
            base += f"/worlds/{self.world}"
        try:
            answer = httpx.request(method, base + path, json=body, timeout=60)
        except httpx.HTTPError as error:
            hint = "start one with `flex-wfm-sim twilio`, or say where it is with --url"
            raise click.ClickException(f"no fake Twilio answers at {self.url} ({error}); {hint}") from error
        try:
            told = answer.json()
        except ValueError as error:
            raise click.ClickException(f"{base + path} answered {answer.status_code} without JSON") from error
        if answer.is_error:
            raise click.ClickException(str(told.get("problem") or told.get("message")))
        return told


@click.group()
@click.option("--url", default="http://127.0.0.1:8081", show_default=True, envvar="FLEX_WFM_SIM_TWILIO_URL",
              help="Where the fake Twilio listens.")  # fmt: skip
@click.option("--world", default="", help="Which of its worlds; default: the first.")
@click.pass_context
def floor(ctx: click.Context, url: str, world: str) -> None:
    """Look at the floor of a running fake Twilio, and set agents, tasks and queues by hand."""
    ctx.obj = _Face(url, world)


@floor.command()
@click.pass_obj
def status(face: _Face) -> None:
    """Time, progress and counts."""
    _show(face.call("GET", "/status"))


# -- agents


@floor.command()
@_FLAG
@click.pass_obj
def agents(face: _Face, as_json: bool) -> None:
    """All agents with what they are doing."""
    rows = face.call("GET", "/agents")["agents"]
    _table(rows, ("name", "activity", "state", "led", "open"), as_json=as_json)


@floor.command()
@click.argument("key", metavar="NAME|SID")
@click.option("--new", is_flag=True, help="Create the agent first; it is led by hand.")
@click.option("--activity", help="Move the agent there, by the activity's name.")
@click.option("--reject-pending", is_flag=True, help="Refuse what rings meanwhile.")
@click.option("--skills", help="Comma-separated; they decide which queues the agent serves.")
@click.option("--rename", help="Another friendly name.")
@click.option("--led/--free", default=None, help="Led by hand: does nothing unless told to. Free: acts by itself.")
@click.option("--delete", is_flag=True, help="Take the agent away.")
@click.pass_obj
def agent(
    face: _Face,
    key: str,
    new: bool,
    activity: str | None,
    reject_pending: bool,
    skills: str | None,
    rename: str | None,
    led: bool | None,
    delete: bool,
) -> None:
    """Show one agent, or change it."""
    attributes = None if skills is None else {"routing": {"skills": skills.split(","), "levels": {}}}
    if delete:
        _show(face.call("DELETE", f"/agents/{_quoted(key)}"))
        return
    given = {"activity": activity, "attributes": attributes, "led": led, "name": rename}
    if reject_pending:
        given["rejects_pending"] = True
    body = {name: value for name, value in given.items() if value is not None}
    if new:
        _show(face.call("POST", "/agents", {"name": key, **body}))
    elif body:
        _show(face.call("POST", f"/agents/{_quoted(key)}", body))
    else:
        _show(face.call("GET", f"/agents/{_quoted(key)}"))


# -- tasks


@floor.command()
@_FLAG
@click.pass_obj
def tasks(face: _Face, as_json: bool) -> None:
    """All tasks that REST knows."""
    rows = face.call("GET", "/tasks")["tasks"]
    _table(rows, ("sid", "status", "queue", "channel", "direction", "reservations"), as_json=as_json)


@floor.command()
@click.argument("sid", required=False)
@click.option("--new", is_flag=True, help="Create a task (or --count of them).")
@click.option("--queue", help="The queue of the new task; default: the workflow decides.")
@click.option("--agent", "agent_key", help="New: rings at this agent alone. Else: whose reservation the step is for.")
@click.option("--channel", help="The task channel of the new task; default: the queue's.")
@click.option("--priority", type=int)
@click.option("--timeout", type=click.IntRange(1), help="Seconds until TaskRouter cancels it.")
@click.option("--count", type=click.IntRange(1, 1000), help="How many new ones.")
@click.option("--step", type=click.Choice(["accept", "reject", "wrap", "complete", "cancel", "delete"]))
@click.option("--reason", help="Of a cancel or a completion.")
@click.pass_obj
def task(
    face: _Face,
    sid: str | None,
    new: bool,
    queue: str | None,
    agent_key: str | None,
    channel: str | None,
    priority: int | None,
    timeout: int | None,
    count: int | None,
    step: str | None,
    reason: str | None,
) -> None:
    """Show one task, create one (--new), or take it a step further (--step)."""
    if new is (sid is not None):
        raise click.UsageError("give the sid of a task, or --new")
    if new:
        given = {
            "queue": queue, "agent": agent_key, "channel": channel, "priority": priority, "timeout_s": timeout,
            "count": count,
        }  # fmt: skip
        _show(face.call("POST", "/tasks", {name: value for name, value in given.items() if value is not None}))
    elif step:
        given = {"step": step, "agent": agent_key, "reason": reason}
        _show(
            face.call(
                "POST", f"/tasks/{_quoted(sid)}", {name: value for name, value in given.items() if value is not None}
            )
        )
    else:
        _show(face.call("GET", f"/tasks/{_quoted(sid)}"))


# -- queues


@floor.command()
@_FLAG
@click.pass_obj
def queues(face: _Face, as_json: bool) -> None:
    """All queues, and how many wait there."""
    _table(face.call("GET", "/queues")["queues"], ("name", "channel", "waiting", "priority", "agents"), as_json=as_json)


@floor.command()
@click.argument("key", metavar="NAME|SID")
@click.option("--priority", type=int, help="Of the tasks that come from now on.")
@click.option("--offers", type=click.IntRange(1, 50), help="To how many agents a task is offered at once.")
@click.option("--timeout", type=FiniteRange(0), help="Seconds until the workflow gives a task up; 0: never.")
@click.option("--join", multiple=True, metavar="AGENT", help="Let an agent serve the queue.")
@click.option("--leave", multiple=True, metavar="AGENT", help="Let an agent serve it no more.")
@click.option("--empty", metavar="REASON", help="Cancel all that wait.")
@click.pass_obj
def queue(
    face: _Face,
    key: str,
    priority: int | None,
    offers: int | None,
    timeout: float | None,
    join: tuple[str, ...],
    leave: tuple[str, ...],
    empty: str | None,
) -> None:
    """Show one queue, or change it."""
    given = {
        "priority": priority, "offers": offers, "timeout_s": timeout, "join": list(join) or None,
        "leave": list(leave) or None, "empty": empty,
    }  # fmt: skip
    body = {name: value for name, value in given.items() if value is not None}
    _show(face.call("POST" if body else "GET", f"/queues/{_quoted(key)}", body or None))


# -- the floor as a whole


@floor.command()
@click.argument("address", metavar="URL")
@click.option("--filter", "events_filter", help="Comma-separated event types; empty: all.")
@click.pass_obj
def callbacks(face: _Face, address: str, events_filter: str | None) -> None:
    """Send the events from now on to URL, signed; an empty one ends it."""
    body = {"url": address} | ({} if events_filter is None else {"filter": events_filter})
    _show(face.call("POST", "/callbacks", body))


@floor.command()
@click.argument("seconds", type=FiniteRange(0, min_open=True))
@click.pass_obj
def advance(face: _Face, seconds: float) -> None:
    """Move a floor on by virtual SECONDS whose clock stands still (--hold)."""
    _show(face.call("POST", "/advance", {"seconds": seconds}))


@floor.command()
@click.option("--seed", type=click.IntRange(0), help="With another seed, and so another account.")
@click.pass_obj
def reset(face: _Face, seed: int | None) -> None:
    """Begin the floor anew, without faults."""
    _show(face.call("POST", "/reset", {"floor": True} | ({} if seed is None else {"seed": seed})))


@floor.command()
@click.option("--requests", type=click.IntRange(0), help="All requests in a second; 0: no limit.")
@click.option("--retry-after", type=click.IntRange(0), help="Seconds in Retry-After; 0: without that header.")
@click.pass_obj
def limits(face: _Face, requests: int | None, retry_after: int | None) -> None:
    """Show the rate limits of REST, or set them."""
    given = {"requests": requests, "retry_after_s": retry_after}
    body = {name: value for name, value in given.items() if value is not None}
    _show(face.call("POST" if body else "GET", "/limits", body or None))


@floor.command()
@click.option("--add", metavar="NAME", help="Another world.")
@click.option("--remove", metavar="NAME", help="End a world.")
@click.option("--scenario", help="Of the new world.")
@click.option("--agents", type=click.IntRange(1, 5000), help="Of the new world.")
@click.option("--seed", type=click.IntRange(0), help="Of the new world.")
@click.option("--hold", is_flag=True, help="The clock of the new world stands still.")
@click.option("--by-hand", is_flag=True, help="Nobody acts in the new world unless told to.")
@click.pass_obj
def worlds(
    face: _Face,
    add: str | None,
    remove: str | None,
    scenario: str | None,
    agents: int | None,
    seed: int | None,
    hold: bool,
    by_hand: bool,
) -> None:
    """List the worlds with their keys, add one, or end one."""
    if add:
        given = {"scenario": scenario, "agents": agents, "seed": seed, "hold": hold or None, "by_hand": by_hand or None}
        body = {"name": add} | {name: value for name, value in given.items() if value is not None}
        _show(face.call("POST", "/worlds", body, of_world=False))
    elif remove:
        _show(face.call("DELETE", f"/worlds/{remove}", of_world=False))
    else:
        _show(face.call("GET", "/worlds", of_world=False))


def _quoted(key: str | None) -> str:
    return quote(key or "", safe="")


def _show(answer: Any) -> None:
    click.echo(json.dumps(answer, indent=2, ensure_ascii=False))


def _table(rows: list[dict[str, Any]], columns: tuple[str, ...], *, as_json: bool) -> None:
    if as_json:
        _show(rows)
        return
    cells = [list(columns), *([_cell(row[name]) for name in columns] for row in rows)]
    widths = [max(len(line[number]) for line in cells) for number in range(len(columns))]
    for line in cells:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, list):
        if value and isinstance(value[0], dict):
            return ", ".join(f"{one.get('agent') or one.get('task_sid')} {one['status']}" for one in value)
        return str(len(value))
    return "" if value is None else str(value)
