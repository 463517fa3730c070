"""The official Twilio client for one workspace: one per thread, and its failures as TwilioUnavailable."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import httpx
from pydantic import SecretStr
from twilio.base.exceptions import TwilioException  # type: ignore[import-untyped]
from twilio.rest import Client  # type: ignore[import-untyped]

from flex_plugin_backend.errors import TwilioUnavailable
from flex_plugin_backend.taskrouter.http_client import PatientHttpClient, Waiter

T = TypeVar("T")

_HINTS = {
    401: "check account_sid with auth_token, or rest_key_sid with rest_key_secret",
    403: "the key may not read this",
    404: "check workspace_sid and that it belongs to this account",
    429: "Twilio limits the rate; it will be tried again later",
}


class TwilioAccess(Protocol):
    """What is needed to read one workspace; `[tenants.NAME.twilio]` fits."""

    @property
    def account_sid(self) -> str: ...
    @property
    def workspace_sid(self) -> str: ...
    @property
    def auth_token(self) -> SecretStr: ...
    @property
    def rest_key_sid(self) -> str | None: ...
    @property
    def rest_key_secret(self) -> SecretStr | None: ...
    @property
    def api_base_url(self) -> str | None: ...
    @property
    def timeout_s(self) -> float: ...


class WorkspaceClient:
    """Gives each thread its own client: the SDK keeps the last response in the client, so they must not share one."""

    def __init__(
        self,
        access: TwilioAccess,
        *,
        attempts: int = 3,
        wait: Waiter | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Take the account.

        Args:
            access: the account, the workspace and the credentials.
            attempts: how often one read is tried.
            wait: waits that many seconds between attempts; True ends the attempts (shutting down).
            transport: replaces the network.
        """
        self._access = access
        self._attempts = attempts
        self._wait = wait
        self._transport = transport
        self._local = threading.local()

    def client(self) -> Client:
        """This thread's client."""
        client = getattr(self._local, "client", None)
        if client is None:
            access = self._access
            http = PatientHttpClient(
                timeout_s=access.timeout_s,
                base_url=access.api_base_url,
                attempts=self._attempts,
                wait=self._wait,
                transport=self._transport,
            )
            if access.rest_key_sid is not None and access.rest_key_secret is not None:
                user, password = access.rest_key_sid, access.rest_key_secret
            else:
                user, password = access.account_sid, access.auth_token
            client = Client(user, password.get_secret_value(), account_sid=access.account_sid, http_client=http)
            self._local.client = client
        return client

    def workspace(self) -> Any:
        """The workspace's resources."""
        return self.client().taskrouter.v1.workspaces(self._access.workspace_sid)


def guarded(what: str, read: Callable[[], T]) -> T:
    """Run one read of the SDK; whatever goes wrong comes out as TwilioUnavailable with the status, if there was one."""
    try:
        return read()
    except TwilioException as error:
        status, code = _status_and_code(error)
        raise TwilioUnavailable(what=what, problem=explained(status, code), status=status, code=code) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        # The SDK does not check bodies: a proxy's HTML page or a list without its key ends here.
        raise TwilioUnavailable(
            what=what, problem=f"the answer could not be understood ({type(error).__name__})"
        ) from error


def explained(status: int | None, code: int | None) -> str:
    """The status and Twilio's error code in words, with what to do about it."""
    if status is None:
        return "the answer was not a list that can be read"
    words = f"HTTP {status}" + (f", Twilio error {code}" if code not in (None, status) else "")
    hint = _HINTS.get(status)
    return f"{words}; {hint}" if hint else words


def _status_and_code(error: TwilioException) -> tuple[int | None, int | None]:
    status = getattr(error, "status", None)
    if status is None and len(error.args) > 1:  # a list's error is bare; the response is its second argument
        status = getattr(error.args[1], "status_code", None)
    code = getattr(error, "code", None)
    return status if isinstance(status, int) else None, code if isinstance(code, int) else None
