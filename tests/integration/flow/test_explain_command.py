"""flex-wfm explain: what it says of an agent in every situation that an operator is asked about."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from command_line import flex_wfm
from flow_bench import T0, Bench, Peer, answer
from histories import AVAILABLE, BREAK, LUNCH, OFFLINE, activity, event, reservation, task

from flex_plugin_backend.cli.moments import as_time
from flex_plugin_backend.flow.leader import FileLease, lease_path

S, MINUTE, HOUR = 1_000, 60_000, 3_600_000


def explained(bench: Bench, name: str = "WK1", at_ms: int | None = None, **more: Any) -> dict[str, str]:
    """The explanation's lines by their labels; `head` is the first, `notes` all notes."""
    words = ["explain", name, *(["--at", as_time(at_ms)] if at_ms is not None else [])]
    done = flex_wfm(bench, *words, **more)
    assert done.exit_code == 0, done.output
    head, *rest = done.output.splitlines()
    lines = {line[:10].strip(): line[11:] for line in rest if not line.startswith("note: ")}
    return {"head": head, "notes": " ".join(line for line in rest if line.startswith("note: ")), **lines}


def refused(bench: Bench, *words: str) -> str:
    """What it says where it cannot explain."""
    done = flex_wfm(bench, "explain", *words)
    assert done.exit_code == 1, done.output
    return done.output


def later(bench: Bench, at_ms: int, *events: Any) -> None:
    """Events arrive 100 ms after `at_ms`; what follows is sent another 200 ms later."""
    bench.clock.set_ms(at_ms + 100)
    bench.tell(*events)
    bench.clock.set_ms(at_ms + 300)
    bench.drain()


# -- who is meant ---------------------------------------------------------------------------------------------------


@pytest.fixture
def named(make_bench: Callable[..., Bench], peer: Peer) -> Bench:
    """Ana, in a break, is called by her friendly name in the WFM."""
    bench = make_bench(peer.url, mapping={"agent_id": "friendly_name"})
    later(bench, T0, activity(T0, BREAK, worker_name="ana@example.com"))
    return bench


@pytest.mark.parametrize("name", ["ana@example.com", "ANA@example.com", "WK1", "ana"])
def test_an_agent_is_found_by_id_sid_name_or_a_part_of_it(named: Bench, name: str) -> None:
    """Whatever its case."""
    assert explained(named, name)["head"].startswith(
        "ana@example.com (agent id ana@example.com, worker WK1, tenant acme)"
    )


def test_somebody_never_seen_is_said_to_be_so_and_near_names_are_told(named: Bench) -> None:
    """Nothing is guessed."""
    assert "Did you mean ana@example.com?" in refused(named, "anna@example.com")
    assert "1 workers are known" in refused(named, "zoe")


def test_a_name_of_several_is_listed_with_what_tells_them_apart(named: Bench) -> None:
    """The worker sid always does."""
    later(named, T0 + S, activity(T0 + S, BREAK, worker="WK2", worker_name="ana.b@example.com"))
    told = refused(named, "ana")
    assert "each of 2 workers" in told
    assert "worker WK1, tenant acme" in told
    assert "worker WK2, tenant acme" in told


def test_of_two_workers_of_one_name_the_one_that_is_left_is_meant(named: Bench) -> None:
    """A worker that is made anew in Twilio has another sid; what both were told as one agent is said."""
    later(named, T0 + MINUTE, event("worker.deleted", T0, worker_sid="WK1"))
    later(named, T0 + HOUR, activity(T0 + HOUR, AVAILABLE, worker="WK2", worker_name="ana@example.com"))
    found = explained(named, "ana@example.com")
    assert "worker WK2" in found["head"]
    assert "The same agent id is mapped to WK1" in found["notes"]
    before = explained(named, "WK2", T0 + 30 * MINUTE)
    assert before["WFM shows"].startswith("LOGOFF")
    assert "by worker WK1, which has the same agent id" in before["WFM shows"]


