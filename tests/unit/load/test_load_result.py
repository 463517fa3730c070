"""What a run's figures mean: the verdict, the exit code, and the words for it."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from load_results import MISSING, load_result, records_of
from rich.console import Console

from simulator.audit import Counts
from simulator.cli.load_output import Ticker, show_load
from simulator.load.page import page_of
from simulator.load.records import Failure, Records
from simulator.load.result import Ending, LoadResult
from simulator.load.run import LoadProgress
from simulator.load.sender import Pulse


def shown(result: LoadResult) -> str:
    console = Console(file=io.StringIO(), width=160)
    show_load(result, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


BUSY = Pulse(wall_s=1.0, cpu_s=0.99)


@pytest.mark.parametrize(
    ("given", "ending", "words"),
    [
        ({}, Ending.CLEAN, "CLEAN  Every callback was taken, and the WFM holds what happened."),
        ({"counts": None}, Ending.CLEAN, "What became of it was not judged (--wfm)."),
        ({"records": records_of(refused=3)}, Ending.NOT_CLEAN, "3 of 200 callbacks were not taken: 3 x 503"),
        ({"records": records_of(lost=2)}, Ending.NOT_CLEAN, f"2 x {Failure.LOST.words}"),
        ({"counts": MISSING}, Ending.NOT_CLEAN, "states at the WFM: 1 missing"),
        ({"counts": Counts()}, Ending.NOT_CLEAN, "no state was expected at the WFM"),
        ({"records": Records(), "counts": None}, Ending.NOT_CLEAN, "no callback was due, so nothing was proved"),
        ({"pulse": BUSY}, Ending.GENERATOR_TOO_SLOW, "THE GENERATOR IS THE BOTTLENECK: it used 99% of a processor"),
        ({"records": records_of(late_s=0.2)}, Ending.GENERATOR_TOO_SLOW, "after their time"),
        ({"interrupted": True}, Ending.INTERRUPTED, "INTERRUPTED"),
        ({"clock_step_ms": -30.0}, Ending.CLEAN, "the machine's clock was set by -30.0 ms"),
    ],
    ids=lambda value: value.name if isinstance(value, Ending) else "",
)
def test_every_ending_is_told(given: dict[str, Any], ending: Ending, words: str) -> None:
    """By exit code, in the text, on the page and in the JSON."""
    result = load_result(**given)
    assert result.ending is ending
    text = shown(result)
    assert words in text
    assert ("Repeat it: flex-wfm-sim load" in text) == (ending is not Ending.CLEAN)
    body = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert body["exit_code"] == ending
    assert body["clean"] == (ending is Ending.CLEAN)
    assert "Plotly.newPlot" in page_of(result)


def test_a_bottleneck_does_not_hide_what_was_lost() -> None:
    """Where both are so, the exit code is that of the loss, and both are told."""
    result = load_result(records_of(refused=1), pulse=BUSY)
    assert result.ending is Ending.NOT_CLEAN
    assert "BOTTLENECK" in shown(result)
    assert "NOT CLEAN" in shown(result)


def test_a_refused_signature_has_a_hint() -> None:
    """What is most often wrong is said."""
    records = records_of(3)
    for number in range(3):
        records.status[number] = 403
    assert "is --auth-token its own" in shown(load_result(records, counts=None))


def test_no_secret_is_in_the_result() -> None:
    """Neither the token nor what is made with it."""
    from simulator.load.plan import LoadPlan

    result = load_result(plan=LoadPlan(target="http://127.0.0.1:1/x", auth_token="very-secret"))
    assert "very-secret" not in json.dumps(result.to_dict()) + page_of(result) + shown(result) + repr(result.plan)


def test_progress_is_a_line_now_and_then_where_nobody_watches() -> None:
    """One per phase, and no more than one each few seconds while callbacks are sent."""
    out = io.StringIO()
    with Ticker(out) as ticker:
        for progress in (
            LoadProgress("floor"), LoadProgress("running", 0.1, 5, 1), LoadProgress("running", 0.2, 6, 0),
            LoadProgress("auditing"),
        ):  # fmt: skip
            ticker.tell(progress)
    assert out.getvalue().splitlines() == [
        "building the floor", "sending   10%  5 due, 1 unanswered", "comparing with the truth",
    ]  # fmt: skip
