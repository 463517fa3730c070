"""Hands from outside: what an API or an operator may do to a running floor, by the floor's own rules.

Each step goes through the transitions of the world, so its events follow and the truth stays exact.
"""

from simulator.world.hands.catalogue import CatalogueHands
from simulator.world.hands.contacts import ContactHands
from simulator.world.hands.parts import Parts, Refused
from simulator.world.hands.workers import WorkerHands

__all__ = ["CatalogueHands", "ContactHands", "Hands", "Parts", "Refused"]


class Hands:
    """The hands of one world.

    Attributes:
        workers: activities, attributes, capacities, coming and going.
        contacts: tasks and reservations.
        catalogue: activities and queues themselves.
    """

    def __init__(self, parts: Parts) -> None:
        self.workers = WorkerHands(parts)
        self.contacts = ContactHands(parts)
        self.catalogue = CatalogueHands(parts)
