"""Duties under the manual drive and under threads: when each step is taken, what wakes it, and how it ends."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from flex_plugin_backend import ManualDrive
from flex_plugin_backend.clock import ManualClock, SystemClock
from flex_plugin_backend.flow.duty import AT_ONCE, UNTIL_WOKEN, Duty, Pause, Threads, retraced, until_done

T0 = 1_750_000_000_000


@pytest.fixture
def drive() -> ManualDrive:
    return ManualDrive(T0)


class Diary:
    """A duty that writes down when it was done and waits as its script says, the last for ever."""

    def __init__(self, drive: ManualDrive, *script: Pause | Exception | None, name: str = "diary") -> None:
        self.entries: list[int] = []
        self._drive = drive
        self._script = list(script)
        self.duty = Duty(name, self.step)
        drive.start(self.duty)

    def step(self) -> Pause | None:
        self.entries.append(self._drive.now_ms - T0)
        found = self._script.pop(0) if len(self._script) > 1 else self._script[0]
        if isinstance(found, Exception):
            raise found
        return found


def test_a_duty_is_done_at_its_own_times(drive: ManualDrive) -> None:
    """Each step happens at the instant at which it is due, however far the clock is moved at once."""
    diary = Diary(drive, Pause(10.0), Pause(0.25), Pause(60.0))
    drive.step_to(T0 + 60_000)
    assert diary.entries == [0, 10_000, 10_250]
    assert drive.now_ms == T0 + 60_000
    assert drive.next_ms() == T0 + 70_250


def test_what_is_woken_is_done_now(drive: ManualDrive) -> None:
    """A pause ends when somebody wakes the duty, at the present instant."""
    diary = Diary(drive, UNTIL_WOKEN)
    drive.step_to(T0 + 5_000)
    assert drive.next_ms() is None
    diary.duty.wake()
    assert drive.next_ms() == T0 + 5_000
    drive.step_to(T0 + 5_000)
    assert diary.entries == [0, 5_000]


def test_a_firm_pause_is_not_shortened(drive: ManualDrive) -> None:
    """A peer that asked for time gets it, whatever new work there is."""
    diary = Diary(drive, Pause(30.0, firm=True), UNTIL_WOKEN)
    drive.step_to(T0)
    diary.duty.wake()
    drive.step_to(T0 + 29_999)
    assert diary.entries == [0]
    drive.step_to(T0 + 30_000)
    assert diary.entries == [0, 30_000]


def test_duties_of_one_instant_come_in_the_order_of_their_start(drive: ManualDrive) -> None:
    """The same run gives the same order of steps."""
    order: list[str] = []

    def duty(name: str) -> Duty:
        def step() -> Pause:
            order.append(name)
            return Pause(1.0)

        return Duty(name, step)

    for name in ("one", "two", "three"):
        drive.start(duty(name))
    drive.step_to(T0 + 1_000)
    assert order == ["one", "two", "three"] * 2


def test_a_fault_is_tried_again_after_a_second(drive: ManualDrive) -> None:
    """Whatever a step raises, the duty goes on."""
    diary = Diary(drive, OSError("disk full"), AT_ONCE, UNTIL_WOKEN)
    drive.step_to(T0 + 2_000)
    assert diary.entries == [0, 1_000, 1_000]


def test_a_duty_that_is_over_is_not_done_again(drive: ManualDrive) -> None:
    """A course ends with its last step."""
    done: list[str] = []

    def course() -> object:
        done.append("first")
        yield Pause(1.0)
        done.append("second")

    duty = Duty.of_course("course", course())  # type: ignore[arg-type]
    drive.start(duty)
    drive.step_to(T0 + 10_000)
    duty.wake()
    drive.step_to(T0 + 20_000)
    assert done == ["first", "second"]
    assert drive.next_ms() is None


def test_the_parts_of_a_course_outlast_faults(drive: ManualDrive) -> None:
    """A step is repeated until it succeeds, a course from its beginning; then what follows comes."""
    done: list[str] = []
    faults = {"step": 2, "course": 1}

    def faulty(what: str) -> None:
        done.append(what)
        if faults[what]:
            faults[what] -= 1
            raise OSError("disk full")

    def part() -> object:
        done.append("part")
        yield Pause(1.0)
        faulty("course")

    def whole() -> object:
        yield from until_done(lambda: faulty("step"))
        yield from retraced(part)  # type: ignore[arg-type]
        done.append("end")

    drive.start(Duty.of_course("whole", whole()))  # type: ignore[arg-type]
    drive.step_to(T0 + 60_000)
    assert done == ["step", "step", "step", "part", "course", "part", "course", "end"]


def test_what_is_abandoned_is_not_done(drive: ManualDrive) -> None:
    """After a crash nothing happens any more, not even what was due."""
    diary = Diary(drive, Pause(1.0))
    drive.step_to(T0)
    drive.abandon()
    drive.step_to(T0 + 10_000)
    assert diary.entries == [0]


def test_the_clock_is_not_turned_back(drive: ManualDrive) -> None:
    """A time that is past is an error, not a silent nothing."""
    drive.step_to(T0 + 1)
    with pytest.raises(ValueError, match="not turned back"):
        drive.step_to(T0)


def until(condition: Callable[[], bool]) -> None:
    """Wait for what another thread does; fails after ten seconds."""
    tick = threading.Event()
    for _ in range(1_000):
        if condition():
            return
        tick.wait(0.01)
    raise AssertionError("it did not come to that")


def test_a_thread_does_the_same_steps(drive: ManualDrive) -> None:
    """The same duty under a thread: woken it is done at once, ended it is done no more."""
    done: list[int] = []

    def step() -> Pause:
        done.append(1)
        return UNTIL_WOKEN

    threads, duty = Threads(SystemClock()), Duty("duty", step, poll_s=600.0)
    threads.start(duty)
    until(lambda: len(done) == 1)
    duty.wake()
    until(lambda: len(done) == 2)
    threads.end([duty])
    duty.wake()
    assert duty.over.is_set()
    assert len(done) == 2


def test_a_thread_keeps_firm_pauses_by_its_clock() -> None:
    """A firm pause lasts until the clock has moved on; waking does not end it, the end does."""
    clock = ManualClock(T0)
    done: list[int] = []

    def step() -> Pause:
        done.append(clock.now_ms() - T0)
        return Pause(30.0, firm=True)

    threads, duty = Threads(clock), Duty("duty", step)
    threads.start(duty)
    until(lambda: done == [0])
    duty.wake()
    clock.advance(30)
    until(lambda: done == [0, 30_000])
    threads.end([duty])
    assert done == [0, 30_000]
