"""The world: wires floor, people, router and truth together and moves them through virtual time."""

from __future__ import annotations

from collections.abc import Callable

from simulator.world.agenda import Agenda, Lane
from simulator.world.arrivals import Arrivals
from simulator.world.attendance import Attendance
from simulator.world.attributes import Attributes
from simulator.world.browsers import Browsers
from simulator.world.contacts import Contacts
from simulator.world.dialling import Dialling
from simulator.world.entities import Reservation, ReservationStatus, Task, TaskQueue, Worker
from simulator.world.events import Event, EventLog
from simulator.world.floor import build_floor
from simulator.world.handover import Handover
from simulator.world.hands import Hands, Parts
from simulator.world.mirror import Mirror
from simulator.world.people import Crowd
from simulator.world.plans import Planner
from simulator.world.ringing import Ringing
from simulator.world.roster import Roster
from simulator.world.router import Router
from simulator.world.scenario import Scenario
from simulator.world.sids import SidFactory, Streams
from simulator.world.supervision import Supervision
from simulator.world.transitions import KEEPS_ENDED_TASKS_MS, Transitions
from simulator.world.truth import Truth

_MOST_CUSTOMERS, _LEAST_CUSTOMERS, _CUSTOMERS_PER_AGENT = 2_000, 150, 3
WRAP_UP_CAP_S = 3600.0


class World:
    """A contact centre that runs by itself; how far it is advanced at once makes no difference to what happens.

    `wrap_up_cap_s` is the one rule of the reports that the states need too: wrap-up counts for no longer than that.
    `hands` changes it from outside.
    `on_first_attempt` hears of each contact that comes of itself, neither again nor called back. `conferences` are the
    events of hold, which TaskRouter does not tell of and `log` therefore lacks.
    """

    def __init__(self, scenario: Scenario, *, wrap_up_cap_s: float = WRAP_UP_CAP_S) -> None:
        self.scenario = scenario
        self._wrap_up_cap_ms = round(wrap_up_cap_s * 1000)
        streams, sids = Streams(scenario.seed), SidFactory(scenario.seed)
        crowd = Crowd(scenario.seed, scenario.people)
        self.customers = crowd.customers(customer_count(scenario))
        self.floor = build_floor(scenario, sids, streams, crowd)
        self.log = EventLog()
        self.truth = Truth(self.floor.offline.sid)
        self._agenda = Agenda(scenario.start_ms)
        self._transitions = Transitions(self.floor, sids, streams, self.log, self.truth)
        self._transitions.on_wrap_up = self._plan_cap
        self.conferences = self._transitions.conferences
        self._caps = Lane(self._agenda, _is_wrapping, self.truth.cap)
        self._by_sid: dict[str, Worker] = {}
        self.on_first_attempt: Callable[[Task], None] | None = None
        self._contacts = self._wire(crowd, sids, streams)

    def _wire(self, crowd: Crowd, sids: SidFactory, streams: Streams) -> Contacts:
        floor, agenda, transitions = self.floor, self._agenda, self._transitions
        router = Router(agenda, transitions)
        attendance = Attendance(floor, agenda, transitions, router, Roster(self.scenario, streams), streams)
        agents = self._agents = _Agents(
            attendance,
            Ringing(floor, agenda, transitions, attendance),
            Mirror(floor, agenda, transitions, attendance, streams),
            Browsers(floor, agenda, transitions, attendance, streams),
        )
        handover = Handover(floor, agenda, transitions, router, streams.of("contacts", "handover"))
        contacts = Contacts(agenda, transitions, router, agents, handover, sids)
        agents.serve(contacts)
        router.on_offer = contacts.offered
        handover.on_offer, handover.on_free = agents.on_offer, lambda ended: agents.after_contact(ended.worker)
        handover.end_talk, handover.finish = contacts.end_talk, contacts.finish
        attributes = Attributes(self.scenario.account_sid, self.customers, sids)
        self.hands = Hands(
            Parts(
                floor=floor,
                agenda=agenda,
                transitions=transitions,
                router=router,
                attendance=attendance,
                contacts=contacts,
                handover=handover,
                planner=Planner(self.scenario, streams.of("hands", "rare")),
                sids=sids,
                streams=streams,
            )
        )
        planner = Planner(self.scenario, streams.of("contacts", "rare"))
        arrivals = Arrivals(floor, agenda, attributes, planner, sids, streams)
        arrivals.on_arrival, contacts.on_lost = contacts.customer_arrives, arrivals.try_again
        arrivals.on_first_attempt = self._note_first_attempt
        attendance.begin()
        for worker in floor.workers:
            self.truth.begin(worker, self.scenario.start_ms)
        agents.begin()
        Supervision(floor, agenda, transitions, router, attendance, contacts, crowd, sids, streams).begin()
        arrivals.begin()
        Dialling(floor, agenda, contacts, attributes, planner, sids, streams).begin()
        return contacts

    @property
    def now_ms(self) -> int:
        """How far the world has come."""
        return self._agenda.now_ms

    @property
    def contact_count(self) -> int:
        """Contacts that have begun so far."""
        return self._contacts.count

    def worker(self, sid: str) -> Worker | None:
        """One worker, unless it was deleted."""
        if len(self._by_sid) != len(self.floor.workers):
            self._by_sid = {worker.sid: worker for worker in self.floor.workers}
        worker = self._by_sid.get(sid)
        return worker if worker is not None and worker.deleted_ms is None else None

    def next_ms(self) -> int | None:
        """When something happens next."""
        dues = (self._agenda.next_ms(), self.log.next_ms(), self.conferences.next_ms())
        return min((due_ms for due_ms in dues if due_ms is not None), default=None)

    def advance_to(self, until_ms: int) -> list[Event]:
        """Let everything happen up to and including `until_ms`; gives the new events, oldest first."""
        self._agenda.run_until(until_ms)
        self.conferences.settle(until_ms)
        return self.log.settle(until_ms)

    def begin_to_be_heard(self) -> None:
        """Somebody begins to listen who knows of what was before only what REST shows.

        Where that is a pseudo-activity, nobody can tell what the agent had chosen, so the truth is what is shown, until
        the agent chooses again.
        """
        now_ms = self.now_ms
        for worker in self.floor.present():
            if worker.activity.pseudo:
                worker.shown = worker.activity
                self.truth.ledger.activity(worker, now_ms)
                self.truth.observe(worker, now_ms, None)

    def forget_before(self, ms: int) -> None:
        """Let go of events, states, contacts and reservations that were over by then, so that memory is bounded."""
        self.log.forget_before(ms)
        self.conferences.forget_before(ms)
        self.truth.forget_before(ms)
        for worker in self.floor.workers:
            worker.history = [one for one in worker.history if one.is_open or one.updated_ms >= ms]

    def waiting_in(self, queue: TaskQueue) -> int:
        """How many contacts wait in a queue now, those that ring included."""
        return sum(1 for task in self._transitions.tasks.values() if task.queue is queue and task.waits)

    def _note_first_attempt(self, task: Task) -> None:
        if self.on_first_attempt is not None:
            self.on_first_attempt(task)

    def tasks(self, now_ms: int) -> list[Task]:
        """The tasks that REST still knows, oldest first."""
        return [task for task in self._transitions.tasks.values() if _is_known(task, now_ms)]

    def task(self, sid: str, now_ms: int) -> Task | None:
        """One task, unless it ended more than five minutes ago."""
        task = self._transitions.tasks.get(sid)
        return task if task is not None and _is_known(task, now_ms) else None

    def _plan_cap(self, reservation: Reservation, wrapped_ms: int, cause_sid: str) -> None:
        due_ms = wrapped_ms + self._wrap_up_cap_ms
        self._caps.at(due_ms, reservation, due_ms, cause_sid)


