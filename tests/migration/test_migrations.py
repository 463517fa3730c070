"""Migrations: from every released version to the newest, the schema that the program declares, and no way back."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from histories import AVAILABLE, activity
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.engine import Engine

from flex_plugin_backend.errors import LedgerError, LedgerSchemaError
from flex_plugin_backend.ledger import eventlog
from flex_plugin_backend.ledger.eventlog import Arrival
from flex_plugin_backend.ledger.migrate import alembic_config
from flex_plugin_backend.ledger.store import Ledger
from flex_plugin_backend.ledger.tables import metadata

SCRIPTS = ScriptDirectory.from_config(alembic_config())
REVISIONS = [script.revision for script in reversed(list(SCRIPTS.walk_revisions()))]
NEWEST = SCRIPTS.get_current_head()


def url_of(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'l.sqlite3'}"


def migrate_to(engine: Engine, revision: str) -> None:
    """Bring an empty database to this version, with Alembic alone."""
    config = alembic_config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def differences(engine: Engine) -> list[object]:
    """What Alembic would still change to make the database like the declared tables."""
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, metadata))


def version(engine: Engine) -> str | None:
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def test_an_empty_ledger_becomes_what_the_program_declares(tmp_path: Path) -> None:
    """After the migrations nothing differs from the tables in the code."""
    Ledger(url_of(tmp_path)).close()
    engine = create_engine(url_of(tmp_path))
    assert version(engine) == NEWEST
    assert differences(engine) == []
    declared = {index.name for table in metadata.tables.values() for index in table.indexes}
    made = {index["name"] for name in metadata.tables for index in inspect(engine).get_indexes(name)}
    assert declared <= made
    engine.dispose()


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_ledger_of_an_older_version_is_brought_up_to_date_with_its_data(tmp_path: Path, revision: str) -> None:
    """From each version: the schema becomes the newest, and the events in it are still there."""
    engine = create_engine(url_of(tmp_path))
    migrate_to(engine, revision)
    assert version(engine) == revision
    insert = (
        "INSERT INTO events (tenant, sid, type, occurred_ms, received_ms, worker_sid, body) VALUES "
        """('acme', 'EV1', 'worker.activity.update', 5, 6, 'WK1', '{"sid":"EV1","type":"x","occurred_ms":5}')"""
    )
    with engine.begin() as connection:
        connection.execute(text(insert.replace(":5", r"\:5")))
    ledger = Ledger(url_of(tmp_path))
    with ledger.write() as connection:
        eventlog.append(connection, [Arrival("acme", activity(7, AVAILABLE, sid="EV2"), 8)])
        assert [(seq, one.sid) for seq, one in eventlog.after(connection, "acme", 0, 9)] == [(1, "EV1"), (2, "EV2")]
    ledger.close()
    assert version(engine) == NEWEST
    assert differences(engine) == []
    engine.dispose()


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    """A second start finds everything done."""
    for _ in range(2):
        Ledger(url_of(tmp_path)).close()
    engine = create_engine(url_of(tmp_path))
    assert version(engine) == NEWEST
    engine.dispose()


def test_a_ledger_of_a_newer_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    """An unknown version stops the start with both versions and the repair; the ledger keeps its version."""
    Ledger(url_of(tmp_path)).close()
    engine = create_engine(url_of(tmp_path))
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(LedgerSchemaError, match=r"9999.*Install the newer flex-wfm") as caught:
        Ledger(url_of(tmp_path))
    assert isinstance(caught.value, LedgerError)
    assert str(NEWEST) in str(caught.value)
    assert version(engine) == "9999"
    engine.dispose()


def test_a_migration_that_fails_leaves_the_ledger_as_it_was(tmp_path: Path) -> None:
    """Half a migration is none: what stood in its way is explained, and a repaired ledger can be opened."""
    engine = create_engine(url_of(tmp_path))
    migrate_to(engine, REVISIONS[0])
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE gaps (mine TEXT)"))
    before = sorted(inspect(engine).get_table_names())
    with pytest.raises(LedgerError, match="gaps already exists"):
        Ledger(url_of(tmp_path))
    assert sorted(inspect(engine).get_table_names()) == before
    assert version(engine) == REVISIONS[0]
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE gaps"))
    engine.dispose()
    Ledger(url_of(tmp_path)).close()


def test_revisions_are_one_line_of_numbers() -> None:
    """Migrations are numbered without gap or fork."""
    assert [f"{number:04d}" for number in range(1, len(REVISIONS) + 1)] == REVISIONS
    assert len(SCRIPTS.get_heads()) == 1
