"""Every figure of the queue report and its agent parts, defined once: what it counts, and who says so.

Sources: "CXone" and "Twilio" are sections of the references; "rule" is a rule of ours, listed in docs/metrics.md. All
times are whole seconds between two instants that were each cut to their second (rule 1). A contact counts in the
interval that owns the instant it ended, with all of its figures (CXone 3, When Contact Ended).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from flex_plugin_backend.domain.contacts import HandledContact, Outcome, QueueVisit
from flex_plugin_backend.domain.intervals import whole_seconds
from flex_plugin_backend.domain.report_rules import ReportRules
from flex_plugin_backend.domain.segments import AgentTime


def _wait_s(contact: HandledContact) -> int:
    return 0 if contact.wait_from_ms is None else max(0, whole_seconds(contact.wait_from_ms, contact.accepted_ms))


def handle_s(contact: HandledContact) -> int:
    """From the acceptance to the end of wrap-up: talk, hold and wrap-up together (CXone 4; rule 7)."""
    return whole_seconds(contact.accepted_ms, contact.end_ms) if contact.end_ms is not None else 0


@dataclass(frozen=True, slots=True)
class Handled:
    """Handled contacts that ended in one interval: of a queue, of an agent in a queue, or of an agent alone."""

    contacts: tuple[HandledContact, ...]

    @property
    def contacts_handled(self) -> int:
        """Reservations that an agent accepted and that have ended, wrap-up included; a transferred contact counts once
        for each agent who accepted it (CXone 4; rule 6)."""
        return len(self.contacts)

    @property
    def handle_time_s(self) -> int:
        """Talk, hold and wrap-up time of the handled contacts, whole, also where they began in earlier intervals
        (CXone 3 and 4; rule 7)."""
        return sum(handle_s(one) for one in self.contacts)

    @property
    def work_time_s(self) -> int:
        """The wrap-up part of the handle time: from the wrap-up to the completion, 0 without wrap-up, at most
        `wrap_up_cap_s` (CXone 1.9 and 4; Twilio 6.2; rule 7, 11, 12)."""
        return sum(whole_seconds(one.talk_end_ms or 0, one.end_ms or 0) for one in self.contacts)

    @property
    def hold_time_s(self) -> int:
        """The part of the handle time on hold, where conference events tell it, else 0: then it is in the talk time
        (Twilio 4.5 and 6.2)."""
        return sum(one.hold_s for one in self.contacts)

    @property
    def talk_time_s(self) -> int:
        """From the acceptance to the wrap-up, less measured hold (Twilio 6.2)."""
        return self.handle_time_s - self.work_time_s - self.hold_time_s

    @property
    def ring_time_s(self) -> int:
        """From the offer to the acceptance; part of the queue delay, not of the handle time (Twilio 6.2)."""
        rung = ((one.offered_ms, one.accepted_ms) for one in self.contacts)
        return sum(max(0, whole_seconds(start, end)) for start, end in rung if start is not None)

    @property
    def queue_delay_s(self) -> int:
        """How long the handled contacts waited: from the entry into the queue where they were answered, or from the
        start of the transfer, to the acceptance, ringing included (CXone 1.9; Twilio 6.2; rule 4, 21)."""
        return sum(_wait_s(one) for one in self.contacts)


@dataclass(frozen=True, slots=True)
class QueueFigures:
    """The figures of one queue and channel in one interval.

    Attributes:
        handled: the contacts handled in it.
        unserved: the visits that ended in it as abandoned or diverted.
        waiting_ms: for each visit open at the end instant, how long it had waited then.
        threshold_ms: the queue's service-level threshold.
    """

    handled: Handled
    unserved: tuple[QueueVisit, ...]
    waiting_ms: tuple[int, ...]
    threshold_ms: int
    short_abandon_ms: int

    def _abandoned_waits(self) -> list[int]:
        return [one.wait_ms or 0 for one in self.unserved if one.outcome is Outcome.ABANDONED]

    @property
    def contacts_received(self) -> int:
        """Handled, abandoned and diverted contacts together, each where it ended (CXone 3 and 4; rule 3)."""
        return self.handled.contacts_handled + self.contacts_abandoned + self.contacts_diverted

    @property
    def contacts_abandoned(self) -> int:
        """Contacts whose task was cancelled, or whose caller left during a transfer, before anybody accepted; in the
        last queue of a task that was moved or timed out (CXone 4; Twilio 6.2; rule 5, 20, 22)."""
        return len(self._abandoned_waits())

    @property
    def contacts_abandoned_short(self) -> int:
        """Abandoned after less than the short-abandon threshold (CXone 4; rule 18)."""
        return sum(1 for wait_ms in self._abandoned_waits() if wait_ms < self.short_abandon_ms)

    @property
    def contacts_abandoned_long(self) -> int:
        """Abandoned after the short-abandon threshold had passed (CXone 4; rule 18)."""
        return self.contacts_abandoned - self.contacts_abandoned_short

    @property
    def contacts_diverted(self) -> int:
        """Contacts whose task was cancelled because they are served elsewhere: the reason is on the configured list, as
        for a callback (Twilio 6.2; rule 3, 26)."""
        return sum(1 for one in self.unserved if one.outcome is Outcome.DIVERTED)

    @property
    def contacts_answered_in_sl(self) -> int:
        """Handled contacts that waited no longer than the queue's service-level threshold (CXone 1.9; rule 4, 18)."""
        return sum(1 for one in self.handled.contacts if (one.wait_ms or 0) <= self.threshold_ms)

    @property
    def contacts_abandoned_in_sl(self) -> int:
        """Abandoned contacts that waited no longer than the queue's service-level threshold, short ones included
        (CXone 1.9; rule 4, 18)."""
        return sum(1 for wait_ms in self._abandoned_waits() if wait_ms <= self.threshold_ms)

    @property
    def service_level(self) -> float | None:
        """Answered within the threshold, of all received, in per cent; none where nothing was received (CXone 4)."""
        received = self.contacts_received
        return round(100 * self.contacts_answered_in_sl / received, 2) if received else None

    @property
    def backlog(self) -> int:
        """Visits open at the interval's end instant, whatever opened them (Twilio 6.2; rule 23)."""
        return len(self.waiting_ms)

    @property
    def backlog_not_expired(self) -> int:
        """The part of the backlog that had waited no longer than the service-level threshold; that this is the due time
        is assumed (CXone 1.9)."""
        return sum(1 for wait_ms in self.waiting_ms if wait_ms <= self.threshold_ms)

    @property
    def backlog_expired(self) -> int:
        """The rest of the backlog (CXone 1.9, assumed likewise)."""
        return self.backlog - self.backlog_not_expired


