"""What there is to do: channels, queues, arrival curves, and what customers and agents do with a contact."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from simulator.world.scenario import fields as f
from simulator.world.scenario.durations import Duration, Exponential, LogNormal, Weibull
from simulator.world.scenario.fields import Part
from simulator.world.scenario.people import CLOCK_TIME, Day

Medium = Literal["voice", "chat", "sms", "web", "email", "fax"]
_Factor = Annotated[float, Field(ge=0)]

_OFFICE_HOURS = (
    0.01, 0.0, 0.0, 0.0, 0.0, 0.0, 0.02, 0.30, 0.80, 1.10, 1.25, 1.20,
    1.00, 0.95, 1.10, 1.05, 0.95, 0.75, 0.40, 0.20, 0.05, 0.02, 0.01, 0.01,
)  # fmt: skip
_WEEK = (1.1, 1.0, 1.0, 0.95, 0.95, 0.3, 0.2)


class Curve(Part):
    """How busy it is by weekday and hour, by a local clock; 1 is the rate that the channel states."""

    hours: tuple[_Factor, ...] = Field(
        default=_OFFICE_HOURS,
        description="factor at each full hour, 00:00 first; straight lines in between",
        min_length=24,
        max_length=24,
    )
    weekdays: tuple[_Factor, ...] = Field(
        default=_WEEK, description="factor of each weekday, Monday first", min_length=7, max_length=7
    )

    @classmethod
    def flat(cls) -> Curve:
        """As busy at night as by day."""
        return cls(hours=(1.0,) * 24, weekdays=(1.0,) * 7)


class Channel(Part):
    """One medium: how often it is used, how long contacts take, how patient customers are."""

    per_agent_hour: float = f.per_agent_hour(0.0, "inbound contacts where the curve is 1")
    task_channel: str = f.text("default", "TaskRouter's channel of its tasks")
    also_task_channel: str = f.text("", "another channel on which some of them arrive")
    also_share: float = f.share(0.0, "how many")
    capacity: int = f.count(1, "how many of its tasks an agent takes at once", least=1)
    curve: Curve = f.table(Curve(), "when contacts come")
    talk: Duration = f.table(LogNormal(median_s=300.0, spread=0.6), "from acceptance to wrap-up")
    wrap_up: Duration = f.table(LogNormal(median_s=12.0, spread=0.7), "from wrap-up to completion")
    patience: Duration = f.table(LogNormal(median_s=400.0, spread=0.7), "after so long the customer leaves the queue")
    redials_share: float = f.share(0.0, "customers who gave up and try again, each time")
    redials_after: Duration = f.table(LogNormal(median_s=240.0, spread=0.8), "how much later")


class Voice(Channel):
    """Inbound calls."""

    per_agent_hour: float = f.per_agent_hour(2.6, "inbound contacts where the curve is 1")
    task_channel: str = f.text("voice", "TaskRouter's channel of its tasks")
    talk: Duration = f.table(LogNormal(median_s=210.0, spread=0.6), "from acceptance to wrap-up")
    wrap_up: Duration = f.table(LogNormal(median_s=30.0, spread=0.7), "from wrap-up to completion")
    patience: Duration = f.table(Weibull(scale_s=260.0, shape=0.9), "after so long the customer leaves the queue")
    redials_share: float = f.share(0.3, "customers who gave up and try again, each time")


class Chat(Channel):
    """Messages in a chat window."""

    per_agent_hour: float = f.per_agent_hour(1.0, "inbound contacts where the curve is 1")
    task_channel: str = f.text("chat", "TaskRouter's channel of its tasks")
    capacity: int = f.count(3, "how many of its tasks an agent takes at once", least=1)
    talk: Duration = f.table(LogNormal(median_s=420.0, spread=0.6), "from acceptance to wrap-up")
    patience: Duration = f.table(Exponential(mean_s=500.0), "after so long the customer leaves the queue")


class Sms(Channel):
    """Text messages; some conversations arrive on the chat channel, depending on how Flex was set up."""

    per_agent_hour: float = f.per_agent_hour(0.7, "inbound contacts where the curve is 1")
    task_channel: str = f.text("sms", "TaskRouter's channel of its tasks")
    also_task_channel: str = f.text("chat", "another channel on which some of them arrive")
    also_share: float = f.share(0.3, "how many")
    capacity: int = f.count(3, "how many of its tasks an agent takes at once", least=1)
    talk: Duration = f.table(LogNormal(median_s=480.0, spread=0.6), "from acceptance to wrap-up")
    wrap_up: Duration = f.table(LogNormal(median_s=8.0, spread=0.7), "from wrap-up to completion")
    patience: Duration = f.table(LogNormal(median_s=3600.0, spread=0.7), "after so long the customer leaves the queue")


class Web(Channel):
    """Messages from a web page."""

    per_agent_hour: float = f.per_agent_hour(0.6, "inbound contacts where the curve is 1")
    task_channel: str = f.text("chat", "TaskRouter's channel of its tasks")
    capacity: int = f.count(3, "how many of its tasks an agent takes at once", least=1)
    talk: Duration = f.table(LogNormal(median_s=360.0, spread=0.6), "from acceptance to wrap-up")
    patience: Duration = f.table(Exponential(mean_s=450.0), "after so long the customer leaves the queue")


class Email(Channel):
    """Mail as tasks; the WFM takes no such contacts, so they are not reportable."""

    task_channel: str = f.text("email", "TaskRouter's channel of its tasks")
    talk: Duration = f.table(LogNormal(median_s=540.0, spread=0.7), "from acceptance to wrap-up")
    patience: Duration = f.table(LogNormal(median_s=28_800.0, spread=0.5), "after so long it is withdrawn")


class Fax(Channel):
    """Faxes as tasks; not reportable either."""

    task_channel: str = f.text("fax", "TaskRouter's channel of its tasks")
    talk: Duration = f.table(LogNormal(median_s=240.0, spread=0.5), "from acceptance to wrap-up")
    patience: Duration = f.table(LogNormal(median_s=28_800.0, spread=0.5), "after so long it is withdrawn")


class Channels(Part):
    """The media; a table changes what it names and leaves the rest."""

    voice: Voice = f.table(Voice(), "calls")
    chat: Chat = f.table(Chat(), "chats")
    sms: Sms = f.table(Sms(), "text messages")
    web: Web = f.table(Web(), "web messages")
    email: Email = f.table(Email(), "mail, not reportable")
    fax: Fax = f.table(Fax(), "fax, not reportable")

    def of(self, medium: str) -> Channel:
        """The table of a medium."""
        found: Channel = getattr(self, medium)
        return found


class Queue(Part):
    """A queue in which customers of one channel wait for agents with one skill."""

    name: str = f.text(..., "name")
    skill: str = f.text(..., "the skill that an agent must have")
    channel: Medium = f.choice("voice", "whose contacts wait here")
    weight: float = f.number(1.0, "part of the channel's contacts; weighed", "1")
    site: str = f.text("", "by whose clock its contacts come; empty: the first site's")
    priority: int = f.count(0, "TaskRouter's priority of its tasks")
    offers: int = f.count(1, "to how many agents a task is offered at once", least=1, most=50)
    talk: Duration | None = f.table(None, "instead of the channel's")
    wrap_up: Duration | None = f.table(None, "instead of the channel's")
    patience: Duration | None = f.table(None, "instead of the channel's")
    overflow_to: str = f.text("", "queue to which a task moves when it has waited too long")
    overflow_after_s: float = f.seconds(120.0, "how long that is", above_zero=True)
    overflow_event: Literal["moved", "timeout"] = f.choice(
        "timeout", "how TaskRouter tells it: `task-queue.moved` or `task-queue.timeout`"
    )
    timeout_s: float = f.seconds(0.0, "after so long in this queue, its last, the workflow cancels the task; 0: never")


class Spike(Part):
    """A time at which far more contacts come."""

    starts: str = f.text(..., "when, by the clock of the queue's site", unit="HH:MM", pattern=CLOCK_TIME)
    minutes: float = f.minutes(30.0, "how long", above_zero=True)
    factor: float = f.number(3.0, "how many times as many", "1")
    days: tuple[Day, ...] = f.table((), "on which days; empty: on all")
    channels: tuple[Medium, ...] = f.table((), "of which channels; empty: of all")


class Outage(Part):
    """A time at which the platform fails: agents are thrown out, calls drop, customers cannot get in."""

    starts_min: float = f.minutes(..., "when, counted from the world's birth")
    minutes: float = f.minutes(20.0, "how long", above_zero=True)
    site: str = f.text("", "only agents of this site; empty: of all")
    disconnects_share: float = f.share(0.8, "agents who lose their connection")
    arrivals_factor: float = f.number(0.1, "contacts that still come", "1")
    echo_factor: float = f.number(2.5, "how many times as many come for as long afterwards", "1")


class Answering(Part):
    """What agents do when something rings."""

    answers: Duration = f.table(LogNormal(median_s=4.0, spread=0.5), "until they answer or refuse")
    timeout_s: float = f.seconds(25.0, "TaskRouter's reservation timeout", above_zero=True)
    times_out_share: float = f.share(0.015, "offers that nobody reacts to")
    rejects_share: float = f.share(0.015, "offers that are rejected")
    rejects_by_leaving_share: float = f.share(0.01, "offers that are refused by setting an unavailable activity")
    hangs_up_ringing_share: float = f.share(0.01, "customers who hang up just when it rings")


class WrapUp(Part):
    """What agents do when a contact is over."""

    skips_share: float = f.share(0.02, "contacts completed without wrap-up")
    forgets_share: float = f.share(0.01, "wrap-ups that nobody closes for long")
    forgotten: Duration = f.table(LogNormal(median_s=700.0, spread=0.5), "how long that is")
    never_closes_share: float = f.share(0.0, "contacts that stay open until TaskRouter deletes the task after 24 hours")


class Transfers(Part):
    """Contacts that one agent hands to another."""

    channels: tuple[Medium, ...] = f.table(("voice",), "of which channels")
    to_queue_share: float = f.share(0.03, "contacts handed to another queue")
    to_worker_share: float = f.share(0.03, "contacts handed to a colleague")
    warm_to_queue_share: float = f.share(0.1, "of the former: the first agent stays until somebody answers")
    cold_to_worker_share: float = f.share(0.2, "of the latter: the first agent leaves at once")
    recalled_share: float = f.share(0.05, "transfers that the first agent takes back before anybody answers")
    after_share: float = f.share(0.33, "after which part of the talk")
    overlap: Duration = f.table(LogNormal(median_s=22.0, spread=0.7), "how long both agents talk in a warm transfer")
    then_share: float = f.share(0.5, "how long the second talk is, as a part of the first")


class Hold(Part):
    """Customers on hold; TaskRouter does not tell of it, conference events do (Twilio reference 2.3)."""

    share: float = f.share(0.2, "calls with a hold")
    again_share: float = f.share(0.3, "holds that are followed by another")
    lasts: Duration = f.table(LogNormal(median_s=40.0, spread=0.7), "how long one is")


class Callbacks(Part):
    """What callers do instead of waiting; the task that calls them back is assumed to look like an inbound call."""

    requested_share: float = f.share(0.12, "callers who lose patience and ask to be called back")
    voicemail_share: float = f.share(0.08, "callers who lose patience and leave a message")
    after: Duration = f.table(LogNormal(median_s=900.0, spread=0.6), "until the task that calls them back is created")


class Outbound(Part):
    """What agents begin themselves."""

    per_agent_hour: float = f.per_agent_hour(0.35, "outbound contacts where voice's curve is 1")
    by_text_share: float = f.share(0.15, "of these: text messages")
    from_unavailable_share: float = f.share(0.15, "of these: dialled by somebody who is not available")
    rings: Duration = f.table(LogNormal(median_s=12.0, spread=0.4), "how long the customer's phone rings")
    answered_share: float = f.share(0.75, "calls that are answered")


class Internal(Part):
    """Calls between agents; each side has a task of its own."""

    per_agent_hour: float = f.per_agent_hour(0.1, "calls where voice's curve is 1")
    talk: Duration = f.table(LogNormal(median_s=75.0, spread=0.6), "how long they talk")
    wrap_up: Duration = f.table(LogNormal(median_s=4.0, spread=0.5), "wrap-up of each side")


class Direct(Part):
    """Inbound calls for one certain agent: tasks with a routing target and without a queue."""

    per_agent_hour: float = f.per_agent_hour(0.0, "calls where voice's curve is 1")
