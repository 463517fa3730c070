"""Who works here and when: sites, teams, shifts, duties, and how well people keep to their schedule."""

from __future__ import annotations

from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import field_validator

from simulator.world.scenario import fields as f
from simulator.world.scenario.durations import Duration, LogNormal
from simulator.world.scenario.fields import Part

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_WORKING_DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri")
FROZEN_LOCALES = ("en_US", "de_DE", "es_ES", "ja_JP", "pl_PL", "en_PH", "fr_FR", "tr_TR")
CLOCK_TIME = r"^([01]\d|2[0-3]):[0-5]\d$"


def known_zone(name: str) -> str:
    """The name, if it is one of a time zone."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is no time zone; write one such as Europe/Lisbon") from error
    return name


class People(Part):
    """Names and addresses of agents and customers."""

    source: Literal["frozen", "faker"] = f.choice(
        "frozen",
        "`frozen`: from lists that never change, so that the event log depends on scenario and seed alone; "
        "`faker`: from the installed version of Faker",
    )
    locales: tuple[str, ...] = f.table(
        ("en_US", "en_US", "de_DE", "es_ES", "ja_JP"),
        f"locales, repeated to weigh; frozen ones: {', '.join(FROZEN_LOCALES)}",
    )
    customers: int = f.count(0, "how many different customers there are; 0: three per agent, 150 to 2,000")


class Site(Part):
    """A place with a time zone, by whose clock its people work."""

    name: str = f.text("London", "name")
    time_zone: str = f.text("Europe/London", "IANA time zone")
    share: float = f.share(1.0, "part of the agents who work here; the shares of all sites are weighed")

    _zone = field_validator("time_zone")(known_zone)


class Team(Part):
    """Agents with like skills."""

    name: str = f.text(..., "name")
    share: float = f.share(1.0, "part of the agents; weighed")
    site: str = f.text("", "only agents of this site; empty: of all")
    skills: tuple[str, ...] = f.table((), "skills that every member has")
    some_of: tuple[str, ...] = f.table((), "skills of which every member has a few")
    some_least: int = f.count(1, "how many of them at least", least=0)
    some_most: int = f.count(3, "how many of them at most", least=0)


class Shift(Part):
    """A working time that comes back every week."""

    name: str = f.text(..., "name")
    site: str = f.text("", "only at this site; empty: at all")
    share: float = f.share(1.0, "part of the site's agents who work it; weighed")
    days: tuple[Day, ...] = f.table(_WORKING_DAYS, "days on which it begins")
    starts: str = f.text("08:00", "when it begins, by the site's clock", unit="HH:MM", pattern=CLOCK_TIME)
    hours: float = f.hours(9.0, "how long it lasts, breaks included")


class Duty(Part):
    """Something planned within a shift that takes the agent off the floor."""

    activity: str = f.text(..., "the activity that the agent sets")
    minutes: float = f.minutes(15.0, "how long it is planned to last", above_zero=True)
    at: float | None = f.share(None, "at which part of the shift it begins; left out: anywhere, agent by agent")
    share: float = f.share(1.0, "part of the shifts that have it")


class Adherence(Part):
    """How far what people do differs from what is planned."""

    absent_share: float = f.share(0.03, "shifts to which nobody comes")
    late_share: float = f.share(0.12, "shifts that begin late")
    late: Duration = f.table(LogNormal(median_s=420.0, spread=0.8), "how late")
    punctual_within_s: float = f.seconds(180.0, "who is not late logs in up to so long before the shift begins")
    leaves_early_share: float = f.share(0.03, "shifts that end early")
    leaves_early: Duration = f.table(LogNormal(median_s=900.0, spread=0.7), "how early")
    overtime_share: float = f.share(0.06, "shifts that are made longer")
    overtime: Duration = f.table(LogNormal(median_s=2400.0, spread=0.5), "by how much")
    leaves_within_s: float = f.seconds(300.0, "who does neither logs out up to so long after the end")
    logs_in_unavailable_share: float = f.share(0.3, "log-ins after which the agent first gets ready")
    duty_starts_within_s: float = f.seconds(600.0, "duties begin up to so long before or after their time")
    duty_length_spread: float = f.share(0.15, "duties are up to this part shorter or longer than planned")
    skips_duty_share: float = f.share(0.02, "duties that are not kept")
    short_pauses_per_hour: float = f.number(0.25, "unplanned pauses", "per agent and hour")
    slips_share: float = f.share(0.2, "of these: a slip of the mouse, away and back within seconds")
    changes_on_contact_share: float = f.share(0.2, "agents due for a duty who set the activity while still on a call")
    parks_chats_share: float = f.share(0.5, "agents due for a duty who go although chats are open")
    leaves_chats_at_night_share: float = f.share(0.4, "agents who log out although chats are open")


class Browser(Part):
    """What happens to agents whose browser is closed (Twilio reference 4.1)."""

    closes_per_hour: float = f.per_agent_hour(0.005, "browsers that close or are refreshed by accident")
    away: Duration = f.table(LogNormal(median_s=90.0, spread=0.6), "until the agent is back after an accident")
    forgets_log_out_share: float = f.share(0.02, "shifts at whose end the browser is closed without logging out")
    auto_offline: bool = f.flag(True, "Flex logs disconnected agents out; else their activity stays as it was")
    offline_after_s: float = f.seconds(90.0, "how long a connection must be gone for that")


class Plugin(Part):
    """The activity-handler plug-in, which mirrors reservations in pseudo-activities (Twilio reference 4.1)."""

    activity_handler: bool = f.flag(False, "whether the workspace has it")
    extends_share: float = f.share(0.0, "wrap-ups for which the agent asks for more time")
    extends_after_s: float = f.seconds(15.0, "when that is asked for")
    flaps_share: float = f.share(0.0, "agents at whose desk it flips the activity again and again (a known fault)")
    flaps_every_s: float = f.seconds(3.0, "how often", above_zero=True)
    flaps_for_s: float = f.seconds(1800.0, "for how long, from log-in on")


class Personnel(Part):
    """Who comes, goes and gets another name while the world runs; rates count for the whole workspace."""

    hires_per_day: float = f.number(0.0, "workers created", "per day")
    renames_per_day: float = f.number(0.0, "workers who get another friendly name", "per day")
    deletions_per_day: float = f.number(0.0, "workers deleted", "per day")
    deletes_at_work_share: float = f.share(0.0, "of these: deleted while logged in, perhaps with contacts open")
    deletion_stamp: Literal["now", "created"] = f.choice(
        "created", "the time in `worker.deleted`: of the deletion, or of the worker's creation as captures show it"
    )
    activity_renames_per_day: float = f.number(0.0, "times the logged-out activity gets another name", "per day")


class Administration(Part):
    """What supervisors edit."""

    attribute_updates_per_hour: float = f.per_agent_hour(0.02, "worker attributes written")
    capacity_updates_per_hour: float = f.per_agent_hour(0.01, "chat capacities changed")
