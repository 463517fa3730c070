"""flex-wfm-sim record: a workspace's events taken down, without names, numbers and attributes of people."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click


@click.group()
def record() -> None:
    """Record the events of a real workspace as a log that can be kept and replayed.

    What is on a list stays: times, numbers, states, names of activities. Sids, names and reasons are replaced, the same
    original always by the same replacement; everything else is left out. The key of the replacements is kept nowhere.
    """


_OUT = click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the log here; a name that ends in .gz is compressed.",
)


@record.command()
@_OUT
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8083, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free port.")
@click.option(
    "--auth-token", default="", envvar="TWILIO_AUTH_TOKEN", help="Refuse what is not signed with it; default: take all."
)
@click.option("--public-url", default="", help="Scheme and host by which Twilio reaches this endpoint.")
@click.option("--account-sid", default="", help="For the header of the log.")
@click.option("--workspace-sid", default="", help="For the header of the log.")
@click.option("--json-ready", is_flag=True, help="When listening, print one line of JSON instead of the welcome.")
def listen(
    out: Path,
    host: str,
    port: int,
    auth_token: str,
    public_url: str,
    account_sid: str,
    workspace_sid: str,
    json_ready: bool,
) -> None:
    """Be the workspace's event callback endpoint until Ctrl-C, and write down what comes."""
    from simulator.recording.listener import create_listener
    from simulator.wfm.server import serve_app

    with _recorder(out, account_sid, workspace_sid) as recorder:
        app = create_listener(recorder, auth_token=auth_token, public_url=public_url)
        serve_app(
            app, host=host, port=port, threads=1, json_ready=json_ready,
            welcome="set the workspace's EventCallbackUrl to {url}/ ; end with Ctrl-C",
        )  # fmt: skip


@record.command()
@_OUT
@click.option("--account-sid", required=True, envvar="TWILIO_ACCOUNT_SID")
@click.option("--workspace-sid", required=True)
@click.option("--auth-token", default="", envvar="TWILIO_AUTH_TOKEN", help="Or an API key:")
@click.option("--api-key-sid", default="", envvar="TWILIO_API_KEY")
@click.option("--api-key-secret", default="", envvar="TWILIO_API_SECRET")
@click.option(
    "--from", "start", required=True, metavar="TIME", help="Such as 2026-01-05T08:00:00Z; 30 days back at most."
)
@click.option("--to", "end", metavar="TIME", help="Default: now.")
@click.option("--api-base-url", default="", help="Another host instead of Twilio's, for a simulated workspace.")
def rest(
    out: Path,
    account_sid: str,
    workspace_sid: str,
    auth_token: str,
    api_key_sid: str,
    api_key_secret: str,
    start: str,
    end: str | None,
    api_base_url: str,
) -> None:
    """Read the events that Twilio still has (30 days) by its REST API, and write them down."""
    from simulator.recording.history import History, HistoryError

    by_key = bool(api_key_sid and api_key_secret)
    if not by_key and not auth_token:
        raise click.UsageError("give --auth-token, or --api-key-sid and --api-key-secret")
    from_, to = _moment("--from", start), datetime.now(UTC) if end is None else _moment("--to", end)
    if to <= from_:
        raise click.UsageError("--to must come after --from")
    history = History(
        account_sid=account_sid,
        workspace_sid=workspace_sid,
        username=api_key_sid if by_key else account_sid,
        password=api_key_secret if by_key else auth_token,
        api_base_url=api_base_url,
    )
    try:
        with _recorder(out, account_sid, workspace_sid, history.offline_activity_sid()) as recorder:
            for heard in history.events(from_, to):
                recorder.take(heard)
    except HistoryError as error:
        raise click.ClickException(str(error)) from error


def _moment(option: str, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter("give an ISO time such as 2026-01-05T08:00:00Z", param_hint=option) from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


@contextmanager
def _recorder(out: Path, account_sid: str, workspace_sid: str, offline_activity_sid: str = "") -> Iterator[Any]:
    from simulator.recording.mask import Mask
    from simulator.recording.writer import Recorder
    from simulator.world.log_file import open_text

    mask = Mask()
    try:
        with open_text(out, "w") as file:
            recorder = Recorder(
                file, mask, account_sid=account_sid, workspace_sid=workspace_sid,
                offline_activity_sid=offline_activity_sid,
            )  # fmt: skip
            try:
                yield recorder
            finally:
                recorder.finish()
    except OSError as error:
        raise click.ClickException(f"{out} cannot be written: {error.strerror or error}") from error
    click.echo(f"{recorder.written:,} events in {out}", err=True)
    if mask.dropped:
        names = ", ".join(f"{name} ({times:,})" for name, times in mask.dropped.most_common(12))
        click.echo(f"left out: {names}", err=True)
