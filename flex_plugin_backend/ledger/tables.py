"""The ledger's tables, all in one place; migrations build exactly these."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, String, Table, Text, UniqueConstraint

metadata = MetaData()

# SQLite gives row numbers only to INTEGER primary keys; PostgreSQL wants them big.
_RowNumber = BigInteger().with_variant(Integer, "sqlite")

# One row per TaskRouter event, never changed. `body` is the event's normal form (domain.events), already cut to
# what may be kept. `seq` is the order of arrival.
events = Table(
    "events",
    metadata,
    Column("seq", _RowNumber, primary_key=True, autoincrement=True),
    Column("tenant", String, nullable=False),
    Column("sid", String, nullable=False),
    Column("type", String, nullable=False),
    Column("occurred_ms", BigInteger, nullable=False),
    Column("received_ms", BigInteger, nullable=False),
    Column("worker_sid", String),
    Column("task_sid", String),
    Column("body", Text, nullable=False),
    UniqueConstraint("tenant", "sid", name="uq_events_tenant_sid"),
    sqlite_autoincrement=True,
)
# Without the next one, reading on from a cursor would sort the tenant's whole history each time.
Index("ix_events_arrival", events.c.tenant, events.c.seq)
Index("ix_events_worker", events.c.tenant, events.c.worker_sid, events.c.occurred_ms)
Index("ix_events_task", events.c.tenant, events.c.task_sid, events.c.occurred_ms)
Index("ix_events_time", events.c.tenant, events.c.occurred_ms)

# How far each projection has read the event log.
cursors = Table(
    "cursors",
    metadata,
    Column("tenant", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("seq", BigInteger, nullable=False),
)

# The projection per worker: its timeline (domain.agents) and the agent id it is mapped to.
agents = Table(
    "agents",
    metadata,
    Column("tenant", String, primary_key=True),
    Column("worker_sid", String, primary_key=True),
    Column("agent_id", String),
    Column("timeline", Text, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
)

# Twilio's catalogue as last read (activities, logged-out activity), so that a start does not depend on REST.
catalogues = Table(
    "catalogues",
    metadata,
    Column("tenant", String, primary_key=True),
    Column("body", Text, nullable=False),
    Column("read_ms", BigInteger, nullable=False),
)

# Every state change, and what became of it (ledger.outbox.Delivery). `id` is the order of sending.
state_changes = Table(
    "state_changes",
    metadata,
    Column("id", _RowNumber, primary_key=True, autoincrement=True),
    Column("tenant", String, nullable=False),
    Column("worker_sid", String, nullable=False),
    Column("agent_id", String),
    Column("start_ms", BigInteger, nullable=False),
    Column("event_id", String),
    Column("reason", String, nullable=False, server_default=""),
    Column("state", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("cause_sid", String),
    Column("status", String, nullable=False),
    Column("note", Text),
    Column("recorded_ms", BigInteger, nullable=False),
    Column("delivered_ms", BigInteger),
    Column("answer_id", BigInteger),
    sqlite_autoincrement=True,
)
Index("ix_state_changes_status", state_changes.c.tenant, state_changes.c.status, state_changes.c.id)
Index("ix_state_changes_worker", state_changes.c.tenant, state_changes.c.worker_sid, state_changes.c.id)
Index("ix_state_changes_line", state_changes.c.tenant, state_changes.c.worker_sid, state_changes.c.start_ms)

# What the WFM answered, one row per request.
answers = Table(
    "answers",
    metadata,
    Column("id", _RowNumber, primary_key=True, autoincrement=True),
    Column("tenant", String, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("what", String, nullable=False),
    Column("status", Integer),
    Column("rows", Integer, nullable=False),
    Column("body", Text),
    sqlite_autoincrement=True,
)

# Every worker's raw line of states: each lasts to the next row's start. What the interval reports are made of.
segments = Table(
    "segments",
    metadata,
    Column("tenant", String, primary_key=True),
    Column("worker_sid", String, primary_key=True),
    Column("start_ms", BigInteger, primary_key=True),
    Column("state", String, nullable=False),
    Column("channel", String),
    Column("direction", String),
    Column("activity_sid", String),
    Column("activity_name", String),
)

# Since when anything of a task counts in reports, and until when; what it is stands in the event log. `closed_ms` is
# NULL while anything of it is open, and so is `span_level`: how long it was open, in steps (ledger.tasks), so that
# finding those of an interval stays cheap.
tasks = Table(
    "tasks",
    metadata,
    Column("tenant", String, primary_key=True),
    Column("task_sid", String, primary_key=True),
    Column("opened_ms", BigInteger, nullable=False),
    Column("closed_ms", BigInteger),
    Column("span_level", Integer),
)
Index("ix_tasks_span", tasks.c.tenant, tasks.c.span_level, tasks.c.opened_ms)

# The receipt of each interval's report: the newest revision that was accepted, and whether it must be built again.
report_runs = Table(
    "report_runs",
    metadata,
    Column("tenant", String, primary_key=True),
    Column("kind", String, primary_key=True),
    Column("start_ms", BigInteger, primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("hash", String, nullable=False),
    Column("status", String, nullable=False),
    Column("dirty", Integer, nullable=False, server_default="0"),
    Column("note", Text),
    Column("sent_ms", BigInteger),
    Column("answer_id", BigInteger),
)
Index("ix_report_runs_dirty", report_runs.c.tenant, report_runs.c.dirty, report_runs.c.start_ms)

# Spans of time whose events have been compared with Twilio's own list, by purpose: `verified`, or one run of the
# backfill command. Touching spans are kept as one.
read_spans = Table(
    "read_spans",
    metadata,
    Column("tenant", String, primary_key=True),
    Column("purpose", String, primary_key=True),
    Column("start_ms", BigInteger, primary_key=True),
    Column("end_ms", BigInteger, nullable=False),
)

# Every hole in what Twilio sent us, and what became of it (ledger.gaps.Gap). `types` counts the recovered events by
# type; `until_seq` is the arrival after which everything recovered is in the event log.
gaps = Table(
    "gaps",
    metadata,
    Column("id", _RowNumber, primary_key=True, autoincrement=True),
    Column("tenant", String, nullable=False),
    Column("cause", String, nullable=False),
    Column("state", String, nullable=False),
    Column("from_ms", BigInteger, nullable=False),
    Column("to_ms", BigInteger, nullable=False),
    Column("found_ms", BigInteger, nullable=False),
    Column("events", Integer, nullable=False, server_default="0"),
    Column("types", Text, nullable=False, server_default="{}"),
    Column("until_seq", BigInteger, nullable=False, server_default="0"),
    Column("filled_ms", BigInteger),
    Column("healed_ms", BigInteger),
    Column("intervals", Integer, nullable=False, server_default="0"),
    Column("revisions", Integer, nullable=False, server_default="0"),
    Column("note", Text),
    sqlite_autoincrement=True,
)
Index("ix_gaps_state", gaps.c.tenant, gaps.c.state, gaps.c.from_ms)

# Every alarm, and whether its begin and its end were told to the alert webhook; `ended_ms` is NULL while it stands.
alarms = Table(
    "alarms",
    metadata,
    Column("tenant", String, primary_key=True),
    Column("cause", String, primary_key=True),
    Column("since_ms", BigInteger, primary_key=True),
    Column("condition", String, nullable=False),
    Column("witness", String, nullable=False),
    Column("detail", Text, nullable=False, server_default=""),
    Column("ended_ms", BigInteger),
    Column("begin_told_ms", BigInteger),
    Column("end_told_ms", BigInteger),
)

# How far each shard of a Kinesis stream has been read: the last record whose events are in the event log.
stream_shards = Table(
    "stream_shards",
    metadata,
    Column("tenant", String, primary_key=True),
    Column("stream", String, primary_key=True),
    Column("shard_id", String, primary_key=True),
    Column("sequence", String),
    Column("finished", Integer, nullable=False, server_default="0"),
    Column("updated_ms", BigInteger, nullable=False),
)

# Figures of a queue and UTC day for which Twilio's statistics and the event log differ; gone when they agree again.
queue_checks = Table(
    "queue_checks",
    metadata,
    Column("tenant", String, primary_key=True),
    Column("day_ms", BigInteger, primary_key=True),
    Column("queue_sid", String, primary_key=True),
    Column("figure", String, primary_key=True),
    Column("twilio", Integer, nullable=False),
    Column("ours", Integer, nullable=False),
    Column("until_ms", BigInteger, nullable=False),
    Column("checked_ms", BigInteger, nullable=False),
)
