"""Fixtures: a tenant on the bench and a scripted WFM."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flow_bench import Bench, Peer
from pytest_httpserver import HTTPServer
from repair_site import Site


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


@pytest.fixture
def make_site(tmp_path: Path) -> Iterator[Callable[..., Site]]:
    """Builds sites and closes them."""
    made: list[Site] = []

    def make(**rules: Any) -> Site:
        made.append(Site(tmp_path / f"{len(made)}.sqlite3", **rules))
        return made[-1]

    yield make
    for one in made:
        one.ledger.close()


@pytest.fixture
def site(make_site: Callable[..., Site]) -> Site:
    """A site with the usual rules."""
    return make_site()
