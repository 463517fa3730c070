"""flex-wfm-sim twilio: a simulated Twilio Flex workspace with REST and signed callbacks."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

import click

from simulator.cli.numbers import FiniteRange
from simulator.twilio.emitter import DeliveryMode
from simulator.twilio.event_types import unknown_types

if TYPE_CHECKING:
    from simulator.twilio.grounds import Grounds
    from simulator.world.scenario import Scenario

_MINUTE_MS = 60_000


def _start_ms(_context: click.Context, _parameter: click.Parameter, value: str | None) -> int | None:
    if value is None:
        return None
    if value.isdigit():
        return int(value)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise click.BadParameter("give epoch milliseconds or an ISO time such as 2026-01-05T08:00:00Z") from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)


def _known_types(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    if problem := unknown_types(value):
        raise click.BadParameter(problem)
    return value


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    default=8081,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Port to listen on; 0 picks a free one.",
)
@click.option(
    "--scenario",
    "name",
    default="",
    metavar="NAME|FILE",
    help="What the floor is like; `flex-wfm-sim run --list` lists the ready ones.",
)
@click.option("--agents", type=click.IntRange(1, 5000), help="Default: the scenario's, else 100.")
@click.option("--seed", default=1, show_default=True, help="One seed, one day: people, work and events are repeated.")
@click.option("--start", "start_ms", callback=_start_ms, help="Virtual time at which the clock starts.")
@click.option(
    "--speed", default=1.0, show_default=True, type=FiniteRange(0, min_open=True), help="Virtual seconds per second."
)
@click.option(
    "--warmup-minutes",
    default=60.0,
    show_default=True,
    type=FiniteRange(0),
    help="Virtual minutes that the floor has been at work before the start; no callback tells of them.",
)
@click.option("--minutes", type=FiniteRange(0, min_open=True), help="Virtual minutes until the end; default: none.")
@click.option("--callback-url", default="", help="Where events are posted; connection overrides may follow #.")
@click.option(
    "--events-filter", default="", callback=_known_types, help="Comma-separated event types to post; default: all."
)
@click.option("--lanes", default=8, show_default=True, type=click.IntRange(1, 64), help="Connections for callbacks.")
@click.option(
    "--delivery",
    default="twilio",
    show_default=True,
    type=click.Choice(["twilio", "until-acked"]),
    help="`twilio` retries once, and only if the connection fails; `until-acked` repeats until taken.",
)
@click.option("--account-sid", default="", help="Default: made from the seed.")
@click.option("--workspace-sid", default="", help="Default: made from the seed.")
@click.option("--auth-token", default="", envvar="FLEX_WFM_SIM_AUTH_TOKEN", help="Default: made from the seed.")
@click.option("--shared-key-id", default="", help="Sign with HMAC-SHA256 and this SharedKey instead of the Auth Token.")
@click.option("--shared-key-secret", default="", envvar="FLEX_WFM_SIM_SHARED_KEY_SECRET")
@click.option("--hold", is_flag=True, help="Keep the clock still until POST /sim/start.")
@click.option("--by-hand", is_flag=True, help="No customer comes, and no agent acts unless told to, by REST or /sim.")
@click.option(
    "--also",
    multiple=True,
    metavar="name=NAME,KEY=VALUE,...",
    help="Another world with an account of its own: scenario, agents, seed, speed, callback_url, hold, by_hand.",
)
@click.option("--json-ready", is_flag=True, help="When listening, print one line of JSON instead of the welcome.")
def twilio(
    host: str,
    port: int,
    name: str,
    agents: int | None,
    seed: int,
    start_ms: int | None,
    speed: float,
    warmup_minutes: float,
    minutes: float | None,
    callback_url: str,
    events_filter: str,
    lanes: int,
    delivery: str,
    account_sid: str,
    workspace_sid: str,
    auth_token: str,
    shared_key_id: str,
    shared_key_secret: str,
    hold: bool,
    by_hand: bool,
    also: tuple[str, ...],
    json_ready: bool,
) -> None:
    """Serve a simulated Twilio Flex workspace: TaskRouter REST, signed event callbacks, and /sim to control it."""
    from simulator.listen import reserve
    from simulator.twilio.grounds import Grounds
    from simulator.twilio.process import ProcessSettings, serve
    from simulator.twilio.show import ShowSettings
    from simulator.twilio.target import CallbackTarget

    if callback_url:
        try:
            CallbackTarget.parse(callback_url)
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="--callback-url") from error
    if bool(shared_key_id) != bool(shared_key_secret):
        raise click.UsageError("--shared-key-id and --shared-key-secret go together")
    warmup_ms = round(warmup_minutes * _MINUTE_MS)
    scenario = _scenario(name, agents, seed, start_ms, warmup_ms)
    start_ms = scenario.start_ms + warmup_ms
    if account_sid or workspace_sid:
        scenario = scenario.with_({"workspace": {"account_sid": account_sid, "workspace_sid": workspace_sid}})
    show = ShowSettings(
        callback_url=callback_url,
        events_filter=events_filter,
        lanes=lanes,
        delivery=cast(DeliveryMode, delivery),
        shared_key_id=shared_key_id,
        shared_key_secret=shared_key_secret,
        start_ms=start_ms,
        speed=speed,
        end_ms=None if minutes is None else start_ms + round(minutes * _MINUTE_MS),
    )
    more = _more(also, seed)
    with closing(reserve(host, port)) as reserved:
        number = reserved.getsockname()[1]
        if port != 0:
            reserved.close()
        serve(
            ProcessSettings(
                grounds=Grounds(scenario=scenario, show=show, auth_token=auth_token, hold=hold, by_hand=by_hand),
                more=more,
                host=host,
                port=number,
                json_ready=json_ready,
            )
        )


def _scenario(name: str, agents: int | None, seed: int, start_ms: int | None, warmup_ms: int) -> Scenario:
    """The floor asked for."""
    from simulator.twilio.grounds import scenario_from
    from simulator.world.scenario.files import ScenarioError

    try:
        return scenario_from(name, agents, seed, start_ms, warmup_ms)
    except ScenarioError as error:
        raise click.ClickException(str(error)) from error


def _more(texts: tuple[str, ...], seed: int) -> dict[str, Grounds]:
    """The worlds of --also, such as `name=b,agents=20,seed=7`."""
    from simulator.twilio.grounds import grounds_of
    from simulator.twilio.worlds import FIRST, is_world_name

    found: dict[str, Grounds] = {}
    for number, text in enumerate(texts, 1):
        given = dict(part.partition("=")[::2] for part in text.split(","))
        name = given.pop("name", "")
        if not is_world_name(name) or name in (FIRST, *found):
            raise click.BadParameter(f"{text}: give each world a name of its own, as in name=b", param_hint="--also")
        try:
            found[name] = grounds_of({key: _value(value) for key, value in given.items()}, seed=seed + number)
        except ValueError as error:
            raise click.BadParameter(f"{text}: {error}", param_hint="--also") from error
    return found


def _value(text: str) -> object:
    """A number, true, false, or else a text."""
    try:
        return json.loads(text)
    except ValueError:
        return text
