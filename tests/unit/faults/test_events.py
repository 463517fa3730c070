"""Faults of events: what each makes of an hour of letters."""

from __future__ import annotations

from collections import Counter
from urllib.parse import parse_qsl

import pytest

from simulator.faults.board import Board
from simulator.faults.fault import LetterFault
from simulator.faults.letter import Letter
from simulator.faults.registry import all_faults, read_fault
from simulator.twilio.emitter import EmitterSettings
from simulator.twilio.form import CallbackForm
from simulator.twilio.signing import SIGNATURE_HEADER, SigningKey, signature
from simulator.twilio.target import CallbackTarget

URL = "http://127.0.0.1/twilio/demo/events"
KEY = SigningKey("f" * 32)
OF_EVENTS = sorted(name for name, kind in all_faults().items() if issubclass(kind, LetterFault))


def struck(letters: list[Letter], name: str, **more: object) -> list[Letter]:
    """What arrives where a fault strikes a fifth of the letters."""
    board = Board(7)
    board.set([read_fault({"fault": name, "share": 0.2, **more})], letters[0].at_ms)
    return [arriving for letter in letters for arriving in board.letters(letter)]


def sent(letter: Letter) -> tuple[dict[str, str], str | None]:
    """The parameters of a letter's request, and its signature."""
    sender = EmitterSettings(
        callback_url=URL, account_sid="AC1", workspace_sid="WS1", workspace_name="W", key=KEY, events_filter=""
    )
    body, headers = CallbackForm(CallbackTarget.parse(URL), sender).render_letter(letter)
    return dict(parse_qsl(body.decode(), keep_blank_values=True)), headers.get(SIGNATURE_HEADER)


@pytest.mark.parametrize("name", OF_EVENTS)
def test_the_same_seed_does_the_same(letters: list[Letter], name: str) -> None:
    """Letter for letter; another seed does something else."""
    assert struck(letters, name) == struck(letters, name)
    assert struck(letters, name) != letters


@pytest.mark.parametrize("name", [name for name in OF_EVENTS if name != "drop"])
def test_no_event_is_lost_but_by_the_fault_that_loses(letters: list[Letter], name: str) -> None:
    """Every event still arrives, and none before it happened."""
    arriving = struck(letters, name)
    assert {one.event.sid for one in arriving} == {one.event.sid for one in letters}
    assert all(one.at_ms >= one.event.at_ms for one in arriving)


def test_about_the_share_is_struck(letters: list[Letter]) -> None:
    """A fifth of the letters comes twice, or not at all."""
    twice = Counter(one.event.sid for one in struck(letters, "duplicate"))
    assert sum(number == 2 for number in twice.values()) == pytest.approx(len(letters) / 5, rel=0.3)
    assert len(struck(letters, "drop")) == pytest.approx(len(letters) * 4 / 5, rel=0.1)


@pytest.mark.parametrize(("name", "least_s", "most_s"), [("delay", 60, 3600), ("reorder", 0, 20), ("replayed", 5, 9)])
def test_what_is_late_is_late_within_its_bounds(
    letters: list[Letter], name: str, least_s: float, most_s: float
) -> None:
    """Neither sooner nor later."""
    more = {} if name != "replayed" else {"least_s": 5.0, "most_s": 9.0}
    late = [one.at_ms - one.event.at_ms for one in struck(letters, name, **more) if one.at_ms != one.event.at_ms]
    assert late
    assert all(least_s * 1000 <= one <= most_s * 1000 for one in late)


def test_a_burst_comes_at_once(letters: list[Letter]) -> None:
    """What is held back arrives at whole minutes only."""
    arriving = struck(letters, "burst", share=1.0)
    assert all(one.at_ms % 60_000 == 0 for one in arriving)
    assert max(Counter(one.at_ms for one in arriving).values()) > 5


def test_windows_times_and_skips_bound_a_fault(letters: list[Letter]) -> None:
    """It strikes within its window only, not the first ones it is told to skip, and not more often than it may."""
    board = Board()
    table = {"fault": "drop", "from_minutes": 10.0, "minutes": 20.0, "skip": 5, "times": 3}
    board.set([read_fault(table)], letters[0].at_ms)
    lost = [letter for letter in letters if not board.letters(letter)]
    within = [one for one in letters if 600_000 <= one.at_ms - letters[0].at_ms < 1_800_000]
    assert lost == within[5:8]


def test_a_right_letter_is_signed_right_and_a_spoilt_one_is_not(letters: list[Letter]) -> None:
    """Who has no key cannot sign; whatever else is wrong with a request, its signature fits what it says."""
    for name in OF_EVENTS:
        for letter in struck(letters, name)[:50]:
            parameters, signed = sent(letter)
            fits = signed == signature(KEY.secret, URL, parameters)
            assert fits == (letter.signing == "right"), name
            assert (signed is None) == (letter.signing == "missing")


def test_what_is_made_up_has_a_sid_of_its_own_and_says_something_else(letters: list[Letter]) -> None:
    """Forged and foreign events would take a worker off the floor if they were believed."""
    for name in ("forged", "other-account"):
        lies = [sent(one)[0] for one in struck(letters, name) if not one.tells]
        assert lies
        assert {one["Sid"] for one in lies}.isdisjoint({one.event.sid for one in letters})
        assert any(one["EventType"] == "worker.deleted" for one in lies)
        foreign = [one for one in lies if (one["AccountSid"], one["WorkspaceSid"]) != ("AC1", "WS1")]
        assert len(foreign) == (len(lies) if name == "other-account" else 0)


def test_missing_keys_and_milliseconds_are_really_missing(letters: list[Letter]) -> None:
    """Only keys that Twilio does not promise vanish."""
    whole = {one.event.sid: sent(one)[0] for one in letters}
    promised = ("EventType", "AccountSid", "WorkspaceSid", "ResourceType", "ResourceSid", "Timestamp", "TimestampMs")
    for name, key in (("missing-keys", "Sid"), ("seconds-only", "TimestampMs")):
        spoilt = [(whole[one.event.sid], sent(one)[0]) for one in struck(letters, name) if not one.is_plain]
        assert any(key not in parameters for _, parameters in spoilt)
        for before, after in spoilt:
            assert after.items() <= before.items()
            if name == "missing-keys":
                assert set(promised) <= after.keys()


def test_chance_is_drawn_by_each_fault_alone(letters: list[Letter]) -> None:
    """Another fault on the board does not change which letters this one strikes."""
    alone, together = Board(3), Board(3)
    alone.set([read_fault({"fault": "duplicate", "share": 0.2})], letters[0].at_ms)
    both = [{"fault": "duplicate", "share": 0.2}, {"fault": "reorder", "share": 0.5}]
    together.set(map(read_fault, both), letters[0].at_ms)
    assert [len(alone.letters(one)) for one in letters] == [len(together.letters(one)) for one in letters]