@dataclass(frozen=True, slots=True)
class AgentFigures:
    """The figures of one agent in one interval that belong to no queue.

    Attributes:
        time: clipped to the interval, from the raw line of states.
        outbound, internal: the handled contacts of these directions.
    """

    time: AgentTime
    outbound: Handled
    internal: Handled

    @property
    def login_time_s(self) -> int:
        """Time in any state but logged out, so also logged out with a contact still open: ready, idle and busy time
        together (CXone 1.9 and 4; Twilio 6.2; rule 2)."""
        return self.time.login_s

    @property
    def ready_time_s(self) -> int:
        """Time AVAILABLE (CXone 1.9; rule 2)."""
        return self.time.ready_s

    @property
    def idle_time_s(self) -> int:
        """Time UNAVAILABLE, whatever the reason (CXone 1.9; rule 2)."""
        return self.time.idle_s

    @property
    def busy_time_s(self) -> int:
        """Time RESERVED, DIALLING, on a CONTACT or in WRAPUP; concurrent contacts count once (rule 2)."""
        return self.time.busy_s

    @property
    def out_calls(self) -> int:
        """Outbound contacts that were answered and have ended (CXone 1.9; rule 7)."""
        return self.outbound.contacts_handled

    @property
    def out_time_s(self) -> int:
        """The handle time of the outbound contacts, whole, in the interval where they ended (CXone 1.9; rule 7)."""
        return self.outbound.handle_time_s

    @property
    def internal_calls(self) -> int:
        """Internal contacts that were answered and have ended, for each of the two agents (CXone 1.9; rule 7)."""
        return self.internal.contacts_handled

    @property
    def internal_time_s(self) -> int:
        """The handle time of the internal contacts, whole, where they ended (CXone 1.9; rule 7)."""
        return self.internal.handle_time_s


def figures_of_queue(
    contacts: Iterable[HandledContact],
    unserved: Iterable[QueueVisit],
    waiting: Iterable[QueueVisit],
    end_ms: int,
    threshold_ms: int,
    rules: ReportRules,
) -> QueueFigures:
    """The figures of one queue and channel at the end `end_ms` of an interval."""
    return QueueFigures(
        Handled(tuple(contacts)),
        tuple(unserved),
        tuple(end_ms - one.start_ms for one in waiting),
        threshold_ms,
        rules.short_abandon_ms,
    )


def definitions() -> dict[str, str]:
    """Each metric's definition by name, as its docstring gives it."""
    found: dict[str, str] = {}
    for owner in (QueueFigures, Handled, AgentFigures):
        for name, attribute in vars(owner).items():
            getter: Callable[..., object] | None = getattr(attribute, "fget", None)
            if getter is not None:
                found[name] = " ".join((getter.__doc__ or "").split())
    return found