def test_a_former_agent_id_leads_to_the_worker(named: Bench) -> None:
    """The WFM keeps the last state under it; nobody tells it a next one."""
    later(named, T0 + MINUTE, activity(T0 + MINUTE, AVAILABLE, worker_name="ana.new"))
    found = explained(named, "ana@example.com")
    assert found["WFM shows"].startswith("UNAVAILABLE Break")
    assert "no longer told as ana@example.com but as ana.new" in found["notes"]
    assert explained(named, "ana.new")["WFM shows"].startswith("AVAILABLE")
    assert explained(named, "WK1", T0 + MINUTE)["WFM shows"].startswith("UNAVAILABLE Break")


def test_a_ledger_that_is_not_there_is_not_made(named: Bench) -> None:
    """A question changes nothing."""
    named.close()
    (named.folder / "ledger.sqlite3").unlink()
    assert "does not exist" in refused(named, "ana")
    assert not (named.folder / "ledger.sqlite3").exists()


def test_an_empty_ledger_says_what_to_check(make_bench: Callable[..., Bench]) -> None:
    """Not that the agent is unknown."""
    assert "holds no event at all" in refused(make_bench(), "ana")


def test_events_that_nobody_applied_yet_are_told(make_bench: Callable[..., Bench]) -> None:
    """A ledger that only takes in: no connector has worked on it."""
    bench = make_bench()
    bench.store([activity(T0, AVAILABLE, worker_name="ana")])
    assert "1 events are stored, but no connector has applied them" in refused(bench, "ana")


# -- why it shows what it shows -------------------------------------------------------------------------------------


def test_a_state_that_arrived_is_followed_from_the_event_to_the_answer(bench: Bench) -> None:
    """In ten lines."""
    later(bench, T0, activity(T0, OFFLINE, worker_name="ana"))
    done = flex_wfm(bench, "explain", "ana")
    assert len(done.output.splitlines()) == 10
    found = explained(bench)
    assert found["WFM shows"].startswith("LOGOFF since")
    assert found["agent is"].endswith("as the WFM shows")
    assert found["event"].startswith("worker.activity.update EV")
    assert found["rule"].startswith("4, logged out: activity Abgemeldet (WA0) is the logged-out one")
    assert found["mapping"].startswith("OFFLINE -> LOGOFF, no reason (contract profile default)")
    assert found["received"].endswith("100 ms after it happened")
    assert found["delivered"].endswith("200 ms after it was received")
    assert found["answer"] == '200 to 1 state: {"message": "taken"}'


def test_each_rule_is_named_with_what_makes_it_hold(bench: Bench) -> None:
    """One contact from ring to wrap-up, before it and after it."""
    later(bench, T0, activity(T0, AVAILABLE))
    for minute, step in enumerate(("created", "accepted", "wrapup", "completed"), start=1):
        later(bench, T0 + minute * MINUTE, reservation(step, T0 + minute * MINUTE))
    later(bench, T0 + 5 * MINUTE, activity(T0 + 5 * MINUTE, BREAK))
    later(bench, T0 + 6 * MINUTE, reservation("created", T0 + 6 * MINUTE, 2, direction="outbound"))
    rules = [explained(bench, at_ms=T0 + minute * MINUTE + 200)["rule"] for minute in range(7)]
    assert [rule.partition(":")[0] for rule in rules] == [
        "5, available",
        "3, reserved",
        "1, on a contact",
        "2, wrap-up",
        "5, available",
        "6, unavailable, with its reason",
        "3b, dialling",
    ]
    assert "the inbound voice reservation WR1 of task WT1 is accepted" in rules[2]
    assert "outbound voice reservation WR2" in rules[6]
    assert rules[4].endswith("no reservation is open")


def test_the_distant_past_is_explained_as_well(bench: Bench) -> None:
    """Memory has let go of the contact; the event log has not."""
    later(bench, T0, activity(T0, AVAILABLE))
    later(bench, T0 + MINUTE, reservation("accepted", T0 + MINUTE))
    later(bench, T0 + 2 * MINUTE, reservation("completed", T0 + 2 * MINUTE))
    for hours in range(1, 30):
        at_ms = T0 + hours * HOUR
        later(bench, at_ms, activity(at_ms, BREAK if hours % 2 else AVAILABLE))
    found = explained(bench, at_ms=T0 + MINUTE + S)
    assert "reservation WR1 of task WT1 is accepted" in found["rule"]
    assert explained(bench, at_ms=T0 + S)["rule"].startswith("5, available: activity Available (WA1)")


