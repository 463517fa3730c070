"""flex-wfm-sim wfm: the fake CXone WFM as a server."""

from __future__ import annotations

import click

from simulator.cli.numbers import FiniteRange
from simulator.wfm.options import WfmOptions

_DEFAULTS = WfmOptions()


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Listen on this address.")
@click.option("--port", type=click.IntRange(0, 65535), default=8082, show_default=True, help="0 takes a free port.")
@click.option("--access-key", default=_DEFAULTS.access_key, show_default=True, help="The access key id it takes.")
@click.option(
    "--secret-key",
    default=_DEFAULTS.secret_key,
    envvar="FLEX_WFM_SIM_SECRET_KEY",
    show_default=True,
    help="The secret it takes.",
)
@click.option("--tenant-name", help="Refuse a login that names another tenant.")
@click.option("--acd-type", default=_DEFAULTS.acd_type, show_default=True, help="What the ACD-type lookup answers.")
@click.option("--profile", default="default", show_default=True, help="The contract profile: a name or a file.")
@click.option("--partial", is_flag=True, help="Refuse bad rows alone instead of the whole batch.")
@click.option("--start-ms", type=int, help="Virtual time: what the clock shows at --anchor-ms.")
@click.option("--anchor-ms", type=int, help="Virtual time: the machine time of --start-ms.")
@click.option("--speed", type=FiniteRange(min=0, min_open=True), help="Virtual time: how many times as fast.")
@click.option(
    "--threads", type=click.IntRange(1, 64), default=4, show_default=True, help="Threads that serve requests."
)
@click.option("--json-ready", is_flag=True, help='Print one line {"ready": true, "port": N} once it listens.')
def wfm(
    host: str,
    port: int,
    access_key: str,
    secret_key: str,
    tenant_name: str | None,
    acd_type: str,
    profile: str,
    partial: bool,
    start_ms: int | None,
    anchor_ms: int | None,
    speed: float | None,
    threads: int,
    json_ready: bool,
) -> None:
    """Run a fake CXone WFM until SIGTERM or Ctrl-C."""
    from flex_plugin_backend.wfm.contract import ContractError
    from simulator.wfm import create_wfm_app
    from simulator.wfm.server import serve_app

    given = [number is not None for number in (start_ms, anchor_ms, speed)]
    if any(given) and not all(given):
        raise click.UsageError("--start-ms, --anchor-ms and --speed go together")
    options = WfmOptions(
        access_key=access_key,
        secret_key=secret_key,
        tenant_name=tenant_name,
        acd_type=acd_type,
        profile=profile,
        partial=partial,
        start_ms=start_ms,
        anchor_ms=anchor_ms,
        speed=speed,
    )
    try:
        app = create_wfm_app(options)
    except ContractError as error:
        raise click.ClickException(str(error)) from error
    welcome = f"fake CXone WFM at {{url}} (access key {access_key}); what it holds: {{url}}/sim/inbox/states"
    serve_app(app, host=host, port=port, threads=threads, json_ready=json_ready, welcome=welcome)
