"""flex-wfm-sim replay: an event log played to a connector as signed callbacks."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from types import FrameType
from typing import Any

import click

from simulator.cli.numbers import FiniteRange

_LEAD_S = 2.0
_SHARE = FiniteRange(0, 1)


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--target", required=True, metavar="URL", help="Where callbacks are posted; overrides may follow #.")
@click.option(
    "--speed", default=1.0, show_default=True, type=FiniteRange(0, min_open=True), help="How many times as fast."
)
@click.option(
    "--times",
    default="now",
    show_default=True,
    type=click.Choice(["now", "original"]),
    help="`now` moves the log to the present, squeezed by --speed; `original` leaves all times as they are, for a "
    "connector whose [clock] follows the log.",
)
@click.option("--anchor-ms", type=int, help="Machine time at which the first event is due; default: in two seconds.")
@click.option(
    "--auth-token",
    default="",
    envvar="FLEX_WFM_SIM_AUTH_TOKEN",
    help="Signs the callbacks; default for a simulated log: the one made from its seed.",
)
@click.option("--account-sid", default="", help="Default: the log's.")
@click.option("--workspace-sid", default="", help="Default: the log's.")
@click.option("--events-filter", default="", help="Comma-separated event types to post; default: all.")
@click.option("--lanes", default=8, show_default=True, type=click.IntRange(1, 64), help="Connections.")
@click.option(
    "--delivery",
    default="twilio",
    show_default=True,
    type=click.Choice(["twilio", "until-acked"]),
    help="`twilio` retries once, and only if the connection fails; `until-acked` repeats until taken.",
)
@click.option("--duplicates", default=0.0, show_default=True, type=_SHARE, help="Share of events that come twice.")
@click.option("--reordered", default=0.0, show_default=True, type=_SHARE, help="Share of events that come late.")
@click.option("--reorder-s", default=60.0, show_default=True, type=FiniteRange(0), help="How late, in the log's time.")
@click.option("--seed", default=1, show_default=True, help="Of the chance with which that happens.")
def replay(file: Path, target: str, speed: float, times: str, anchor_ms: int | None, **given: Any) -> None:
    """Play an event log, own or recorded, to a connector.

    Events are due at their own time, however slow the connector is. Exit code 0: every callback was taken.
    """
    from simulator.clock import VirtualClock
    from simulator.recording.player import Player
    from simulator.recording.restamp import Restamp, clock_lines
    from simulator.twilio.target import CallbackTarget
    from simulator.world.log_file import LogFileError, read_log

    try:
        CallbackTarget.parse(target)
        header, events = read_log(file)
        first = next(events, None)
    except LogFileError as error:
        raise click.ClickException(str(error)) from error
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--target") from error
    if first is None:
        raise click.ClickException(f"{file} has no events")
    anchor_ms = round((time.time() + _LEAD_S) * 1000) if anchor_ms is None else anchor_ms
    clock = VirtualClock(first.at_ms, anchor_ms, speed)
    played: Iterator[Any] = chain([first], events)
    if times == "now":
        restamp = Restamp(first.at_ms, anchor_ms, speed)
        clock, played = VirtualClock(anchor_ms, anchor_ms, 1.0), (restamp.event(one) for one in played)
    else:
        click.echo(f"The connector must run by this clock:\n{clock_lines(first.at_ms, anchor_ms, speed)}", err=True)
    player = Player(
        played, _sender(target, header, given), clock, faults=_faults(given, times, speed), seed=given["seed"]
    )

    try:
        with _ending(player.stop):
            result = player.play()
    except LogFileError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{result.events:,} events, {result.sent:,} callbacks, {result.taken:,} taken, in {result.wall_s:.1f} s")
    click.echo(
        f"sent later than planned: median {result.late_p50_ms} ms, 99 % {result.late_p99_ms} ms, "
        f"at most {result.late_max_ms} ms"
    )
    raise SystemExit(0 if result.taken == result.sent else 1)


@contextmanager
def _ending(stop: Callable[[], None]) -> Iterator[None]:
    """Ctrl-C and SIGTERM end what is going on in good order."""

    def end(_number: int, _frame: FrameType | None) -> None:
        stop()

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _sender(target: str, header: Any, given: dict[str, Any]) -> Any:
    from simulator.twilio.emitter import EmitterSettings
    from simulator.twilio.signing import SigningKey
    from simulator.world.sids import sid_of

    token = given["auth_token"]
    if not token:
        if header.seed is None:
            raise click.UsageError("a recorded log needs --auth-token (or FLEX_WFM_SIM_AUTH_TOKEN) to be signed")
        token = sid_of("", header.seed, "auth token")
    return EmitterSettings(
        callback_url=target,
        account_sid=given["account_sid"] or header.account_sid,
        workspace_sid=given["workspace_sid"] or header.workspace_sid,
        workspace_name=header.workspace_name,
        key=SigningKey(token),
        events_filter=given["events_filter"],
        lanes=given["lanes"],
        delivery=given["delivery"],
    )


def _faults(given: dict[str, Any], times: str, speed: float) -> list[Any]:
    from simulator.faults.twilio.duplicate import Duplicate
    from simulator.faults.twilio.reorder import Reorder

    # Faults speak of the time by which the events are due, which has been squeezed already if the log was moved.
    within_s = given["reorder_s"] / (speed if times == "now" else 1.0)
    found: list[Any] = []
    if given["duplicates"]:
        found.append(Duplicate(share=given["duplicates"], within_s=within_s))
    if given["reordered"]:
        found.append(Reorder(share=given["reordered"], most_s=within_s))
    return found
