"""What will become of a contact: every draw about it is made when it arrives, so that no other one shifts it."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from simulator.world.entities import ContactPlan, TaskQueue
from simulator.world.scenario import Scenario
from simulator.world.scenario.durations import NEVER_MS
from simulator.world.scenario.work import Queue
from simulator.world.sids import between

_new: Callable[[type[ContactPlan], tuple[object, ...]], ContactPlan] = tuple.__new__  # as fast as it gets
_LEAST_PATIENCE_MS = 100  # nobody leaves before the events of the arrival are over


class Planner:
    """Draws plans; what the scenario says is looked up once.

    What seldom happens has a stream of its own for its details, so that ordinary contacts cost few draws.
    """

    def __init__(self, scenario: Scenario, rare: Random) -> None:
        self._scenario = scenario
        self._rare = rare
        self._queues = {queue.name: _QueueDraws(scenario, queue) for queue in scenario.queues}
        self._forgotten = scenario.wrap_up.forgotten.drawer()
        self._overlap = scenario.transfers.overlap.drawer()
        self._hold = scenario.hold.lasts.drawer()
        self._callback_after = scenario.callbacks.after.drawer()
        self._rings = scenario.outbound.rings.drawer()
        self._internal_talk = scenario.internal.talk.drawer()
        self._internal_wrap = scenario.internal.wrap_up.drawer()
        self._forgets_share, self._skips_from = scenario.wrap_up.forgets_share, 1 - scenario.wrap_up.skips_share
        self._never_closes_share = scenario.wrap_up.never_closes_share
        self._hangs_up_share = scenario.answering.hangs_up_ringing_share

    def inbound(self, queue: TaskQueue, rng: Random, *, called_back: bool = False) -> ContactPlan:
        """Somebody comes into a queue; who is called back waits for good and asks for nothing again."""
        draws, random = self._queues[queue.name], rng.random
        talk_ms = draws.talk(rng) or 1
        wrap_ms = draws.wrap_up(rng) or 1
        patience_ms = draws.patience(rng)
        giving_up, transfer, hold, ring, wrap_up, ending = random(), random(), random(), random(), random(), random()
        if wrap_up < self._forgets_share:
            wrap_ms = self._forgotten(self._rare) or 1
        gives_up, again_ms, hangs_up_ms = "hangup", None, None
        if called_back:
            patience_ms = NEVER_MS
        else:
            if patience_ms < _LEAST_PATIENCE_MS:
                patience_ms = _LEAST_PATIENCE_MS
            gives_up, again_ms = self._giving_up(draws, giving_up)
            if ring < self._hangs_up_share:
                hangs_up_ms = between(self._rare, 300, 3_000)
        holds = self._holds(talk_ms) if hold < draws.hold_share else ()
        plan = _new(
            ContactPlan,
            (
                talk_ms, wrap_ms, patience_ms, gives_up, again_ms, hangs_up_ms, "", False, 0, None, 0, 0, holds,
                wrap_up >= self._skips_from, ending < self._never_closes_share,
            ),
        )  # fmt: skip
        return plan if transfer >= draws.transfer_share else self._transfer(plan, transfer)

    def _giving_up(self, draws: _QueueDraws, choice: float) -> tuple[str, int | None]:
        """How the customer gives up, and after how long comes again or is called back, if at all."""
        rare, callbacks = self._rare, self._scenario.callbacks
        if draws.medium == "voice":
            if choice < callbacks.requested_share:
                return "callback", self._callback_after(rare)
            choice -= callbacks.requested_share
            if choice < callbacks.voicemail_share:
                return "voicemail", self._callback_after(rare)
            choice -= callbacks.voicemail_share
        if draws.redials_share and choice < draws.redials_share * (1 - draws.called_back_share):
            return "hangup", draws.redials_after(rare)
        return "hangup", None

    def _transfer(self, plan: ContactPlan, choice: float) -> ContactPlan:
        rules, rare = self._scenario.transfers, self._rare
        to_queue = choice < rules.to_queue_share
        warmth, recalls, overlap_ms = rare.random(), rare.random(), self._overlap(rare)
        return plan._replace(
            transfer="queue" if to_queue else "worker",
            warm=warmth < rules.warm_to_queue_share if to_queue else warmth >= rules.cold_to_worker_share,
            transfer_after_ms=max(1_000, round(plan.talk_ms * rules.after_share)),
            second_talk_ms=max(1_000, round(plan.talk_ms * rules.then_share)),
            overlap_ms=overlap_ms,
            recalled_ms=between(rare, 500, 3_500) if recalls < rules.recalled_share else None,
        )

    def _holds(self, talk_ms: int) -> tuple[tuple[int, int], ...]:
        """Holds one after the other within the talk."""
        rare, found = self._rare, list[tuple[int, int]]()
        at_ms = round(talk_ms * (0.1 + 0.4 * rare.random()))
        while True:
            lasts_ms = min(self._hold(rare), talk_ms - at_ms - 500)
            if lasts_ms < 500:
                break
            found.append((at_ms, lasts_ms))
            if rare.random() >= self._scenario.hold.again_share:
                break
            at_ms += lasts_ms + round(2_000 + 0.1 * talk_ms * rare.random())
        return tuple(found)

    # -- what agents begin

    def outbound(self, medium: str, rng: Random) -> ContactPlan:
        """A call or text message from an agent; the patience is how long it rings at the customer."""
        draws = next(one for one in self._queues.values() if one.medium == medium)
        by_text = medium != "voice"
        return ContactPlan(
            talk_ms=max(1, draws.talk(rng)),
            wrap_ms=max(1, draws.wrap_up(rng)),
            patience_ms=between(rng, 300, 1_500) if by_text else max(300, self._rings(rng)),
        )

    def internal(self, rng: Random) -> ContactPlan:
        """A call to a colleague; the patience is how long it takes to dial."""
        return ContactPlan(
            talk_ms=max(1, self._internal_talk(rng)),
            wrap_ms=max(1, self._internal_wrap(rng)),
            patience_ms=between(rng, 60, 600),
        )


class _QueueDraws:
    """The distributions of one queue: its own, else its channel's."""

    def __init__(self, scenario: Scenario, queue: Queue) -> None:
        channel = scenario.channels.of(queue.channel)
        self.medium = queue.channel
        self.talk = (queue.talk or channel.talk).drawer()
        self.wrap_up = (queue.wrap_up or channel.wrap_up).drawer()
        self.patience = (queue.patience or channel.patience).drawer()
        self.hold_share = scenario.hold.share if queue.channel == "voice" else 0.0
        transfers = scenario.transfers
        handed_on = transfers.to_queue_share + transfers.to_worker_share
        self.transfer_share = handed_on if queue.channel in transfers.channels else 0.0
        self.redials_share = channel.redials_share
        self.redials_after = channel.redials_after.drawer()
        callbacks = scenario.callbacks
        by_voice = queue.channel == "voice"
        self.called_back_share = callbacks.requested_share + callbacks.voicemail_share if by_voice else 0.0