def test_a_state_that_waits_says_how_many_are_before_it(bench: Bench, peer: Peer) -> None:
    """The WFM is away: it shows the state before."""
    later(bench, T0, activity(T0, AVAILABLE), activity(T0, BREAK, worker="WK2"))
    bench.clock.set_ms(T0 + MINUTE)
    bench.tell(activity(T0 + 30 * S, LUNCH, worker="WK2"), activity(T0 + MINUTE, OFFLINE))
    peer.then(answer(503))
    assert bench.forwarder.step()
    found = explained(bench)
    assert found["WFM shows"].startswith("AVAILABLE")
    assert found["agent is"].endswith("the WFM has not been told yet")
    assert found["delivered"] == "not yet; it waits, 1 state before it"
    assert "No connector works on this ledger" in found["notes"]
    lease = FileLease(lease_path(bench.ledger.path, "acme"))
    assert lease.acquire()
    assert "A connector works on this ledger; flex-wfm health tells" in explained(bench)["notes"]
    lease.release()


def test_a_state_of_the_moment_before_the_delivery_was_not_shown_yet(bench: Bench) -> None:
    """The WFM is right later; at the time in question it was not."""
    later(bench, T0, activity(T0, AVAILABLE))
    later(bench, T0 + MINUTE, activity(T0 + MINUTE, BREAK))
    found = explained(bench, at_ms=T0 + MINUTE + 50)
    assert found["WFM shows"].startswith("AVAILABLE")
    assert found["agent is"].endswith("the WFM was told later")
    assert found["received"].endswith("the time in question was over")


def test_a_worker_without_an_agent_id_is_a_dead_letter_with_a_remedy(make_bench: Callable[..., Bench]) -> None:
    """What is missing is named."""
    bench = make_bench(mapping={"agent_id": "attribute:wfm.id"})
    bench.tell(activity(T0, BREAK, worker_name="ana"))
    found = explained(bench, "ana")
    assert found["WFM shows"] == "nothing: the worker has no agent id"
    assert found["mapping"] == "none: the worker's attributes hold nothing at the configured path"
    assert "dead letter 1" in found["delivered"]
    assert "sent by itself once it has a name" in found["notes"]


def test_an_activity_that_is_in_no_catalogue_is_held(bench: Bench) -> None:
    """It cannot be told whether it is available."""
    later(bench, T0, activity(T0, AVAILABLE))
    later(bench, T0 + MINUTE, activity(T0 + MINUTE, "WA9"))
    found = explained(bench)
    assert found["WFM shows"].startswith("AVAILABLE")
    assert found["rule"].startswith("-, held: the activity is not in the catalogue: activity WA9")
    assert "not in Twilio's catalogue" in found["delivered"]


def test_a_refused_state_shows_the_answer_and_the_way_on(bench: Bench, peer: Peer) -> None:
    """The dead letter's number is that of the commands."""
    later(bench, T0, activity(T0, AVAILABLE))
    peer.then(answer(422, {"message": "unknown agent"}))
    later(bench, T0 + MINUTE, activity(T0 + MINUTE, BREAK))
    found = explained(bench)
    assert found["agent is"].endswith("the WFM refused it")
    assert "unknown agent" in found["answer"]
    assert found["answer"].startswith("422")
    assert "flex-wfm dead-letters show 2" in found["notes"]


def test_a_state_that_was_over_before_it_could_be_told_says_so(bench: Bench, peer: Peer) -> None:
    """The WFM was away for an hour; asked about the time in between, the catch-up rule is the answer."""
    later(bench, T0, activity(T0, AVAILABLE))
    bench.clock.set_ms(T0 + 5 * MINUTE)
    bench.tell(activity(T0 + 5 * MINUTE, BREAK))
    bench.clock.set_ms(T0 + HOUR)
    bench.tell(activity(T0 + 50 * MINUTE, LUNCH))
    bench.drain()
    found = explained(bench, at_ms=T0 + 10 * MINUTE)
    assert found["WFM shows"].startswith("AVAILABLE")
    assert found["agent is"].endswith("the WFM was not told, because it was over")
    assert found["delivered"] == "not; skipped: superseded during an outage"


