"""The first schema: events, cursors, agents, catalogues, state changes, answers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_RowNumber = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the tables of version 1."""
    op.create_table(
        "events",
        sa.Column("seq", _RowNumber, primary_key=True, autoincrement=True),
        sa.Column("tenant", sa.String, nullable=False),
        sa.Column("sid", sa.String, nullable=False),
        sa.Column("type", sa.String, nullable=False),
        sa.Column("occurred_ms", sa.BigInteger, nullable=False),
        sa.Column("received_ms", sa.BigInteger, nullable=False),
        sa.Column("worker_sid", sa.String),
        sa.Column("task_sid", sa.String),
        sa.Column("body", sa.Text, nullable=False),
        sa.UniqueConstraint("tenant", "sid", name="uq_events_tenant_sid"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_events_arrival", "events", ["tenant", "seq"])
    op.create_index("ix_events_worker", "events", ["tenant", "worker_sid", "occurred_ms"])
    op.create_index("ix_events_task", "events", ["tenant", "task_sid", "occurred_ms"])
    op.create_index("ix_events_time", "events", ["tenant", "occurred_ms"])
    op.create_table(
        "cursors",
        sa.Column("tenant", sa.String, primary_key=True),
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("seq", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "agents",
        sa.Column("tenant", sa.String, primary_key=True),
        sa.Column("worker_sid", sa.String, primary_key=True),
        sa.Column("agent_id", sa.String),
        sa.Column("timeline", sa.Text, nullable=False),
        sa.Column("updated_ms", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "catalogues",
        sa.Column("tenant", sa.String, primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("read_ms", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "state_changes",
        sa.Column("id", _RowNumber, primary_key=True, autoincrement=True),
        sa.Column("tenant", sa.String, nullable=False),
        sa.Column("worker_sid", sa.String, nullable=False),
        sa.Column("agent_id", sa.String),
        sa.Column("start_ms", sa.BigInteger, nullable=False),
        sa.Column("event_id", sa.String),
        sa.Column("reason", sa.String, nullable=False, server_default=""),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("cause_sid", sa.String),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("note", sa.Text),
        sa.Column("recorded_ms", sa.BigInteger, nullable=False),
        sa.Column("delivered_ms", sa.BigInteger),
        sa.Column("answer_id", sa.BigInteger),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_state_changes_status", "state_changes", ["tenant", "status", "id"])
    op.create_index("ix_state_changes_worker", "state_changes", ["tenant", "worker_sid", "id"])
    op.create_index("ix_state_changes_line", "state_changes", ["tenant", "worker_sid", "start_ms"])
    op.create_table(
        "answers",
        sa.Column("id", _RowNumber, primary_key=True, autoincrement=True),
        sa.Column("tenant", sa.String, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("what", sa.String, nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("body", sa.Text),
        sqlite_autoincrement=True,
    )
