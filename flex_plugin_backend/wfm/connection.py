"""WFMConnection: a logged-in connection to CXone WFM that renews its token, looks up the ACD type and can beat."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

import httpx

from flex_plugin_backend.clock import Clock, SystemClock
from flex_plugin_backend.errors import ContractError
from flex_plugin_backend.wfm.answers import Answer, read_response
from flex_plugin_backend.wfm.config import WFMConnectionConfig, WFMConnectionConfigBuilder
from flex_plugin_backend.wfm.contract import Finding, Profile
from flex_plugin_backend.wfm.dto import WFMReportResponseDTO
from flex_plugin_backend.wfm.exceptions import CXoneWfmException, FailureKind
from flex_plugin_backend.wfm.http import Exchange
from flex_plugin_backend.wfm.session import Session, failure

OnFindings = Callable[[str, Sequence[Finding]], None]

__all__ = ["OnFindings", "WFMConnection", "WFMConnectionConfig", "WFMConnectionConfigBuilder"]


class WFMConnection:
    """One connection; all its methods may be called from many threads.

    It needs no `connect` before the first call: whatever is missing (token, ACD type) is fetched when it is needed, so
    a connection outlives an outage of the service at any moment.
    """

    def __init__(
        self, config: WFMConnectionConfig, exchange: Exchange, clock: Clock, on_findings: OnFindings | None = None
    ) -> None:
        self._config = config
        self._on_findings = on_findings
        self._exchange = exchange
        self._clock = clock
        self._session = Session(config, exchange, clock)
        self._acd_lock = threading.Lock()
        self._acd_type = config.acd_type

    def __repr__(self) -> str:
        return f"WFMConnection({self._config.service_url!r})"

    @classmethod
    def get_connection(
        cls,
        config: WFMConnectionConfig,
        *,
        transport: httpx.BaseTransport | None = None,
        clock: Clock | None = None,
        on_findings: OnFindings | None = None,
    ) -> Self:
        """A connection for these settings, not yet connected; the caller owns and closes it.

        `transport` replaces the network (tests, in-process runs). `clock` tells when a token expires; HTTP timeouts are
        wall time in any case. `on_findings` is told what the contract's rules find in a payload before it is sent, and
        it is sent all the same, because the service decides. Without it nothing is looked for.
        """
        clock = SystemClock() if clock is None else clock
        return cls(config, Exchange(config, transport), clock, on_findings)

    @property
    def profile(self) -> Profile:
        """The wire contract of this connection."""
        return self._config.profile

    @property
    def config(self) -> WFMConnectionConfig:
        """The settings of this connection."""
        return self._config

    @property
    def clock(self) -> Clock:
        """The clock of this connection."""
        return self._clock

    def connect(self) -> Self:
        """Log in and look up the ACD type; CXoneWfmException when one of them fails. Returns the connection."""
        self._session.login()
        self.acd_type()
        return self

    def acd_type(self) -> str:
        """The ACD type that every payload carries: as configured, else looked up once."""
        with self._acd_lock:
            if self._acd_type is None:
                self._acd_type = self._look_up_acd_type()
            return self._acd_type

    def heartbeat(self) -> WFMReportResponseDTO:
        """Tell the service that we are there; CXoneWfmException when it does not answer so."""
        return self.send("heartbeat", {"acd_type": self.acd_type(), "sent_ms": self._clock.now_ms()})

    def send(self, operation: str, plain: dict[str, Any], *, rows: int | None = None) -> WFMReportResponseDTO:
        """Send a payload with canonical names to an endpoint of the profile.

        `rows` is the number of rows in it; positions of rejected rows outside of it are not believed. Any 2xx is
        success.
        """
        endpoint = self.profile.endpoint(operation)
        payload = self.profile.encode(endpoint.request, plain) if endpoint.request is not None else None
        if self._on_findings is not None and endpoint.request is not None:
            findings = self.profile.validate(endpoint.request, payload, now_ms=self._clock.now_ms())
            if findings:
                self._on_findings(operation, findings)
        answer = self._call(operation, payload)
        if not answer.ok:
            raise failure(self._config, operation, answer, self._session.secrets(), rows)
        return read_response(self.profile, answer, self._session.secrets(), rows)

    def _call(self, operation: str, payload: dict[str, Any] | None) -> Answer:
        endpoint = self.profile.endpoint(operation)
        if not endpoint.auth:
            return self._exchange.send(endpoint, payload)
        token = self._session.token()
        answer = self._exchange.send(endpoint, payload, token.access_token)
        if answer.status == 401:
            token = self._session.replace(token)
            answer = self._exchange.send(endpoint, payload, token.access_token)
        return answer

    def _look_up_acd_type(self) -> str:
        answer = self._call("acd_details", None)
        if not answer.ok:
            raise failure(self._config, "acd_details", answer, self._session.secrets())
        acd_type: object = None
        try:
            endpoint = self.profile.endpoint("acd_details")
            acd_type = self.profile.decode(endpoint.response or "", answer.json()).get("acd_type")
        except ContractError:
            pass  # not an object: the same as an object without the field
        if not isinstance(acd_type, str) or not acd_type.strip():
            raise CXoneWfmException(
                kind=FailureKind.FORBIDDEN,
                operation="acd_details",
                problem="the answer names no ACD type; set acd_type by hand, or correct the profile",
                response=read_response(self.profile, answer, self._session.secrets()),
            )
        return acd_type.strip()

    def close(self) -> None:
        """Close the network connections; a call afterwards raises WfmError."""
        self._exchange.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
