"""How long a task was open, in steps, so that the tasks of an interval are found without reading all later ones."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_SPANS_MS = (900_000, 3_600_000, 14_400_000, 57_600_000, 230_400_000, 921_600_000, 3_686_400_000)


def upgrade() -> None:
    """Make the tables of version 4."""
    op.add_column("tasks", sa.Column("span_level", sa.Integer))
    tasks = sa.table("tasks", sa.column("opened_ms"), sa.column("closed_ms"), sa.column("span_level"))
    span_ms = tasks.c.closed_ms - tasks.c.opened_ms
    level = sa.case(*((span_ms < most, number) for number, most in enumerate(_SPANS_MS)), else_=len(_SPANS_MS))
    op.execute(tasks.update().where(tasks.c.closed_ms.is_not(None)).values(span_level=level))
    op.drop_index("ix_tasks_time", "tasks")
    op.create_index("ix_tasks_span", "tasks", ["tenant", "span_level", "opened_ms"])
