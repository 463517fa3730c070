"""Control faces over HTTP: pages, and answers that are not as agreed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_httpserver import HTTPServer

from simulator.harness import ControlFailed
from simulator.harness.faces import Face, inbox_rows


@pytest.fixture
def face(httpserver: HTTPServer) -> Iterator[Face]:
    """A face on a server of the test's own."""
    with Face("the fake WFM", httpserver.url_for("")) as face:
        yield face


def test_every_page_of_the_inbox_is_read(httpserver: HTTPServer, face: Face) -> None:
    """Reading goes on until a page is empty, so no row can be overlooked."""
    pages = {"0": ([{"seq": 1}, {"seq": 2}], 2), "2": ([{"seq": 3}], 3), "3": ([], 3)}
    for after, (rows, following) in pages.items():
        httpserver.expect_request("/sim/inbox/states", query_string={"after": after}).respond_with_json(
            {"rows": rows, "next": following}
        )
    assert [row["seq"] for row in inbox_rows(face)] == [1, 2, 3]


def test_an_inbox_that_does_not_go_on_is_an_error(httpserver: HTTPServer, face: Face) -> None:
    """A page that points to itself must not be read for ever."""
    httpserver.expect_request("/sim/inbox/states").respond_with_json({"rows": [{"seq": 1}], "next": 0})
    with pytest.raises(ControlFailed, match="does not go on"):
        inbox_rows(face)


@pytest.mark.parametrize(("status", "body"), [(500, "{}"), (200, "[]"), (200, "hello")])
def test_an_answer_that_is_not_as_agreed_is_an_error(
    httpserver: HTTPServer, face: Face, status: int, body: str
) -> None:
    """A failure, a list or plain text is named with server and address."""
    httpserver.expect_request("/sim/status").respond_with_data(body, status=status)
    with pytest.raises(ControlFailed, match="the fake WFM: GET /sim/status"):
        face.get("/sim/status")


def test_a_server_that_is_not_there_is_an_error() -> None:
    """A refused connection is the same kind of error."""
    with Face("the floor", "http://127.0.0.1:9") as face, pytest.raises(ControlFailed, match="the floor"):
        face.get("/sim/status")
