"""`flex-wfm consume-kinesis` as a process against a Kinesis on loopback: kill -9, wrong settings, a quiet end."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import CliRunner
from kinesis_streams import ACCOUNT, WORKSPACE, data
from moto.server import ThreadedMotoServer

from flex_plugin_backend.cli import main
from flex_plugin_backend.ledger.store import Ledger

STREAM = "twilio-events"
AWS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}
PATIENCE_S = 30


@pytest.fixture(scope="module")
def kinesis() -> Iterator[tuple[str, Any]]:
    """A Kinesis on loopback with one stream: its address, and a client of it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    client = boto3.client(
        "kinesis",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
    client.create_stream(StreamName=STREAM, ShardCount=3)
    yield url, client
    server.stop()


def settings_file(folder: Path, url: str | None, stream: str = STREAM) -> Path:
    """Settings of one tenant; None: without a stream."""
    for name in ("token", "access", "secret"):
        (folder / name).write_text("s3cret-" + name)
    file = folder / "flex-wfm.toml"
    table = (
        "" if url is None else f'[tenants.main.kinesis]\nstream = "{stream}"\nendpoint_url = "{url}"\npoll_s = 0.2\n'
    )
    file.write_text(
        f"""
[ledger]
url = "sqlite:///{folder}/ledger.sqlite3"
[tenants.main.twilio]
account_sid = "{ACCOUNT}"
workspace_sid = "{WORKSPACE}"
auth_token_file = "token"
[tenants.main.wfm]
service_url = "http://127.0.0.1:9"
access_key_file = "access"
secret_key_file = "secret"
{table}
"""
    )
    return file


def start(file: Path, *options: str) -> subprocess.Popen[str]:
    """The command as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "flex_plugin_backend", "consume-kinesis", "-c", str(file), *options],
        env={**os.environ, **AWS},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def stored(folder: Path) -> list[str]:
    """What is in the ledger, in order of arrival."""
    if not (folder / "ledger.sqlite3").exists():
        return []
    with closing(sqlite3.connect(folder / "ledger.sqlite3")) as ledger:
        try:
            return [sid for (sid,) in ledger.execute("SELECT sid FROM events ORDER BY seq")]
        except sqlite3.OperationalError:  # it is being made
            return []


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that is to come."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline_s, "it did not come"
        time.sleep(0.02)


def test_killed_in_the_middle_it_loses_nothing_and_repeats_nothing(kinesis: tuple[str, Any], tmp_path: Path) -> None:
    """Killed twice without warning while records flow, and asked to end once: every event is in the ledger once."""
    url, client = kinesis
    file = settings_file(tmp_path, url)
    sids = [f"EV{number:04d}" for number in range(1200)]
    entries = [{"Data": data(sid), "PartitionKey": sid} for sid in sids]
    for first in (0, 400):
        process = start(file)
        try:
            for at in range(first, first + 400, 100):
                client.put_records(StreamName=STREAM, Records=entries[at : at + 100])
            until(lambda least=first + 50: len(stored(tmp_path)) > least)  # type: ignore[misc]
        finally:
            process.kill()
            process.wait(PATIENCE_S)
    client.put_records(StreamName=STREAM, Records=entries[800:])
    process = start(file)
    try:
        until(lambda: len(stored(tmp_path)) >= len(sids))
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0
    found = stored(tmp_path)
    assert sorted(found) == sids
    assert process.stdout is not None
    assert f"reads Kinesis stream {STREAM}" in process.stdout.read()


def test_its_metrics_can_be_read(kinesis: tuple[str, Any], tmp_path: Path) -> None:
    """With --metrics-port the counts of the process are there for Prometheus."""
    url, client = kinesis
    client.put_record(StreamName=STREAM, Data=b"no event", PartitionKey="1")
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    process = start(settings_file(tmp_path, url), "--metrics-port", str(port))

    def counted() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=2) as answer:
                return 'flex_wfm_kinesis_events_total{outcome="malformed",tenant="main"}' in answer.read().decode()
        except OSError:
            return False

    try:
        until(counted)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0


@pytest.mark.parametrize(
    ("stream", "environ", "says"),
    [
        ("nothing", {}, "Check the name and the region"),
        (STREAM, {"AWS_DEFAULT_REGION": ""}, "Set region in [tenants.NAME.kinesis]"),
        (STREAM, {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "there are no AWS credentials"),
    ],
)
def test_what_cannot_work_stops_the_start_and_says_what_to_do(
    kinesis: tuple[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stream: str, environ: Any, says: str
) -> None:
    """No such stream, no region, no credentials: one sentence with the repair, and exit code 1."""
    for name, value in {**AWS, **environ, "AWS_CONFIG_FILE": "/nowhere", "AWS_SHARED_CREDENTIALS_FILE": "/no"}.items():
        if value:
            monkeypatch.setenv(name, value)
        else:
            monkeypatch.delenv(name, raising=False)
    result = CliRunner().invoke(main, ["consume-kinesis", "-c", str(settings_file(tmp_path, kinesis[0], stream))])
    assert result.exit_code == 1
    assert says in result.output
    assert "s3cret" not in result.output


def test_without_a_stream_it_says_where_to_name_one(tmp_path: Path) -> None:
    """No tenant has the table: the error names it. An unknown tenant is a wrong use."""
    file = settings_file(tmp_path, None)
    result = CliRunner().invoke(main, ["consume-kinesis", "-c", str(file)])
    assert result.exit_code == 1
    assert "[tenants.NAME.kinesis]" in result.output
    assert CliRunner().invoke(main, ["consume-kinesis", "-c", str(file), "--tenant", "x"]).exit_code == 2


def test_without_boto3_it_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is named."""
    monkeypatch.setitem(sys.modules, "boto3", None)
    file = settings_file(tmp_path, "http://127.0.0.1:9")
    result = CliRunner().invoke(main, ["consume-kinesis", "-c", str(file)])
    assert result.exit_code == 1
    assert "flex-wfm[kinesis]" in result.output


def test_a_newer_ledger_is_refused(kinesis: tuple[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As for every command: a ledger that a newer program made is not touched."""
    for name, value in AWS.items():
        monkeypatch.setenv(name, value)
    file = settings_file(tmp_path, kinesis[0])
    Ledger(f"sqlite:///{tmp_path}/ledger.sqlite3").close()
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite3")) as ledger:
        ledger.execute("UPDATE alembic_version SET version_num = '9999'")
        ledger.commit()
    result = CliRunner().invoke(main, ["consume-kinesis", "-c", str(file)])
    assert result.exit_code == 1
    assert "newer flex-wfm" in result.output
