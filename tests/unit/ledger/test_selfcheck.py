"""A ledger's file is looked at before it is used: one that is damaged or not ours is named, and left as it was."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner
from histories import AVAILABLE, BREAK, activity

from flex_plugin_backend.cli import main
from flex_plugin_backend.errors import LedgerDamaged, LedgerForeign
from flex_plugin_backend.ledger import eventlog
from flex_plugin_backend.ledger.eventlog import Arrival
from flex_plugin_backend.ledger.selfcheck import check_file
from flex_plugin_backend.ledger.store import Ledger

PAGE = 4096


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A ledger of some hundred events, closed."""
    found = tmp_path / "ledger.sqlite3"
    ledger = Ledger(f"sqlite:///{found}")
    with ledger.write() as connection:
        changes = [activity(1_000 + at, BREAK if at % 2 else AVAILABLE) for at in range(800)]
        eventlog.append(connection, [Arrival("acme", one, 1) for one in changes])
    ledger.close()
    return found


def digest(path: Path) -> str:
    """What is in the file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def overwrite(path: Path, at: int, content: bytes) -> None:
    """The disk writes something else there."""
    with path.open("r+b") as file:
        file.seek(at)
        file.write(content)


def refused(path: Path, kind: type[Exception], says: str) -> None:
    """It is not opened, the message says why and what to do, and the file is the same afterwards."""
    before = digest(path)
    with pytest.raises(kind, match=says):
        Ledger(f"sqlite:///{path}", check_s=30)
    assert digest(path) == before
    assert not [one for one in path.parent.iterdir() if one.name.endswith("-journal")]


def test_a_whole_ledger_is_opened(path: Path) -> None:
    """What is checked and found right can be used, and the check leaves it as it was."""
    before = digest(path)
    check_file(path, within_s=30)
    assert digest(path) == before
    Ledger(f"sqlite:///{path}", check_s=30).close()


def test_no_file_and_an_empty_one_become_a_ledger(tmp_path: Path) -> None:
    """Both are a beginning."""
    empty = tmp_path / "empty.sqlite3"
    empty.touch()
    for one in (empty, tmp_path / "none.sqlite3"):
        Ledger(f"sqlite:///{one}", check_s=30).close()
        assert one.stat().st_size > 0


@pytest.mark.parametrize("content", [b"PK\x03\x04 something else", b"SQLite format 2\x00" * 300, b"\x00" * 9000])
def test_a_file_that_is_no_database_is_not_touched(tmp_path: Path, content: bytes) -> None:
    """Whatever it is, it is not overwritten."""
    path = tmp_path / "other"
    path.write_bytes(content)
    refused(path, LedgerForeign, "no SQLite database")


@pytest.mark.parametrize("tables", [("mine",), ("alembic_version", "orders")])
def test_another_program_s_database_gets_no_tables_of_ours(tmp_path: Path, tables: tuple[str, ...]) -> None:
    """Not even where that program uses Alembic, too."""
    path = tmp_path / "other.sqlite3"
    with closing(sqlite3.connect(path)) as other:
        for name in tables:
            other.execute(f"CREATE TABLE {name} (x TEXT)")
        other.commit()
    refused(path, LedgerForeign, "another program")


@pytest.mark.parametrize("at", [100, PAGE + 8, 3 * PAGE + 8, 10 * PAGE + 8])
def test_a_page_that_is_nonsense_is_found_before_anything_is_written(path: Path, at: int) -> None:
    """The schema, the list of pages, tables and indexes: one clear error with what to do."""
    overwrite(path, at, b"\xa5" * (PAGE - 200))
    refused(path, LedgerDamaged, r"damaged: .*Nothing was written.*put back a copy.*backfill")


def test_a_file_that_was_cut_off_is_found(path: Path, tmp_path: Path) -> None:
    """Half a copy is no ledger."""
    half = tmp_path / "half.sqlite3"
    shutil.copy(path, half)
    with half.open("r+b") as file:
        file.truncate(half.stat().st_size // 2 // PAGE * PAGE)
    refused(half, LedgerDamaged, "damaged")


def test_a_check_that_takes_too_long_is_broken_off(path: Path) -> None:
    """A large ledger does not keep the connector from starting."""
    check_file(path, within_s=1e-9)


def test_a_command_says_it_in_one_sentence(path: Path, tmp_path: Path) -> None:
    """No traceback, and exit code 1."""
    for name in ("token", "access", "secret"):
        (tmp_path / name).write_text("s3cret-" + name)
    settings = tmp_path / "flex-wfm.toml"
    settings.write_text(
        f"""
[ledger]
url = "sqlite:///{path}"
[tenants.main.twilio]
account_sid = "AC1"
workspace_sid = "WS1"
auth_token_file = "token"
[tenants.main.wfm]
service_url = "http://127.0.0.1:9"
access_key_file = "access"
secret_key_file = "secret"
"""
    )
    overwrite(path, 100, b"\xa5" * 3_000)
    with pytest.raises(LedgerDamaged):
        check_file(path)
    for command in (["serve", "--port", "0"], ["gaps", "--tenant", "main"]):
        result = CliRunner().invoke(main, [command[0], "-c", str(settings), *command[1:]])
        assert result.exit_code == 1, result.output
        assert "is damaged" in result.output
        assert "docs/ledger.md" in result.output
