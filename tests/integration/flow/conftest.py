"""Fixtures: a tenant on the bench and a scripted WFM."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flow_bench import Bench, Peer
from pytest_httpserver import HTTPServer


@pytest.fixture
def peer(httpserver: HTTPServer) -> Peer:
    """A WFM that answers by script."""
    return Peer(httpserver)


@pytest.fixture
def make_bench(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    """Builds benches and closes them."""
    made: list[Bench] = []

    def make(*args: Any, **settings: Any) -> Bench:
        made.append(Bench(tmp_path, *args, **settings))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def bench(make_bench: Callable[..., Bench], peer: Peer) -> Bench:
    """A tenant with the usual settings before the scripted WFM."""
    return make_bench(peer.url)
