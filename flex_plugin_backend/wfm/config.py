"""WFMConnectionConfig and its builder: where CXone WFM is and who we are there; secrets stay out of every text."""

from __future__ import annotations

import ipaddress
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import SecretStr

from flex_plugin_backend.errors import SettingsError
from flex_plugin_backend.wfm.contract import Profile, load_profile

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class WFMConnectionConfig:
    """The settings of one connection.

    Attributes:
        service_url: the base URL, without user, query and fragment, without a slash at its end.
        access_key: the access key id.
        secret_key: the access key's secret; shown nowhere.
        tenant_name: sent with the login when set.
        profile: the wire contract.
        acd_type: overrules the ACD-type lookup when set.
        timeout_s, connect_timeout_s: wall seconds for an answer and for the connection.
    """

    service_url: str
    access_key: str
    secret_key: SecretStr
    tenant_name: str | None = None
    profile: Profile
    acd_type: str | None = None
    timeout_s: float = 10.0
    connect_timeout_s: float = 5.0

    def __repr__(self) -> str:
        return f"WFMConnectionConfig(service_url={self.service_url!r}, tenant_name={self.tenant_name!r}, ...)"


class WFMConnectionConfigBuilder:
    """Collects the settings of a connection; each setter returns the builder, `build` checks them all."""

    def __init__(self) -> None:
        self._service_url = ""
        self._access_key = ""
        self._secret_key = SecretStr("")
        self._tenant_name: str | None = None
        self._profile: str | Path | Profile = "default"
        self._acd_type: str | None = None
        self._timeout_s = 10.0
        self._connect_timeout_s = 5.0

    def __repr__(self) -> str:
        return "WFMConnectionConfigBuilder(...)"

    def set_service_url(self, service_url: str) -> Self:
        """The base URL of the service, `https://...`."""
        self._service_url = service_url
        return self

    def set_access_key(self, access_key: str) -> Self:
        """The id of the access key."""
        self._access_key = access_key
        return self

    def set_secret_key(self, secret_key: str | SecretStr) -> Self:
        """The secret of the access key."""
        self._secret_key = secret_key if isinstance(secret_key, SecretStr) else SecretStr(secret_key)
        return self

    def set_tenant_name(self, tenant_name: str | None) -> Self:
        """The CXone tenant's name; not needed as far as NICE's page tells."""
        self._tenant_name = tenant_name or None
        return self

    def set_profile(self, profile: str | Path | Profile) -> Self:
        """The contract profile: a built-in name, a file or a loaded one."""
        self._profile = profile
        return self

    def set_acd_type(self, acd_type: str | None) -> Self:
        """The ACD type to send, in place of the lookup."""
        self._acd_type = acd_type or None
        return self

    def set_timeout_s(self, timeout_s: float, connect_timeout_s: float | None = None) -> Self:
        """Wall seconds to wait for an answer, and for the connection (at most as long)."""
        self._timeout_s = timeout_s
        self._connect_timeout_s = min(timeout_s, 5.0 if connect_timeout_s is None else connect_timeout_s)
        return self

    def build(self) -> WFMConnectionConfig:
        """The settings; SettingsError names the first that is missing or wrong, ContractError a bad profile."""
        if not self._access_key.strip():
            raise _wrong("access_key", "is missing", "Generate an access key for the connector's employee in CXone.")
        if not self._secret_key.get_secret_value().strip():
            raise _wrong("secret_key", "is missing", "Give the secret that CXone showed with the access key.")
        if not 0 < self._timeout_s < float("inf") or not self._connect_timeout_s > 0:
            raise _wrong("timeout_s", f"is {self._timeout_s}", "Give seconds above 0.")
        return WFMConnectionConfig(
            service_url=_checked_url(self._service_url),
            access_key=self._access_key.strip(),
            secret_key=SecretStr(self._secret_key.get_secret_value().strip()),
            tenant_name=self._tenant_name,
            profile=load_profile(self._profile),
            acd_type=self._acd_type,
            timeout_s=self._timeout_s,
            connect_timeout_s=self._connect_timeout_s,
        )


def _checked_url(text: str) -> str:
    """The URL without its last slash; the messages never repeat it, since it may hold a secret."""
    try:
        parts = urlsplit(text.strip())
        _ = parts.port  # raises for a port that is none
    except ValueError:
        raise _wrong("service_url", "is not a URL", "Write it like https://host/path.") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise _wrong("service_url", "is not a http or https URL", "Write it like https://host/path.")
    if parts.username is not None or parts.password is not None:
        raise _wrong("service_url", "holds a user or password", "Leave them out; the access key is the login.")
    if parts.query or parts.fragment:
        raise _wrong("service_url", "holds a query or fragment", "Leave everything from ? or # on out.")
    if parts.scheme == "http" and not is_loopback(text):
        _log.warning("service_url is plain http to another machine: the access key travels unprotected")
    return text.strip().rstrip("/?#")


def is_loopback(url: str) -> bool:
    """Whether the URL names this machine."""
    host = urlsplit(url.strip()).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _wrong(setting: str, problem: str, repair: str) -> SettingsError:
    return SettingsError(setting=setting, source="WFMConnectionConfigBuilder", problem=problem, repair=repair)
