"""Alarms, so that one from before a restart keeps its since-when and gets its end."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of version 7."""
    op.create_table(
        "alarms",
        sa.Column("tenant", sa.String, primary_key=True),
        sa.Column("cause", sa.String, primary_key=True),
        sa.Column("since_ms", sa.BigInteger, primary_key=True),
        sa.Column("condition", sa.String, nullable=False),
        sa.Column("witness", sa.String, nullable=False),
        sa.Column("detail", sa.Text, nullable=False, server_default=""),
        sa.Column("ended_ms", sa.BigInteger),
        sa.Column("begin_told_ms", sa.BigInteger),
        sa.Column("end_told_ms", sa.BigInteger),
    )
