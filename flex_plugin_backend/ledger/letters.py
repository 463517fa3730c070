"""Queries on dead letters: states and reports that the WFM refused, and states that have no name there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, Update, select, update

from flex_plugin_backend.ledger import lookups, outbox, receipts
from flex_plugin_backend.ledger.lookups import StoredState
from flex_plugin_backend.ledger.outbox import Delivery, Kind
from flex_plugin_backend.ledger.receipts import Receipt, ReceiptStatus
from flex_plugin_backend.ledger.tables import agents, report_runs, state_changes

HELD = (Delivery.UNMAPPED, Delivery.DEAD)
_table = state_changes.c
# What of an agent the WFM was told, is being told, or would not hear.
_SPOKEN = (Delivery.PENDING, Delivery.SENDING, Delivery.DELIVERED, Delivery.DEAD)


def states(connection: Connection, tenant: str) -> list[StoredState]:
    """The states that are held, newest first."""
    return lookups.states_in(connection, tenant, HELD)


def reports(connection: Connection, tenant: str) -> list[Receipt]:
    """The reports that the WFM refused, whole or in part, newest first."""
    return receipts.refused(connection, tenant, 0)[::-1]


def refused_workers(connection: Connection, tenant: str) -> set[str]:
    """The workers of which a refused state is held."""
    query = select(_table.worker_sid).where(_table.tenant == tenant, _table.status == Delivery.DEAD).distinct()
    return set(connection.execute(query).scalars())


def is_present(connection: Connection, tenant: str, one: StoredState) -> bool:
    """Is this refused state still what its agent does, and nothing was told of the agent since."""
    present = outbox.last_of_worker(connection, tenant, one.worker_sid)
    if present is None or (present.start_ms, present.pair) != (one.start_ms, one.pair):
        return False
    later = (
        select(_table.id)
        .where(_table.tenant == tenant, _table.worker_sid == one.worker_sid, _table.id > one.id)
        .where(_table.status.in_(_SPOKEN), _table.kind != Kind.WITHDRAWN)
        .limit(1)
    )
    return connection.execute(later).first() is None


def replay(connection: Connection, tenant: str, refused: Sequence[StoredState]) -> tuple[int, int]:
    """Send again what still is the present of its agent, under the agent's id of now; the rest is past.

    Returns how many are sent again, and how many were let go.
    """
    dead = [one for one in refused if one.status is Delivery.DEAD]
    again = [one for one in dead if is_present(connection, tenant, one)]
    for one in again:
        called = select(agents.c.agent_id).where(agents.c.tenant == tenant, agents.c.worker_sid == one.worker_sid)
        agent_id = connection.execute(called).scalar() or one.agent_id
        connection.execute(
            update(state_changes)
            .where(_table.id == one.id)
            .values(status=Delivery.PENDING, note=None, agent_id=agent_id, answer_id=None)
        )
    sent = {one.id for one in again}
    past = [one.id for one in dead if one.id not in sent]
    outbox.mark(connection, past, Delivery.SKIPPED, "refused by the WFM, and over before it was replayed")
    return len(again), len(past)


def discard(connection: Connection, letters: Iterable[StoredState], why: str) -> None:
    """Give these up by hand; what had held them is kept beside the reason."""
    for one in letters:
        note = f"discarded by hand: {why}; it was held because: {one.note or 'no reason was noted'}"
        outbox.mark(connection, [one.id], Delivery.SKIPPED, note)


def replay_report(connection: Connection, tenant: str, one: Receipt) -> None:
    """Let the reporter send this report again at its next look, however short its rest was."""
    connection.execute(_of(tenant, one).values(sent_ms=None))


def discard_report(connection: Connection, tenant: str, one: Receipt, why: str) -> None:
    """Send this revision no more; a late event that changes the report makes another."""
    note = f"discarded by hand: {why}; it was held because: {one.note or 'no reason was noted'}"
    connection.execute(_of(tenant, one).values(status=ReceiptStatus.DISCARDED, note=note))


def _of(tenant: str, one: Receipt) -> Update:
    runs = report_runs.c
    return update(report_runs).where(runs.tenant == tenant, runs.kind == one.kind, runs.start_ms == one.start_ms)
