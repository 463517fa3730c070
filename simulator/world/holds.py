"""Customers on hold: no matter of TaskRouter's, so it is told beside its log, by the events of conferences."""

from __future__ import annotations

from simulator.world.entities import Reservation
from simulator.world.events import Event, EventLog
from simulator.world.notes import NOTHING, Notes

HOLD, UNHOLD = "participant-hold", "participant-unhold"
HOLD_EVENTS = (HOLD, UNHOLD)


class HoldSteps(Notes):
    """Puts customers on hold and takes them back (Twilio reference 2.3).

    `conferences` has an event for each, `conference` its resource and the task the conference's name. A customer who
    hangs up while on hold leaves the conference, and nothing more is told.
    """

    conferences: EventLog

    def hold_customer(self, reservation: Reservation, at_ms: int) -> None:
        """The customer listens to music from now on; where there is no conference yet, they go on talking."""
        if reservation.task.conference_sid and not self.ledger.is_held(reservation):
            self.ledger.held(reservation, at_ms)
            self._tell(HOLD, reservation, at_ms)

    def unhold_customer(self, reservation: Reservation, at_ms: int) -> None:
        """They talk again, or another agent takes over; nothing happens where the hold is over already."""
        if self.ledger.is_held(reservation):
            self.ledger.unheld(reservation, at_ms)
            self._tell(UNHOLD, reservation, at_ms)

    def _tell(self, kind: str, reservation: Reservation, ms: int) -> None:
        log, task, sid = self.conferences, reservation.task, self._sids.new("EZ")
        facts = (ms, log.draw(), sid, kind, ms, "conference", task.conference_sid, "", task.sid)
        log.stage(Event(*facts, NOTHING, NOTHING, "", 0, NOTHING))
