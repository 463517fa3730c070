"""The reporter on a real ledger: every interval once, in order, over restarts and outages; again where it changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from flow_bench import T0, Bench
from histories import AVAILABLE, BREAK, activity, reservation, task

from flex_plugin_backend.domain.intervals import INTERVAL_MS, owner
from flex_plugin_backend.flow.reporter import Report
from flex_plugin_backend.ledger import receipts
from flex_plugin_backend.wfm.dto import AgentActivityReportDTO, RejectedRow, ReportDTO, WFMReportResponseDTO
from flex_plugin_backend.wfm.exceptions import CXoneWfmException, FailureKind

BEGIN = owner(T0).next.start_ms
MINUTE = 60_000
DELAY_S = 120
CORRECT_S = 300


class Inbox:
    """The WFM's end: keeps what it accepts, fails as told."""

    def __init__(self) -> None:
        self.held: list[Report] = []
        self.failures: list[CXoneWfmException] = []
        self.answer = WFMReportResponseDTO(status=200)

    def __call__(self, report: Report) -> WFMReportResponseDTO:
        if self.failures:
            raise self.failures.pop(0)
        self.held.append(report)
        return self.answer

    def starts(self, kind: type[Report]) -> list[int]:
        """The intervals of one kind in order of arrival, counted from the first."""
        return [(one.start_ms - BEGIN) // INTERVAL_MS for one in self.held if isinstance(one, kind)]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A tenant at T0 whose reporter has begun."""
    bench = Bench(tmp_path)
    bench.tenant.reporter.begin()
    yield bench
    bench.close()


@pytest.fixture
def inbox(bench: Bench) -> Inbox:
    """What the WFM gets."""
    return connect(bench, Inbox())


def connect(bench: Bench, inbox: Inbox) -> Inbox:
    """Let the reporter of this bench talk to this inbox."""
    bench.tenant.reporter._send = inbox
    return inbox


def failing(kind: FailureKind, operation: str = "queue_report", **more: float) -> CXoneWfmException:
    """What the SDK raises."""
    return CXoneWfmException(kind=kind, operation=operation, problem="for a test", **more)


def pass_to(bench: Bench, at_ms: int) -> float:
    """The clock comes to an instant, and the reporter has its turn."""
    bench.clock.set_ms(at_ms)
    bench.project()
    return turn(bench)


def turn(bench: Bench) -> float:
    """The reporter steps until it has to wait; returns the seconds."""
    while not (wait_s := bench.tenant.reporter.step()):
        pass
    return wait_s


def look_again(bench: Bench) -> None:
    """The time comes to look for what has changed since it was sent."""
    pass_to(bench, bench.clock.now_ms() + CORRECT_S * 1000)


def call(at_ms: int, number: int = 1) -> list[object]:
    """A call of ten minutes with a minute of wrap-up, after 20 seconds in the queue."""
    queue = {"task_queue_sid": "WQ1", "task_queue_name": "Support"}
    entered = task("created", at_ms, number, task_channel="voice", direction="inbound")
    entered = entered.from_record({**entered.to_record(), "type": "task-queue.entered", **queue})
    return [
        entered,
        reservation("created", at_ms + 10_000, number, **queue),
        reservation("accepted", at_ms + 20_000, number, **queue),
        reservation("wrapup", at_ms + 10 * MINUTE, number, **queue),
        reservation("completed", at_ms + 11 * MINUTE, number, **queue),
        task("completed", at_ms + 11 * MINUTE, number),
    ]


def test_nothing_is_sent_before_the_interval_has_ended_and_the_delay_is_over(bench: Bench, inbox: Inbox) -> None:
    """The step says how long there is to wait; what late events have changed is looked for meanwhile."""
    assert pass_to(bench, BEGIN + INTERVAL_MS + (DELAY_S - 1) * 1000) == 1.0
    assert inbox.held == []
    assert pass_to(bench, BEGIN + INTERVAL_MS + DELAY_S * 1000) == CORRECT_S - 1
    assert inbox.starts(AgentActivityReportDTO) == inbox.starts(ReportDTO) == [0]


def test_an_interval_without_activity_arrives_with_empty_arrays(bench: Bench, inbox: Inbox) -> None:
    """Present, and empty."""
    pass_to(bench, BEGIN + INTERVAL_MS + DELAY_S * 1000)
    activities, queues = inbox.held
    assert isinstance(activities, AgentActivityReportDTO)
    assert isinstance(queues, ReportDTO)
    assert activities.report_data == ()
    assert (queues.queue_report, queues.agent_queue_report, queues.agent_system_performance_report) == ((), (), ())
    assert queues.to_plain()["agent_queue_report"] == ()


def test_a_handled_call_is_in_the_interval_where_it_ended_with_all_of_its_figures(bench: Bench, inbox: Inbox) -> None:
    """10 minutes less 20 s of wait is 9:40 of talk, and 1:00 of wrap-up: 640 s; it ends in the second interval."""
    bench.tell(activity(T0, AVAILABLE), *call(BEGIN + 10 * MINUTE))
    pass_to(bench, BEGIN + 2 * INTERVAL_MS + DELAY_S * 1000)
    first, second = [one for one in inbox.held if isinstance(one, ReportDTO)]
    assert [row.contacts_handled for row in first.queue_report] == []
    (queue,) = second.queue_report
    assert (queue.queue_id, queue.contacts_received, queue.contacts_handled) == ("WQ1", 1, 1)
    assert (queue.handle_time_s, queue.work_time_s, queue.queue_delay_s) == (640, 60, 20)
    (share,) = second.agent_queue_report
    assert (share.agent_id, share.contacts_handled, share.handle_time_s) == ("WK1", 1, 640)
    # Ready from the start to the ringing at 10:10: 610 s; then busy.
    (performance,) = first.agent_system_performance_report
    assert (performance.login_time_s, performance.ready_time_s, performance.idle_time_s) == (900, 610, 0)


def test_activity_is_booked_where_it_ends_whole(bench: Bench, inbox: Inbox) -> None:
    """A break from before the first interval that ends in the second is one row there, from its very start."""
    bench.tell(activity(T0, BREAK), activity(BEGIN + 20 * MINUTE, AVAILABLE))
    pass_to(bench, BEGIN + 2 * INTERVAL_MS + DELAY_S * 1000)
    first, second = [one for one in inbox.held if isinstance(one, AgentActivityReportDTO)]
    assert first.report_data == ()
    (row,) = second.report_data
    assert (row.event_id, row.event_reason, row.start_ms, row.end_ms) == (
        "UNAVAILABLE",
        "Break",
        T0,
        BEGIN + 20 * MINUTE,
    )


def test_no_interval_is_skipped_over_days_and_the_oldest_goes_first(bench: Bench, inbox: Inbox) -> None:
    """Three days without the connector: 288 intervals, each once, in order."""
    pass_to(bench, BEGIN + 288 * INTERVAL_MS + DELAY_S * 1000)
    assert inbox.starts(ReportDTO) == inbox.starts(AgentActivityReportDTO) == list(range(288))


def test_a_restart_neither_repeats_nor_skips(bench: Bench, inbox: Inbox) -> None:
    """The receipts are in the ledger; a failure between the two kinds of an interval leaves only the other to send."""
    inbox.failures = []
    pass_to(bench, BEGIN + 2 * INTERVAL_MS + DELAY_S * 1000)
    bench.restart()
    connect(bench, inbox)
    bench.tenant.reporter.begin()
    pass_to(bench, BEGIN + 3 * INTERVAL_MS + DELAY_S * 1000)
    assert inbox.starts(ReportDTO) == inbox.starts(AgentActivityReportDTO) == [0, 1, 2]


def test_a_clock_that_jumps_back_sends_nothing_twice(bench: Bench, inbox: Inbox) -> None:
    """What has a receipt stays sent."""
    pass_to(bench, BEGIN + 4 * INTERVAL_MS + DELAY_S * 1000)
    pass_to(bench, BEGIN + 2 * INTERVAL_MS)
    pass_to(bench, BEGIN + 5 * INTERVAL_MS + DELAY_S * 1000)
    assert inbox.starts(ReportDTO) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("failure", "waits"),
    [
        (lambda: failing(FailureKind.PASSING), lambda wait_s: 0.5 <= wait_s <= 1.0),
        (lambda: failing(FailureKind.PASSING, retry_after_s=40.0), lambda wait_s: wait_s == 40.0),
        (lambda: failing(FailureKind.UNAUTHORIZED), lambda wait_s: wait_s == 300.0),
        (lambda: failing(FailureKind.CONTENT, operation="token"), lambda wait_s: wait_s == 300.0),
    ],
)
def test_a_report_that_cannot_be_sent_is_sent_later(
    bench: Bench, inbox: Inbox, failure: Callable[[], CXoneWfmException], waits: Callable[[float], bool]
) -> None:
    """Passing trouble with growing pauses, what needs a human slowly; the order stays."""
    inbox.failures = [failure()]
    assert waits(pass_to(bench, BEGIN + 2 * INTERVAL_MS + DELAY_S * 1000))
    assert inbox.held == []
    assert bench.tenant.reporter.problem
    turn(bench)
    assert inbox.starts(ReportDTO) == inbox.starts(AgentActivityReportDTO) == [0, 1]
    assert bench.tenant.reporter.problem is None


