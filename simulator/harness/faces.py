"""The control faces of the running servers, read over HTTP."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

import httpx

from simulator.harness.errors import ControlFailed

_TIMEOUT_S = 20.0


class Face:
    """One server's JSON over HTTP; anything but a 2xx with an object in it is ControlFailed."""

    def __init__(self, name: str, base_url: str) -> None:
        self.name = name
        self.base_url = base_url.rstrip("/")
        # trust_env off: a proxy meant for the internet must not swallow a loopback address.
        self._http = httpx.Client(base_url=self.base_url, timeout=_TIMEOUT_S, trust_env=False)

    def get(self, path: str, **params: int | str) -> dict[str, Any]:
        """GET a JSON object."""
        return self._ask("GET", path, params=params)

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """POST a JSON object and give the answer; an empty answer is an empty object."""
        return self._ask("POST", path, json=body)

    def _ask(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        try:
            answer = self._http.request(method, path, **request)
            answer.raise_for_status()
            body = answer.json() if answer.content else {}
        except (httpx.HTTPError, ValueError) as error:
            raise ControlFailed(f"{self.name}: {method} {path}: {error}") from error
        if not isinstance(body, dict):
            raise ControlFailed(f"{self.name}: {method} {path}: the answer is no JSON object")
        return body

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()


def inbox_rows(wfm: Face) -> list[dict[str, Any]]:
    """Every agent state the WFM has accepted, however many pages that takes."""
    rows: list[dict[str, Any]] = []
    after = 0
    while True:
        page = wfm.get("/sim/inbox/states", after=after)
        if not page["rows"]:
            return rows
        rows.extend(page["rows"])
        if page["next"] <= after:
            raise ControlFailed(f"{wfm.name}: the inbox does not go on after {after}")
        after = page["next"]
