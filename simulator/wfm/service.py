"""FakeWfm: the operations of the fake CXone WFM, free of HTTP."""

from __future__ import annotations

import hmac
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from flex_plugin_backend.wfm.contract import Finding, Profile, Severity, load_profile
from simulator.clock import VirtualClock
from simulator.faults.board import Board
from simulator.wfm.inbox import Inbox
from simulator.wfm.options import WfmOptions
from simulator.wfm.replies import Reply, accepted, spring_error, validation_error
from simulator.wfm.tokens import Grant, TokenBook

# The list whose rows can be refused one by one, per payload.
_ROWS = {"AgentStateListDTO": "agent_states", "AgentActivityReportDTO": "report_data"}
_STATE = ("agent_id", "agent_value", "event_id", "event_reason", "start_ms")
_REPORT_KINDS = {"agent_activity": "agent_activity", "queue_report": "queue"}

# Of so many good rows, the positions of those that are refused all the same.
Refuses = Callable[[int], list[int]]


class FakeWfm:
    """One fake WFM; safe to use from many threads.

    Args:
        options: its settings.
        now_ms: replaces the clock of the options, for tests.
    """

    def __init__(self, options: WfmOptions, now_ms: Callable[[], int] | None = None) -> None:
        self.options = options
        self.profile: Profile = load_profile(options.profile)
        self.inbox = Inbox(options.inbox_limit)
        self.faults = Board(options.seed)
        self.partial = options.partial
        self._given_now_ms = now_ms
        self._clock: VirtualClock | None = None
        if options.start_ms is not None and options.anchor_ms is not None and options.speed is not None:
            self._clock = VirtualClock(options.start_ms, options.anchor_ms, options.speed)
        limits = self.profile.limits
        self.tokens = TokenBook(self.now_ms, limits.token_life_s, limits.refresh_token_life_s)
        fields = self.profile.dto("AgentState").fields
        self._state_wires = [fields[name].wire if name in fields else "" for name in _STATE]
        self._beat_lock = threading.Lock()
        self._last_beat: dict[str, float] = {}

    def now_ms(self) -> int:
        """The WFM's time: as given, else virtual, else the machine's."""
        if self._given_now_ms is not None:
            return self._given_now_ms()
        return time.time_ns() // 1_000_000 if self._clock is None else self._clock.now_ms()

    def anchor(self, start_ms: int, anchor_ms: int, speed: float) -> None:
        """Set the virtual time anew."""
        self._clock = VirtualClock(start_ms, anchor_ms, speed)

    def last_heartbeats(self) -> dict[str, float]:
        """The machine time of the last heartbeat of each ACD type."""
        with self._beat_lock:
            return dict(self._last_beat)

    # ----------------------------------------------------------------------------------------- operations

    def handle(self, operation: str, payload: Any, bearer: str | None, refuses: Refuses | None = None) -> Reply:
        """Carry out one operation of the profile and keep account of it; `refuses` names good rows to refuse."""
        endpoint = self.profile.endpoint(operation)
        if operation in ("agent_states", *_REPORT_KINDS):
            self.inbox.count("requests")
        if endpoint.auth and (bearer is None or not self.tokens.holds(bearer)):
            reply = self.unauthorized(operation, "the access token is missing, unknown or expired")
        else:
            reply = self._carry_out(operation, endpoint.request, payload, refuses)
        if operation in ("agent_states", *_REPORT_KINDS):  # never what goes to the login
            self.inbox.keep(operation, self.now_ms(), reply.status, payload)
        if reply.status >= 400:
            self.inbox.reject(operation, reply.status, reply.problem)
        return reply

    def unauthorized(self, operation: str, message: str) -> Reply:
        """A 401."""
        return spring_error(self.profile, 401, message, self.profile.endpoint(operation).path)

    def _carry_out(self, operation: str, dto: str | None, payload: Any, refuses: Refuses | None) -> Reply:
        findings: list[Finding] = []
        if dto is not None:
            findings = [item for item in self.profile.validate(dto, payload) if item.severity is Severity.ERROR]
        if operation == "agent_states" or operation in _REPORT_KINDS:
            return self._take(operation, dto or "", payload, findings, refuses)
        if findings:
            return validation_error(self.profile, dto or operation, findings)
        match operation:
            case "token":
                return self._log_in(self.profile.decode(dto or "", payload))
            case "refresh":
                return self._refresh(self.profile.decode(dto or "", payload))
            case "acd_details":
                return self._acd_details()
            case _:
                return self._beat(self.profile.decode(dto or "", payload))

    def _log_in(self, plain: dict[str, Any]) -> Reply:
        keys = plain["access_key_token_request"]
        is_known = hmac.compare_digest(
            keys["access_key"].encode("utf-8", "surrogatepass"), self.options.access_key.encode()
        )
        is_right = hmac.compare_digest(
            keys["secret_key"].encode("utf-8", "surrogatepass"), self.options.secret_key.encode()
        )
        if not (is_known and is_right):
            return self.unauthorized("token", "the access key is unknown or its secret is wrong")
        wanted = self.options.tenant_name
        if wanted is not None and plain.get("tenant_name") not in (None, wanted):
            path = self.profile.endpoint("token").path
            return spring_error(self.profile, 403, "the access key belongs to another tenant", path)
        self.inbox.count("tokens")
        return self._token_reply("token", self.tokens.grant())

    def _refresh(self, plain: dict[str, Any]) -> Reply:
        grant = self.tokens.refresh(plain["refresh_token"])
        if grant is None:
            return self.unauthorized("refresh", "the refresh token is unknown, used or expired")
        self.inbox.count("refreshes")
        return self._token_reply("refresh", grant)

    def _token_reply(self, operation: str, grant: Grant) -> Reply:
        dto = self.profile.dto(self.profile.endpoint(operation).response or "")
        plain = {
            "access_token": grant.access_token,
            "refresh_token": grant.refresh_token,
            "expires_in_s": grant.life_s,
            "refresh_expires_in_s": grant.refresh_life_s,
            "token_type": "Bearer",
            "session_id": None,
        }
        return Reply(200, self.profile.encode(dto.name, {key: plain[key] for key in plain if key in dto.fields}))

    def _acd_details(self) -> Reply:
        self.inbox.count("acd_lookups")
        dto = self.profile.endpoint("acd_details").response or ""
        plain = {"acd_type": self.options.acd_type, "acd_id": "1", "acd_name": "Simulated Twilio Flex"}
        return Reply(200, self.profile.encode(dto, plain))

    def _beat(self, plain: dict[str, Any]) -> Reply:
        self.inbox.count("heartbeats")
        with self._beat_lock:
            self._last_beat[str(plain.get("acd_type"))] = time.time()
        return accepted(self.profile)

    # -------------------------------------------------------------------------------------- data payloads

    def _take(self, operation: str, dto: str, payload: Any, findings: list[Finding], refuses: Refuses | None) -> Reply:
        field = self.profile.dto(dto).fields.get(_ROWS.get(dto, ""))
        if field is None:
            rows, rejected = [], {}
        else:
            listed = payload.get(field.wire) if isinstance(payload, dict) else None
            rows = listed if isinstance(listed, list) else []
            rejected = _by_row(findings, f"/{field.wire}/") if self.partial else {}
        if findings and not 0 < len(rejected) < len(rows):
            return validation_error(self.profile, dto, findings)
        if refuses is not None and not findings and field is not None:
            pointer = f"/{field.wire}/"
            rejected = {index: _refusal(f"{pointer}{index}") for index in refuses(len(rows))}
        good = [row for index, row in enumerate(rows) if index not in rejected]
        if operation == "agent_states":
            self.inbox.accept_states(map(self._state_row, good))
        else:
            body = {**payload, field.wire: good} if field is not None and rejected else payload
            self.inbox.accept_report(_REPORT_KINDS[operation], body)
        for finding in rejected.values():
            self.inbox.reject(operation, 200, str(finding))
        return accepted(self.profile, None if field is None else len(rows), rejected)

    def _state_row(self, row: Mapping[str, Any]) -> tuple[Any, Any, Any, Any, Any]:
        agent_id, agent_value, event_id, event_reason, start = (row.get(name) for name in self._state_wires)
        return agent_id, agent_value, event_id, event_reason, start


def _refusal(pointer: str) -> Finding:
    return Finding("SIM", pointer, "a fault of the simulation refuses it", "no fault", "Try again later.")


def _by_row(findings: list[Finding], base: str) -> dict[int, Finding]:
    """The first finding of each bad row; empty when one of them is about more than a row."""
    rows: dict[int, Finding] = {}
    for finding in findings:
        step = finding.pointer.removeprefix(base).split("/")[0] if finding.pointer.startswith(base) else ""
        if not step.isdigit():
            return {}
        rows.setdefault(int(step), finding)
    return rows