def test_the_present_state_that_was_repeated_after_an_outage_is_told_apart(bench: Bench) -> None:
    """It began long ago and was told again."""
    later(bench, T0, activity(T0, BREAK))
    bench.clock.set_ms(T0 + HOUR)
    bench.projector.repeat_present_states()
    bench.drain()
    found = explained(bench)
    assert found["WFM shows"].endswith("again, as the present state")
    assert found["agent is"].endswith("as the WFM shows")
    assert found["delivered"].endswith("200 ms after it was received")


def test_a_state_that_came_to_be_known_too_late_says_so(bench: Bench) -> None:
    """An event that arrives after a later state of the agent was told."""
    later(bench, T0, activity(T0, AVAILABLE))
    later(bench, T0 + 10 * MINUTE, activity(T0 + 10 * MINUTE, LUNCH))
    bench.clock.set_ms(T0 + 12 * MINUTE)
    bench.tell(activity(T0 + 5 * MINUTE, BREAK))
    bench.drain()
    found = explained(bench, at_ms=T0 + 6 * MINUTE)
    assert found["WFM shows"].startswith("AVAILABLE")
    assert found["agent is"].endswith("because it came to be known too late")
    assert "it became known after a later state" in found["delivered"]
    assert "7 min 0 s after it happened" in found["received"]


def test_a_state_that_never_was_is_said_to_be_so(bench: Bench) -> None:
    """A late event takes back what the WFM had been told."""
    later(bench, T0, activity(T0, AVAILABLE), reservation("accepted", T0 + S))
    later(bench, T0 + MINUTE, activity(T0 + MINUTE, BREAK))
    later(bench, T0 + 2 * MINUTE, reservation("completed", T0 + 2 * MINUTE))
    told_ms = bench.clock.now_ms()
    bench.clock.set_ms(T0 + 5 * MINUTE)
    bench.tell(activity(T0 + 110 * S, LUNCH))
    found = explained(bench, at_ms=told_ms)
    assert found["WFM shows"].startswith("UNAVAILABLE Break")
    assert found["agent is"].startswith("UNAVAILABLE Lunch since")
    assert found["agent is"].endswith("what the WFM shows turned out never to have been")
    assert found["answer"].startswith("none; to what it shows: 200")


def test_a_deleted_worker_is_logged_out_by_its_deletion(bench: Bench) -> None:
    """Whatever stamp the deletion bears."""
    later(bench, T0, activity(T0, AVAILABLE), reservation("accepted", T0 + S))
    later(bench, T0 + MINUTE, event("worker.deleted", T0 - HOUR, worker_sid="WK1"))
    found = explained(bench)
    assert "deleted in Twilio" in found["head"]
    assert found["rule"].startswith("4, logged out: deleted")
    assert found["event"].startswith("worker.deleted")


# -- states without an event of their own ---------------------------------------------------------------------------


def test_the_end_of_a_task_that_ends_its_contact_is_named(bench: Bench) -> None:
    """The reservation's own end never came."""
    later(bench, T0, activity(T0, AVAILABLE), reservation("accepted", T0 + S))
    later(bench, T0 + MINUTE, task("completed", T0 + MINUTE))
    bench.clock.set_ms(T0 + 2 * MINUTE)
    bench.project()
    found = explained(bench)
    assert found["event"].startswith("task.completed")
    assert "task_end_grace_s" in found["event"]


def test_wrap_up_that_was_cut_has_no_event(bench: Bench) -> None:
    """The cap is the cause."""
    later(bench, T0, activity(T0, AVAILABLE), reservation("wrapup", T0 + S))
    bench.clock.set_ms(T0 + 2 * HOUR)
    bench.project()
    found = explained(bench)
    assert found["event"] == "no event: wrap-up of WR1 had lasted wrap_up_cap_s (3600 s)"
    assert found["received"].startswith("no event; recorded at")