def test_a_report_that_the_wfm_refuses_is_noted_and_the_next_ones_go_on(bench: Bench, inbox: Inbox) -> None:
    """The receipt holds the answer."""
    inbox.failures = [failing(FailureKind.CONTENT, "agent_activity")]
    pass_to(bench, BEGIN + INTERVAL_MS + DELAY_S * 1000)
    assert inbox.starts(AgentActivityReportDTO) == []
    assert inbox.starts(ReportDTO) == [0]
    with bench.ledger.read() as connection:
        first = receipts.find(connection, "acme", "activity", BEGIN)
    assert first is not None
    assert first.status is receipts.ReceiptStatus.REFUSED
    assert "for a test" in (first.note or "")


def test_rows_that_the_wfm_refuses_are_noted_on_the_receipt(bench: Bench, inbox: Inbox) -> None:
    """The rest was taken."""
    inbox.answer = WFMReportResponseDTO(status=200, rejected=(RejectedRow(index=0, message="no such queue"),))
    pass_to(bench, BEGIN + INTERVAL_MS + DELAY_S * 1000)
    with bench.ledger.read() as connection:
        first = receipts.find(connection, "acme", "queue", BEGIN)
    assert first is not None
    assert first.note == "1 rows were refused"
    assert first.status is receipts.ReceiptStatus.PARTIAL


