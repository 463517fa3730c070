"""What the interval reports need: segments, tasks, receipts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of version 2."""
    op.create_table(
        "segments",
        sa.Column("tenant", sa.String, primary_key=True),
        sa.Column("worker_sid", sa.String, primary_key=True),
        sa.Column("start_ms", sa.BigInteger, primary_key=True),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("channel", sa.String),
        sa.Column("direction", sa.String),
        sa.Column("activity_sid", sa.String),
        sa.Column("activity_name", sa.String),
    )
    op.create_table(
        "tasks",
        sa.Column("tenant", sa.String, primary_key=True),
        sa.Column("task_sid", sa.String, primary_key=True),
        sa.Column("story", sa.Text, nullable=False),
        sa.Column("opened_ms", sa.BigInteger, nullable=False),
        sa.Column("closed_ms", sa.BigInteger),
    )
    op.create_index("ix_tasks_time", "tasks", ["tenant", "closed_ms", "opened_ms"])
    op.create_table(
        "report_runs",
        sa.Column("tenant", sa.String, primary_key=True),
        sa.Column("kind", sa.String, primary_key=True),
        sa.Column("start_ms", sa.BigInteger, primary_key=True),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("hash", sa.String, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("dirty", sa.Integer, nullable=False, server_default="0"),
        sa.Column("note", sa.Text),
        sa.Column("sent_ms", sa.BigInteger),
        sa.Column("answer_id", sa.BigInteger),
    )
    op.create_index("ix_report_runs_dirty", "report_runs", ["tenant", "dirty", "start_ms"])
