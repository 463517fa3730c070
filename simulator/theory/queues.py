"""Queues that theory can solve: calls come at random, talk for an exponential time, and wait for the next free agent.

Erlang B loses calls that find no agent free, Erlang C lets them wait for good, Erlang A (Palm's model) lets them wait
for an exponential time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

_NEGLIGIBLE = 1e-16


def erlang_b(agents: int, load: float) -> float:
    """The share of calls that find every agent busy and are lost; `load` is arrival rate times mean talk, in Erlang.

    By the recursion B(0) = 1, B(n) = a B(n-1) / (n + a B(n-1)).
    """
    blocked = 1.0
    for n in range(1, agents + 1):
        blocked = load * blocked / (n + load * blocked)
    return blocked


def erlang_c(agents: int, load: float) -> float:
    """The share of calls that have to wait; 1 where the load is more than the agents can carry."""
    if load >= agents:
        return 1.0
    blocked = erlang_b(agents, load)
    return blocked / (1 - load / agents * (1 - blocked))


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """A queue with `agents`, `per_s` calls a second that talk for `talk_s` in the mean, and patience for `patience_s`.

    Infinite patience makes it Erlang C, for which the load must be below the number of agents.
    """

    agents: int
    per_s: float
    talk_s: float
    patience_s: float = math.inf

    @property
    def load(self) -> float:
        """In Erlang."""
        return self.per_s * self.talk_s

    def solve(self) -> Solution:
        """What holds in the long run; raises ValueError where the queue would grow for ever."""
        if math.isinf(self.patience_s) and self.load >= self.agents:
            raise ValueError("with endless patience the load must be below the number of agents")
        states = self._states()
        waiting = sum(max(0, n - self.agents) * share for n, share in enumerate(states))
        talking = sum(min(n, self.agents) * share for n, share in enumerate(states))
        return Solution(
            waits=min(1.0, sum(states[self.agents :])),
            abandons=0.0 if math.isinf(self.patience_s) else waiting / self.patience_s / self.per_s,
            mean_wait_s=waiting / self.per_s,
            mean_queue=waiting,
            busy=talking / self.agents,
        )

    def _states(self) -> list[float]:
        """How likely n calls are present: a birth-and-death process, scaled as it grows."""
        weights, total = [1.0], 1.0
        while True:
            n = len(weights)
            leaving = min(n, self.agents) / self.talk_s
            if n > self.agents and not math.isinf(self.patience_s):
                leaving += (n - self.agents) / self.patience_s
            weights.append(weights[-1] * self.per_s / leaving)
            total += weights[-1]
            if total > 1e200:
                weights, total = [one / total for one in weights], 1.0
            if n > self.agents and weights[-1] < total * _NEGLIGIBLE and self.per_s < leaving:
                return [one / total for one in weights]

    def waits_longer(self, wait_s: float) -> float:
        """Of Erlang C: the share of calls that wait longer than this."""
        spare = self.agents / self.talk_s - self.per_s
        return erlang_c(self.agents, self.load) * math.exp(-spare * wait_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """A queue in the long run.

    Attributes:
        waits: share of calls that do not find an agent free.
        abandons: share of calls that give up.
        mean_wait_s: of all calls, those that give up and those that do not wait included.
        mean_queue: calls that wait, in the mean over time.
        busy: share of their time for which agents talk.
    """

    waits: float
    abandons: float
    mean_wait_s: float
    mean_queue: float
    busy: float
