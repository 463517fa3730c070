"""What no single field can tell: names that nobody has, circles, shares of nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from simulator.world.scenario.nearest import did_you_mean
from simulator.world.scenario.people import FROZEN_LOCALES

if TYPE_CHECKING:
    from simulator.world.scenario.root import Scenario

AVAILABLE = "Available"
UNAVAILABLE = "Unavailable"
STANDARD_AWAY = (UNAVAILABLE, "Break", "Lunch", "Meeting", "Training", "Back Office")


def activities_of(scenario: Scenario) -> list[str]:
    """The unavailable activities of the workspace besides the logged-out one, in order of creation."""
    names = [*STANDARD_AWAY, *(duty.activity for duty in scenario.duties)]
    return [name for name in dict.fromkeys(names) if name != scenario.workspace.offline_activity]


def contradictions(scenario: Scenario) -> Iterator[str]:
    """Each thing in the scenario that cannot be, with where it stands."""
    yield from _lists(scenario)
    yield from _names(scenario)
    yield from _sites(scenario)
    yield from _skills(scenario)
    yield from _overflow(scenario)
    yield from _channels(scenario)


def _unknown(where: str, name: str, known: Iterable[str]) -> str:
    return f"{where}: there is no {name!r}{did_you_mean(name, known)}"


def _lists(scenario: Scenario) -> Iterator[str]:
    names = {
        "sites": [one.name for one in scenario.sites],
        "teams": [one.name for one in scenario.teams],
        "shifts": [one.name for one in scenario.shifts],
        "queues": [one.name for one in scenario.queues],
        "people.locales": scenario.people.locales[:1],
    }
    for where, given in names.items():
        if not given:
            yield f"{where}: there must be at least one"
        yield from (f"{where}: {one!r} stands there twice" for one, times in Counter(given).items() if times > 1)
    shares = {
        "sites": [one.share for one in scenario.sites],
        "teams": [one.share for one in scenario.teams],
        "shifts": [one.share for one in scenario.shifts],
    }
    yield from (f"{where}: the shares add up to 0" for where, given in shares.items() if given and not sum(given))


def _names(scenario: Scenario) -> Iterator[str]:
    away = [*activities_of(scenario), scenario.workspace.offline_activity]
    if scenario.workspace.timeout_activity not in away:
        yield _unknown("workspace.timeout_activity", scenario.workspace.timeout_activity, away)
    if scenario.workspace.offline_activity in (AVAILABLE, UNAVAILABLE):
        yield "workspace.offline_activity: this name is taken by another activity"
    if AVAILABLE in [duty.activity for duty in scenario.duties]:
        yield f"duties: {AVAILABLE} does not take anybody off the floor"
    strange = [one for one in scenario.people.locales if one not in FROZEN_LOCALES]
    if scenario.people.source == "frozen" and strange:
        yield _unknown("people.locales", strange[0], FROZEN_LOCALES)


def _sites(scenario: Scenario) -> Iterator[str]:
    known = [site.name for site in scenario.sites]
    used = {
        "teams": [one.site for one in scenario.teams],
        "shifts": [one.site for one in scenario.shifts],
        "queues": [one.site for one in scenario.queues],
        "outages": [one.site for one in scenario.outages],
    }
    for kind, sites in used.items():
        for number, site in enumerate(sites):
            if site and site not in known:
                yield _unknown(f"{kind}.{number}.site", site, known)
    staffed = {
        "teams": {one.site for one in scenario.teams if one.share},
        "shifts": {one.site for one in scenario.shifts if one.share},
    }
    for kind, places in staffed.items():
        lonely = [site for site in known if site not in places and "" not in places]
        if lonely and getattr(scenario, kind):
            yield f"{kind}: none is for the agents of {lonely[0]}"


def _skills(scenario: Scenario) -> Iterator[str]:
    skills = {skill for team in scenario.teams for skill in (*team.skills, *team.some_of)}
    for number, queue in enumerate(scenario.queues):
        if queue.skill not in skills:
            yield _unknown(f"queues.{number}.skill", queue.skill, skills)
    for number, team in enumerate(scenario.teams):
        if team.some_of and team.some_least > min(team.some_most, len(team.some_of)):
            yield f"teams.{number}: some_least is more than some_most, or than there are skills in some_of"


def _overflow(scenario: Scenario) -> Iterator[str]:
    by_name = {queue.name: queue for queue in scenario.queues}
    for number, queue in enumerate(scenario.queues):
        where, other = f"queues.{number}.overflow_to", by_name.get(queue.overflow_to)
        if not queue.overflow_to:
            continue
        if other is None:
            yield _unknown(where, queue.overflow_to, by_name)
        elif other.channel != queue.channel:
            yield f"{where}: {other.name} is not a queue for {queue.channel}"
        else:
            seen = {queue.name}
            while other is not None and other.name not in seen:
                seen.add(other.name)
                other = by_name.get(other.overflow_to)
            if other is not None:
                yield f"{where}: tasks would move in a circle"


def _channels(scenario: Scenario) -> Iterator[str]:
    served = {queue.channel for queue in scenario.queues if queue.weight}
    for name in type(scenario.channels).model_fields:
        channel = scenario.channels.of(name)
        # Only a rate that somebody wrote down: the usual channels have one, and not every floor has their queues.
        if name not in served and channel.per_agent_hour and "per_agent_hour" in channel.model_fields_set:
            yield f"channels.{name}: contacts come, but there is no queue for them"
