"""Reads the events of a workspace from Twilio's REST API, window by window."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from twilio.base.exceptions import TwilioException, TwilioRestException  # type: ignore[import-untyped]
from twilio.http.http_client import TwilioHttpClient  # type: ignore[import-untyped]
from twilio.rest import Client  # type: ignore[import-untyped]

from simulator.recording.writer import Heard

_WINDOW = timedelta(minutes=15)
_PAGE = 1000
_TIMEOUT_S = 30.0


class HistoryError(Exception):
    """Twilio did not give the events, and why."""


class _Elsewhere(TwilioHttpClient):  # type: ignore[misc]
    """The official client's transport, pointed at another host."""

    def __init__(self, base_url: str) -> None:
        super().__init__(timeout=_TIMEOUT_S)
        self._base = urlsplit(base_url)

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        parts = urlsplit(url)
        address = urlunsplit((self._base.scheme, self._base.netloc, parts.path, parts.query, ""))
        return super().request(method, address, *args, **kwargs)


class History:
    """The events of one workspace.

    Args:
        username, password: account sid and auth token, or an API key and its secret.
        api_base_url: another host instead of Twilio's, for a simulated workspace.
    """

    def __init__(
        self, *, account_sid: str, workspace_sid: str, username: str, password: str, api_base_url: str = ""
    ) -> None:
        transport = _Elsewhere(api_base_url) if api_base_url else TwilioHttpClient(timeout=_TIMEOUT_S)
        self._client = Client(username, password, account_sid, http_client=transport)
        self._workspace = self._client.taskrouter.v1.workspaces(workspace_sid)

    def offline_activity_sid(self) -> str:
        """The logged-out activity by Flex's configuration."""
        return str(_asked(lambda: self._client.flex_api.v1.configuration().fetch()).taskrouter_offline_activity_sid)

    def events(self, start: datetime, end: datetime) -> Iterator[Heard]:
        """Every event of the time, window by window; within one in order of time. Raises HistoryError.

        `EndDate` is inclusive and both dates are whole seconds (Twilio reference 3.3), so windows touch and an event
        may come twice.
        """
        at = start
        while at < end:
            until = min(at + _WINDOW, end)
            rows = _asked(lambda: self._workspace.events.list(start_date=at, end_date=until, page_size=_PAGE))  # noqa: B023
            yield from sorted((_heard(row) for row in rows), key=lambda one: one.ms)
            at = until


def _heard(row: Any) -> Heard:
    ms = row.event_date_ms
    if ms is None:
        ms = round(row.event_date.replace(tzinfo=row.event_date.tzinfo or UTC).timestamp() * 1000)
    data = {key: value for key, value in (row.event_data or {}).items() if not key.startswith("workspace_")}
    return Heard(str(row.sid), str(row.event_type), int(ms), str(row.resource_type or ""), str(row.resource_sid), data)


def _asked(ask: Any) -> Any:
    try:
        return ask()
    except TwilioRestException as error:
        raise HistoryError(f"Twilio answered {error.status}: {error.msg}") from error
    except TwilioException as error:
        status = getattr(error.args[1], "status_code", "") if len(error.args) > 1 else ""
        raise HistoryError(f"Twilio answered {status or error}") from error
    except OSError as error:
        raise HistoryError(f"Twilio could not be reached: {error}") from error
