"""What the hands reach for, and how they are told that a step is against the rules."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.world.agenda import Agenda
from simulator.world.attendance import Attendance
from simulator.world.contacts import Contacts
from simulator.world.floor import Floor
from simulator.world.handover import Handover
from simulator.world.plans import Planner
from simulator.world.router import Router
from simulator.world.sids import SidFactory, Streams
from simulator.world.transitions import Transitions


class Refused(Exception):
    """A step that the floor's rules forbid; nothing has changed, and the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The machinery of one world; `planner` draws for tasks from outside alone, so that no other draw shifts."""

    floor: Floor
    agenda: Agenda
    transitions: Transitions
    router: Router
    attendance: Attendance
    contacts: Contacts
    handover: Handover
    planner: Planner
    sids: SidFactory
    streams: Streams