class _Agents:
    """Everything that agents do, for those who cause it."""

    def __init__(self, attendance: Attendance, ringing: Ringing, mirror: Mirror, browsers: Browsers) -> None:
        self._attendance = attendance
        self._ringing = ringing
        self._mirror = mirror
        self._browsers = browsers
        self.on_offer = ringing.on_offer
        attendance.on_log_in, attendance.on_log_out = self._log_in, browsers.log_out

    def serve(self, contacts: Contacts) -> None:
        """Work on these contacts."""
        self._ringing.desk = contacts
        self._browsers.on_close, self._browsers.on_open = contacts.browser_closed, contacts.browser_opened

    def begin(self) -> None:
        """Plan what happens to browsers."""
        self._browsers.begin()

    def _log_in(self, worker: Worker) -> None:
        self._browsers.log_in(worker)
        self._mirror.log_in(worker)

    def on_contact(self, worker: Worker) -> None:
        """A contact of this worker has gone a step further."""
        self._mirror.look(worker)

    def after_contact(self, worker: Worker) -> None:
        """A reservation of this worker is over."""
        self._mirror.look(worker)
        self._attendance.after_contact(worker)


def customer_count(scenario: Scenario) -> int:
    """How many customers there are."""
    most = max(_LEAST_CUSTOMERS, min(_MOST_CUSTOMERS, scenario.agents * _CUSTOMERS_PER_AGENT))
    return scenario.people.customers or most


def _is_known(task: Task, now_ms: int) -> bool:
    return task.terminal_ms is None or now_ms - task.terminal_ms <= KEEPS_ENDED_TASKS_MS


def _is_wrapping(reservation: Reservation, _due_ms: int, _cause_sid: str) -> bool:
    return reservation.status is ReservationStatus.WRAPPING