class Refusing(Inbox):
    """Refuses the first queue report, whole or its first row, and notes in which minute it was asked."""

    def __init__(self, bench: Bench, *, whole: bool) -> None:
        super().__init__()
        self._bench = bench
        self._whole = whole
        self.refuses = True
        self.asked: list[int] = []

    def __call__(self, report: Report) -> WFMReportResponseDTO:
        if isinstance(report, ReportDTO) and report.start_ms == BEGIN:
            self.asked.append((self._bench.clock.now_ms() - BEGIN) // MINUTE)
            if self.refuses and self._whole:
                raise failing(FailureKind.CONTENT, "queue_report")
            if self.refuses:
                return WFMReportResponseDTO(status=200, rejected=(RejectedRow(index=0),))
        return super().__call__(report)


@pytest.mark.parametrize("whole", [True, False])
def test_what_the_wfm_refused_is_sent_again_after_a_rest_until_it_is_taken(bench: Bench, whole: bool) -> None:
    """A refusal may pass like any other trouble; the pauses grow with the report's age, and what is taken rests."""
    inbox = Refusing(bench, whole=whole)
    connect(bench, inbox)
    for minute in range(17, 180):
        pass_to(bench, BEGIN + minute * MINUTE)
    pauses = [later - earlier for earlier, later in pairwise(inbox.asked)]
    assert 3 <= len(pauses) <= 8
    assert pauses == sorted(pauses)
    inbox.refuses = False
    pass_to(bench, BEGIN + 400 * MINUTE)
    with bench.ledger.read() as connection:
        taken = receipts.find(connection, "acme", "queue", BEGIN)
    assert taken is not None
    assert (taken.status, taken.revision, taken.note) == (receipts.ReceiptStatus.ACCEPTED, 1, None)
    often = len(inbox.asked)
    pass_to(bench, BEGIN + 1_000 * MINUTE)
    assert len(inbox.asked) == often


def test_a_late_event_sends_its_interval_again_with_a_higher_revision_and_no_other(bench: Bench, inbox: Inbox) -> None:
    """A break that was told hours late changes the activity and queue report of its interval, once."""
    bench.tell(activity(T0, AVAILABLE), activity(BEGIN + 100 * MINUTE, AVAILABLE))
    pass_to(bench, BEGIN + 8 * INTERVAL_MS + DELAY_S * 1000)
    sent = len(inbox.held)
    bench.tell(activity(BEGIN + 20 * MINUTE, BREAK), activity(BEGIN + 25 * MINUTE, AVAILABLE))
    assert bench.tenant.reporter.waiting() == 2
    look_again(bench)
    again = [(type(one), (one.start_ms - BEGIN) // INTERVAL_MS) for one in inbox.held[sent:]]
    assert again == [(AgentActivityReportDTO, 1), (ReportDTO, 1)]
    with bench.ledger.read() as connection:
        found = receipts.find(connection, "acme", "queue", BEGIN + INTERVAL_MS)
        untouched = receipts.find(connection, "acme", "queue", BEGIN + 3 * INTERVAL_MS)
    assert found is not None
    assert untouched is not None
    assert (found.revision, untouched.revision) == (2, 1)
    assert not found.dirty
    sent = len(inbox.held)
    look_again(bench)
    assert len(inbox.held) == sent


def test_a_late_contact_is_booked_where_it_ended(bench: Bench, inbox: Inbox) -> None:
    """The events of a whole call arrive hours later; its interval is sent again with it."""
    bench.tell(activity(T0, AVAILABLE))
    pass_to(bench, BEGIN + 8 * INTERVAL_MS + DELAY_S * 1000)
    bench.tell(*call(BEGIN + 10 * MINUTE))
    look_again(bench)
    newest = {one.start_ms: one for one in inbox.held if isinstance(one, ReportDTO)}
    handled = {
        (start_ms - BEGIN) // INTERVAL_MS: [row.contacts_handled for row in one.queue_report]
        for start_ms, one in newest.items()
    }
    assert handled[1] == [1]
    assert all(rows == [] for number, rows in handled.items() if number != 1)


def test_what_is_older_than_the_days_of_correction_stays_as_it_was(tmp_path: Path) -> None:
    """A setting; here one day."""
    bench = Bench(tmp_path, reports={"correct_for_days": 1})
    bench.tenant.reporter.begin()
    inbox = connect(bench, Inbox())
    bench.tell(activity(T0, AVAILABLE))
    pass_to(bench, BEGIN + 2 * 96 * INTERVAL_MS + DELAY_S * 1000)
    sent = len(inbox.held)
    bench.tell(*call(BEGIN + 10 * MINUTE))
    look_again(bench)
    again = {(one.start_ms - BEGIN) // INTERVAL_MS for one in inbox.held[sent:]}
    assert all(number >= 96 for number in again)
    bench.close()


def test_the_same_events_in_any_order_give_the_same_bytes(tmp_path: Path) -> None:
    """Arrival order leaves no trace in the reports."""
    events = [
        activity(T0, AVAILABLE),
        *call(BEGIN + MINUTE, 1),
        activity(BEGIN + 13 * MINUTE, BREAK),
        *call(BEGIN + 2 * MINUTE, 2),
    ]
    held: list[list[str]] = []
    for number, order in enumerate((events, events[::-1], [*events[3:], *events])):
        folder = tmp_path / str(number)
        folder.mkdir()
        bench = Bench(folder)
        bench.tenant.reporter.begin()
        inbox = connect(bench, Inbox())
        for one in order:
            bench.tell(one)
        pass_to(bench, BEGIN + 2 * INTERVAL_MS + DELAY_S * 1000)
        held.append([one.model_dump_json() for one in inbox.held])
        bench.close()
    assert held[0] == held[1] == held[2]


def test_a_start_that_moves_within_its_second_is_not_sent_again(bench: Bench, inbox: Inbox) -> None:
    """The WFM sees whole seconds: what it could not tell apart is no revision."""
    bench.tell(
        activity(T0, AVAILABLE), activity(BEGIN + 20 * MINUTE + 700, BREAK), activity(BEGIN + 25 * MINUTE, AVAILABLE)
    )
    pass_to(bench, BEGIN + 3 * INTERVAL_MS + DELAY_S * 1000)
    sent = len(inbox.held)
    bench.tell(activity(BEGIN + 20 * MINUTE + 300, BREAK))
    assert bench.tenant.reporter.waiting() == 2
    look_again(bench)
    assert len(inbox.held) == sent
    assert bench.tenant.reporter.waiting() == 0
