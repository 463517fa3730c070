"""flex-wfm consume-kinesis: takes events from Amazon Kinesis into the ledger, beside `flex-wfm serve`."""

from __future__ import annotations

import signal
import threading
from contextlib import ExitStack
from pathlib import Path

import click
from prometheus_client import start_http_server

from flex_plugin_backend import logs
from flex_plugin_backend.cli.options import config_option
from flex_plugin_backend.clock import Clock
from flex_plugin_backend.errors import SettingsError
from flex_plugin_backend.flow.disk import DiskGuard
from flex_plugin_backend.flow.duty import Duty, Threads, retraced
from flex_plugin_backend.flow.intake import Intake
from flex_plugin_backend.flow.kinesis import KinesisConsumer, KinesisMetrics
from flex_plugin_backend.flow.leader import FileLease
from flex_plugin_backend.flow.retention import Horizon
from flex_plugin_backend.ledger.store import CHECK_S, Ledger
from flex_plugin_backend.settings import KinesisSettings, Settings, load_settings
from flex_plugin_backend.taskrouter.kinesis import KinesisStream, connect_kinesis
from flex_plugin_backend.taskrouter.streams import Owner


@click.command("consume-kinesis")
@config_option()
@click.option("--tenant", help="Only this tenant; else every one with a [tenants.NAME.kinesis] table.")
@click.option("--metrics-port", type=click.IntRange(1, 65535), help="Serve Prometheus metrics on this port.")
@click.option("--metrics-host", default="127.0.0.1", show_default=True, help="Serve them on this address.")
def consume_kinesis(config: Path | None, tenant: str | None, metrics_port: int | None, metrics_host: str) -> None:
    """Take events from Amazon Kinesis until SIGTERM or Ctrl-C; `flex-wfm serve` on the same ledger does the rest."""
    settings = load_settings(config)
    logs.configure(settings.log.level, settings.log.format, secrets=settings.secrets())
    streams = {name: _connect(kinesis) for name, kinesis in _chosen(settings, tenant).items()}
    with ExitStack() as stack:
        ledger = Ledger(settings.ledger.url, check_s=CHECK_S)
        stack.callback(ledger.close)
        clock = settings.clock.build()
        horizons = {name: Horizon(name, ledger, clock) for name in streams}
        # Each consumer commits in its own thread, so nothing would wait for the intake's.
        intake = Intake(
            ledger,
            clock,
            ack_timeout_s=settings.intake.ack_timeout_s,
            on_stored=lambda _tenant, _new: None,
            is_past=lambda name, event: horizons[name].is_past(event),
            by_hand=True,
            guard=DiskGuard.of(settings.ledger, ledger, clock),
        )
        intake.start()
        stack.callback(intake.stop)
        metrics = KinesisMetrics()
        if metrics_port is not None:
            _serve_metrics(metrics, metrics_host, metrics_port, stack)
        drive = Threads(clock)
        duties = [
            _duty(name, settings, stream, ledger, clock, intake, metrics, stack) for name, stream in streams.items()
        ]
        stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        for duty in duties:
            drive.start(duty)
        for name, stream in streams.items():
            click.echo(f"tenant {name}: reads Kinesis stream {stream.stream} into the ledger")
        stopping.wait()
        drive.end(duties)


def _chosen(settings: Settings, tenant: str | None) -> dict[str, KinesisSettings]:
    if tenant is not None and tenant not in settings.tenants:
        raise click.BadParameter(f"there is no tenant {tenant}", param_hint="--tenant")
    names = [tenant] if tenant else sorted(settings.tenants)
    found = {name: kinesis for name in names if (kinesis := settings.tenants[name].kinesis) is not None}
    if not found:
        raise SettingsError(
            setting=f"tenants.{tenant or 'NAME'}.kinesis",
            source="the settings",
            problem="no stream is named",
            repair="Add a [tenants.NAME.kinesis] table with the stream's name (docs/event-streams.md).",
        )
    return found


def _connect(kinesis: KinesisSettings) -> KinesisStream:
    """The stream, once it has answered: a wrong name or a missing right stops the start."""
    stream = connect_kinesis(kinesis.stream, kinesis.region, kinesis.endpoint_url)
    stream.shards()
    return stream


def _serve_metrics(metrics: KinesisMetrics, host: str, port: int, stack: ExitStack) -> None:
    try:
        server, thread = start_http_server(port, host, metrics.registry)
    except OSError as error:
        raise click.BadParameter(
            f"{host}:{port} cannot be used: {error.strerror}", param_hint="--metrics-port"
        ) from error
    stack.callback(thread.join)
    stack.callback(server.server_close)
    stack.callback(server.shutdown)


def _duty(
    name: str,
    settings: Settings,
    stream: KinesisStream,
    ledger: Ledger,
    clock: Clock,
    intake: Intake,
    metrics: KinesisMetrics,
    stack: ExitStack,
) -> Duty:
    tenant = settings.tenants[name]
    lease = FileLease(Path(f"{ledger.path}.{name}.kinesis.lease"))
    stack.callback(lease.release)
    consumer = KinesisConsumer(
        name,
        stream,
        Owner(tenant.twilio.account_sid, tenant.twilio.workspace_sid, tenant.mapping.agent_attribute),
        ledger,
        clock,
        submit=lambda events, along=None: intake.submit(name, events, along),
        lease=lease,
        metrics=metrics,
        poll_s=tenant.kinesis.poll_s if tenant.kinesis else 1.0,
    )
    return Duty.of_course(f"kinesis-{name}", retraced(consumer.course))
