"""How far each shard of a Kinesis stream has been read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of version 5."""
    op.create_table(
        "stream_shards",
        sa.Column("tenant", sa.String, primary_key=True),
        sa.Column("stream", sa.String, primary_key=True),
        sa.Column("shard_id", sa.String, primary_key=True),
        sa.Column("sequence", sa.String),
        sa.Column("finished", sa.Integer, nullable=False, server_default="0"),
        sa.Column("updated_ms", sa.BigInteger, nullable=False),
    )
