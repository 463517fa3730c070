"""Who is meant: a WFM agent id, a worker sid or a friendly name -> the worker of a tenant."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from flex_plugin_backend.domain.agents import AgentTimeline
from flex_plugin_backend.errors import AmbiguousAgent, UnknownAgent
from flex_plugin_backend.ledger import agents as agent_rows
from flex_plugin_backend.ledger import eventlog, lookups
from flex_plugin_backend.ledger.store import Ledger

_SUGGESTED = 5


@dataclass(frozen=True, slots=True)
class Person:
    """One worker as the ledger knows it.

    Attributes:
        agent_id: what the WFM calls it; None while unmapped.
        others: workers of the tenant that have the same agent id.
        called: it is not called so any more, but was: the former agent id that was asked for.
    """

    tenant: str
    worker_sid: str
    agent_id: str | None
    timeline: AgentTimeline = field(repr=False)
    others: tuple[str, ...] = ()
    called: str | None = None

    @property
    def name(self) -> str | None:
        """Its friendly name."""
        return self.timeline.worker_name

    @property
    def words(self) -> tuple[str, ...]:
        """All that it may be asked for by."""
        return tuple(word for word in (self.agent_id, self.worker_sid, self.name) if word)


class Roster:
    """Everybody that a ledger knows in these tenants."""

    def __init__(self, ledger: Ledger, tenants: Collection[str]) -> None:
        self._ledger = ledger
        self._tenants = tuple(tenants)
        self.people: list[Person] = []
        for tenant in self._tenants:
            with ledger.read() as connection:
                rows = list(agent_rows.load(connection, tenant))
            called: dict[str, list[str]] = {}
            for worker_sid, agent_id, _ in rows:
                if agent_id is not None:
                    called.setdefault(agent_id, []).append(worker_sid)
            for worker_sid, agent_id, record in rows:
                others = tuple(one for one in called.get(agent_id or "", ()) if one != worker_sid)
                self.people.append(
                    Person(tenant, worker_sid, agent_id, AgentTimeline.from_record(record), others),
                )

    def find(self, name: str) -> Person:
        """The one who is meant: by the whole name, else whatever its case, else by a part of it.

        Of several who share a name the one that still exists is meant, if there is only one.

        Raises:
            AmbiguousAgent: several may be meant.
            UnknownAgent: nobody.
        """
        folded = name.casefold()
        tests: tuple[Callable[[tuple[str, ...]], bool], ...] = (
            lambda words: name in words,
            lambda words: folded in {one.casefold() for one in words},
            lambda words: any(folded in one.casefold() for one in words),
        )
        for is_meant in tests:
            found = [one for one in self.people if is_meant(one.words)]
            if found:
                return self._only(name, found)
        return self._only(name, self._formerly(name))

    def _only(self, name: str, found: list[Person]) -> Person:
        if not found:
            raise self._unknown(name)
        left = [one for one in found if not one.timeline.deleted] or found
        if len(left) == 1:
            return left[0]
        several = len({one.tenant for one in left}) > 1
        raise AmbiguousAgent(
            name=name,
            number=len(left),
            people="".join(f"\n  {_described(one)}" for one in left[:20]) + ("\n  ..." if len(left) > 20 else ""),
            tenant=", or with --tenant" if several else "",
        )

    def _formerly(self, name: str) -> list[Person]:
        """Those who were told to the WFM under this agent id once, and are called otherwise now."""
        found: list[Person] = []
        for tenant in self._tenants:
            with self._ledger.read() as connection:
                workers = set(lookups.workers_once_called(connection, tenant, name))
            found += [
                Person(one.tenant, one.worker_sid, one.agent_id, one.timeline, one.others, called=name)
                for one in self.people
                if one.tenant == tenant and one.worker_sid in workers
            ]
        return found

    def _unknown(self, name: str) -> UnknownAgent:
        spelled: Mapping[str, str] = {word.casefold(): word for one in self.people for word in one.words}
        near = [spelled[one] for one in difflib.get_close_matches(name.casefold(), spelled, n=_SUGGESTED)]
        where = f"in tenant {self._tenants[0]}" if len(self._tenants) == 1 else "in any tenant"
        if near:
            hint = f"Did you mean {', '.join(near)}?"
        elif self.people:
            hint = (
                f"{len(self.people)} workers are known, but neither an event nor a look at Twilio ever named this one. "
                "Check that it belongs to the configured workspace, and that its events reach the connector: "
                "flex-wfm init prints the EventsFilter."
            )
        else:
            hint = self._empty()
        return UnknownAgent(name=name, where=where, hint=hint)

    def _empty(self) -> str:
        with self._ledger.read() as connection:
            stored = sum(eventlog.count(connection, tenant)[0] for tenant in self._tenants)
        if stored:
            return f"{stored} events are stored, but no connector has applied them yet: start flex-wfm serve."
        return "The ledger holds no event at all: check [ledger] url, and that Twilio's events reach the connector."


def _described(one: Person) -> str:
    name = f"{one.name}, " if one.name else ""
    gone = ", deleted" if one.timeline.deleted else ""
    return f"{name}agent id {one.agent_id or '-'}, worker {one.worker_sid}, tenant {one.tenant}{gone}"