def test_a_lost_change_is_told_by_the_next_one(bench: Bench) -> None:
    """Its slice is filled in from the next event's previous activity."""
    later(bench, T0, activity(T0, AVAILABLE))
    back = activity(T0 + HOUR, LUNCH, previous_activity_sid=BREAK, previous_activity_ms=30 * MINUTE)
    later(bench, T0 + HOUR, back)
    found = explained(bench, at_ms=T0 + 40 * MINUTE)
    assert found["agent is"].startswith("UNAVAILABLE Break since")
    assert "its own event never came" in found["event"]


def test_an_event_that_retention_took_is_said_to_be_gone(bench: Bench) -> None:
    """The state is still known."""
    later(bench, T0, activity(T0, AVAILABLE))
    with bench.ledger.write() as connection:
        connection.exec_driver_sql("DELETE FROM events")
    assert "does not hold any more" in explained(bench)["event"]


def test_what_is_stored_and_not_applied_is_a_note(bench: Bench) -> None:
    """The state shown may be about to change."""
    later(bench, T0, activity(T0, AVAILABLE))
    bench.store([activity(T0 + S, BREAK)])
    assert "1 event of this worker stored and not applied yet" in explained(bench)["notes"]


def test_a_parked_chat_that_does_not_count_is_named(make_bench: Callable[..., Bench], peer: Peer) -> None:
    """With parked_messaging = activity the activity wins; the setting is in the answer."""
    bench = make_bench(peer.url, states={"parked_messaging": "activity"})
    later(bench, T0, activity(T0, AVAILABLE), reservation("accepted", T0 + S, task_channel="chat"))
    later(bench, T0 + MINUTE, activity(T0 + MINUTE, OFFLINE))
    found = explained(bench, more='[tenants.acme.states]\nparked_messaging = "activity"\n')
    assert found["rule"].endswith("its open chat contact WR1 does not count (parked_messaging = activity)")


def test_an_activity_that_a_setting_renames_is_said_to_be_so(bench: Bench) -> None:
    """The settings of now, and what was told under those of then."""
    later(bench, T0, activity(T0, LUNCH))
    found = explained(bench, more='[tenants.acme.mapping.activities.Lunch]\nevent_id = "MEAL"\n')
    assert "-> MEAL, reason Lunch (the setting [mapping.activities] for Lunch)" in found["mapping"]
    assert "when it was told it was UNAVAILABLE Lunch" in found["mapping"]


# -- other forms ----------------------------------------------------------------------------------------------------


def test_json_holds_the_same_and_the_three_times(bench: Bench) -> None:
    """For those who ask by program."""
    later(bench, T0, activity(T0, AVAILABLE), reservation("accepted", T0 + 50))
    found = json.loads(flex_wfm(bench, "explain", "WK1", "--json").output)
    assert (found["worker_sid"], found["agrees"], found["known_as"]) == ("WK1", True, "CONTACT")
    assert found["wfm_shows"]["event_id"] == "CONTACT_VOICE"
    assert [found[name] for name in ("happened", "received", "delivered")] == [
        as_time(T0 + 50),
        as_time(T0 + 100),
        as_time(T0 + 300),
    ]
    assert found["open"][0]["sid"] == "WR1"
    assert found["rule"]["number"] == "1"


@pytest.mark.parametrize("words", [["--at", "soon"], ["--at", as_time(T0 + HOUR)], ["--tenant", "other"]])
def test_what_cannot_be_asked_is_a_usage_error(bench: Bench, words: list[str]) -> None:
    """Not a time; a time that has not come; a tenant that is not there."""
    assert flex_wfm(bench, "explain", "WK1", *words).exit_code == 2


def test_before_a_worker_was_first_seen_nothing_is_known(bench: Bench) -> None:
    """And that is said, with the time from which on something is."""
    later(bench, T0, activity(T0, AVAILABLE))
    found = explained(bench, at_ms=T0 - HOUR)
    assert found["WFM shows"].startswith("nothing")
    assert f"began at {as_time(T0)[11:]}" in found["agent is"]
