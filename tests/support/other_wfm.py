"""A WFM endpoint of another make than the fake: hand-written, it knows nothing of profiles, rules or schemas."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

ACCESS_KEY, SECRET_KEY = "OTHERKEY====", "OTHERSECRET===="
LIFE_S = 2

Check = Callable[[Any], bool]


def _text(value: Any) -> bool:
    return isinstance(value, str) and value.strip() != ""


def _any_text(value: Any) -> bool:
    return isinstance(value, str)


def _count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _instant(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", value) is not None


def _quarter(value: Any) -> bool:
    return _instant(value) and int(value[14:16]) % 15 == 0 and value[17:23] == "00.000"


def _listed(row: dict[str, Check]) -> Check:
    def check(value: Any) -> bool:
        return isinstance(value, list)

    check.row = row  # type: ignore[attr-defined]
    return check


_EVENTS = {"READY", "UNAVAILABLE", "RESERVED", "DIALLING", "WRAPUP", "LOGOFF", "LUNCH"}
_EVENTS |= {f"CONTACT_{name}" for name in ("VOICE", "CHAT", "SMS", "WEB", "OUTBOUND", "INTERNAL", "OTHER")}


def _event(value: Any) -> bool:
    return isinstance(value, str) and value in _EVENTS


_HEAD = {"acdType": _text, "reportVersion": _text, "startDate": _quarter, "endDate": _quarter}
_FORMS: dict[str, dict[str, Check]] = {
    "/asc/v2/states": {
        "acdType": _text,
        "agentStates": _listed(
            {"loginId": _text, "userId": _text, "stateCode": _event, "eventReason": _any_text, "startTime": _instant}
        ),
    },
    "/v1/reports/agent-activity": {
        **_HEAD,
        "reportData": _listed(
            {
                "agentValue": _text,
                "agentId": _text,
                "eventId": _event,
                "eventReason": _any_text,
                "startTime": _instant,
                "endTime": _instant,
                "duration": _count,
            }
        ),
    },
    "/v1/reports/queue": {
        **_HEAD,
        "queueReport": _listed(
            {"queueId": _text}
            | dict.fromkeys(("contactsReceived", "contactsHandled", "contactsAbandoned"), _count)
            | dict.fromkeys(("contactsAnsweredInSL", "contactsAbandonedInSL"), _count)
            | dict.fromkeys(("handleTime", "workTime", "queueDelay"), _count)
        ),
        "agentQueueReport": _listed(
            {"queueId": _text, "agentId": _text} | dict.fromkeys(("contactsHandled", "handleTime", "workTime"), _count)
        ),
        "agentSystemPerformanceReport": _listed(
            {"agentId": _text}
            | dict.fromkeys(("internalCalls", "internalTime", "readyTime", "idleTime"), _count)
            | dict.fromkeys(("outCalls", "outTime", "loginTime"), _count)
        ),
    },
}


class OtherWfm:
    """The endpoint, with switches for what it does wrong.

    Attributes:
        takes_all: nothing is ever refused.
        names_nothing: refusals do not say which field is wrong.
        partial: bad states are refused one by one.
        seen: method and path of each request.
        agents: every agent id that was sent.
    """

    def __init__(self, server: HTTPServer) -> None:
        self.takes_all = self.names_nothing = self.partial = False
        self.seen: list[tuple[str, str]] = []
        self.agents: set[str] = set()
        self._tokens: dict[str, float] = {}
        self._refresh: set[str] = set()
        self._given = 0
        server.expect_request(re.compile(".*")).respond_with_handler(self.answer)
        self.url = server.url_for("")

    def answer(self, request: Request) -> Response:
        self.seen.append((request.method, request.path))
        if request.path == "/v1/authentication/token":
            return self._log_in(request)
        if request.path == "/v1/authentication/refresh":
            return self._again(request)
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if self._tokens.get(bearer, 0.0) < time.monotonic():
            return _json(401, {"error": "Unauthorized", "message": "no valid token"})
        if request.path == "/v1/acd-details":
            return _json(200, {"acdType": "OTHER"})
        body = _body(request)
        if not isinstance(body, dict):
            return _json(400, {"message": "a JSON object is wanted"})
        return self._take(request.path, body)

    def _log_in(self, request: Request) -> Response:
        body = _body(request)
        pair = body.get("accessKeyTokenRequest") if isinstance(body, dict) else None
        if pair != {"accessKeyId": ACCESS_KEY, "accessKeySecret": SECRET_KEY}:
            return _json(401, {"error": "Unauthorized", "message": "who are you"})
        access, refresh = self._grant()
        return _json(200, {"access_token": access, "refresh_token": refresh, "expires_in": LIFE_S})

    def _again(self, request: Request) -> Response:
        body = _body(request)
        old = body.get("token") if isinstance(body, dict) else None
        if old not in self._refresh:
            return _json(401, {"error": "Unauthorized", "message": "no such refresh token"})
        self._refresh.discard(old)
        access, refresh = self._grant()
        return _json(200, {"token": access, "refreshToken": refresh, "tokenExpirationTimeSec": LIFE_S})

    def _grant(self) -> tuple[str, str]:
        self._given += 1
        access, refresh = f"access-{self._given}", f"refresh-{self._given}"
        self._tokens[access] = time.monotonic() + LIFE_S
        self._refresh.add(refresh)
        return access, refresh

    def _take(self, path: str, body: dict[str, Any]) -> Response:
        if path == "/v1/heartbeat":
            return _json(200, {"code": "OK"})
        form = _FORMS[path]
        self._note_agents(body)
        wrong = [name for name, check in form.items() if name not in body or not check(body[name])]
        rows: dict[int, str] = {}
        for name, check in form.items():
            for number, row in enumerate(body[name] if name not in wrong and hasattr(check, "row") else ()):
                wanted: dict[str, Check] = check.row  # type: ignore[attr-defined]
                given = row if isinstance(row, dict) else {}
                bad = [field for field, test in wanted.items() if field not in given or not test(given[field])]
                if bad:
                    rows.setdefault(number, bad[0])
        if self.takes_all or not (wrong or rows):
            return _json(200, {"code": "OK", "message": "thank you"})
        if self.partial and not wrong and path == "/asc/v2/states" and len(rows) < len(body["agentStates"]):
            rejected = [{"index": number, "message": f"{name} is wrong"} for number, name in rows.items()]
            return _json(200, {"code": "PARTIAL", "rejectedRows": rejected})
        names = ", ".join([*wrong, *rows.values()])
        return _json(422, {"message": "something is wrong" if self.names_nothing else f"wrong: {names}"})

    def _note_agents(self, body: dict[str, Any]) -> None:
        for value in body.values():
            for row in value if isinstance(value, list) else ():
                for name in ("loginId", "agentId"):
                    if isinstance(row, dict) and isinstance(row.get(name), str):
                        self.agents.add(row[name])


def _body(request: Request) -> Any:
    try:
        return json.loads(request.get_data())
    except ValueError:
        return None


def _json(status: int, body: dict[str, Any]) -> Response:
    stamped = {**body, "at": datetime.now(UTC).isoformat()}
    return Response(json.dumps(stamped), status=status, mimetype="application/json")
