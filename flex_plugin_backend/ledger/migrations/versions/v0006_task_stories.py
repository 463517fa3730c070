"""Tasks without their stories, which stand in the event log; the table is made anew and filled from the log again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of version 6."""
    op.drop_index("ix_tasks_span", "tasks")
    op.drop_table("tasks")
    op.create_table(
        "tasks",
        sa.Column("tenant", sa.String, primary_key=True),
        sa.Column("task_sid", sa.String, primary_key=True),
        sa.Column("opened_ms", sa.BigInteger, nullable=False),
        sa.Column("closed_ms", sa.BigInteger),
        sa.Column("span_level", sa.Integer),
    )
    op.create_index("ix_tasks_span", "tasks", ["tenant", "span_level", "opened_ms"])
    op.execute("DELETE FROM cursors WHERE name = 'tasks'")
