"""What the repair of holes needs: verified spans of time, the record of each hole, differing totals."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of version 3."""
    row_number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "read_spans",
        sa.Column("tenant", sa.String, primary_key=True),
        sa.Column("purpose", sa.String, primary_key=True),
        sa.Column("start_ms", sa.BigInteger, primary_key=True),
        sa.Column("end_ms", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "gaps",
        sa.Column("id", row_number, primary_key=True, autoincrement=True),
        sa.Column("tenant", sa.String, nullable=False),
        sa.Column("cause", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("from_ms", sa.BigInteger, nullable=False),
        sa.Column("to_ms", sa.BigInteger, nullable=False),
        sa.Column("found_ms", sa.BigInteger, nullable=False),
        sa.Column("events", sa.Integer, nullable=False, server_default="0"),
        sa.Column("types", sa.Text, nullable=False, server_default="{}"),
        sa.Column("until_seq", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("filled_ms", sa.BigInteger),
        sa.Column("healed_ms", sa.BigInteger),
        sa.Column("intervals", sa.Integer, nullable=False, server_default="0"),
        sa.Column("revisions", sa.Integer, nullable=False, server_default="0"),
        sa.Column("note", sa.Text),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_gaps_state", "gaps", ["tenant", "state", "from_ms"])
    op.create_table(
        "queue_checks",
        sa.Column("tenant", sa.String, primary_key=True),
        sa.Column("day_ms", sa.BigInteger, primary_key=True),
        sa.Column("queue_sid", sa.String, primary_key=True),
        sa.Column("figure", sa.String, primary_key=True),
        sa.Column("twilio", sa.Integer, nullable=False),
        sa.Column("ours", sa.Integer, nullable=False),
        sa.Column("until_ms", sa.BigInteger, nullable=False),
        sa.Column("checked_ms", sa.BigInteger, nullable=False),
    )
