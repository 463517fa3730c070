"""Spans of time keep every instant: joined, cut, covered and uncovered, in memory and in the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flex_plugin_backend.domain.spans import Span, first_piece, joined, last_piece, without
from flex_plugin_backend.ledger import spans as span_rows
from flex_plugin_backend.ledger.store import Ledger

TENANT = "acme"


@st.composite
def a_span(draw: st.DrawFn) -> Span:
    start_ms = draw(st.integers(0, 60))
    return Span(start_ms, start_ms + draw(st.integers(1, 20)))


SPANS = st.lists(a_span(), max_size=8)


def instants(*spans: Span) -> set[int]:
    return {at for one in spans for at in range(one.start_ms, one.end_ms)}


@given(SPANS)
def test_joined_spans_hold_the_same_instants_and_stand_apart(spans: list[Span]) -> None:
    """Nothing is added or lost, and there is a hole between any two."""
    found = joined(spans)
    assert instants(*found) == instants(*spans)
    assert all(one.end_ms < other.start_ms for one, other in pairwise(found))


@given(a_span(), SPANS)
def test_what_is_not_covered_and_what_is_make_the_whole(span: Span, covered: list[Span]) -> None:
    """Each instant of the span is on exactly one side."""
    assert instants(*without(span, covered)) == instants(span) - instants(*covered)


@given(a_span(), st.integers(1, 30))
def test_pieces_lie_at_the_ends_and_are_no_longer_than_asked(span: Span, length_ms: int) -> None:
    """Taking first pieces until nothing is left goes through the whole span; a cut lies on the grid."""
    last = last_piece(span, length_ms)
    assert (last.end_ms, last.length_ms) == (span.end_ms, min(length_ms, span.length_ms))
    rest, pieces = [span], []
    while rest:
        pieces.append(first_piece(rest[0], length_ms))
        rest = without(span, pieces)
    assert instants(*pieces) == instants(span)
    assert all(one.length_ms <= length_ms for one in pieces)
    assert all(one.end_ms % length_ms == 0 for one in pieces[:-1])


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """One ledger for all examples."""
    found = Ledger(f"sqlite:///{tmp_path_factory.mktemp('spans') / 'l.sqlite3'}")
    yield found
    found.close()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.booleans(), a_span()), max_size=12))
def test_the_ledger_keeps_what_was_covered_and_not_uncovered(ledger: Ledger, steps: list[tuple[bool, Span]]) -> None:
    """Whatever the order, the rows are the instants that stand, in as few spans as possible."""
    standing: set[int] = set()
    with ledger.write() as connection:
        span_rows.forget(connection, TENANT, span_rows.VERIFIED)
        span_rows.cover(connection, TENANT, [Span(0, 99)], "another purpose")
        for covers, span in steps:
            if covers:
                span_rows.cover(connection, TENANT, [span])
                standing |= instants(span)
            else:
                span_rows.uncover(connection, TENANT, span)
                standing -= instants(span)
        found = span_rows.covered(connection, TENANT)
        assert span_rows.covered(connection, TENANT, "another purpose") == [Span(0, 99)]
    assert instants(*found) == standing
    assert found == joined(found)
