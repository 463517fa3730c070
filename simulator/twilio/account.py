"""Who owns the simulated workspace: sids and credentials, made from the seed unless given."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field

from simulator.world.scenario import Scenario
from simulator.world.sids import sid_of


@dataclass(frozen=True, slots=True, kw_only=True)
class TwilioAccount:
    """The account that REST authenticates and that callbacks speak for.

    Attributes:
        auth_token: Basic password of the account sid, and the key of the signatures.
        api_key_sid, api_key_secret: a second pair that REST takes.
    """

    account_sid: str
    workspace_sid: str
    workspace_name: str
    auth_token: str = field(repr=False)
    api_key_sid: str
    api_key_secret: str = field(repr=False)
    flex_instance_sid: str

    @classmethod
    def of(cls, scenario: Scenario, auth_token: str = "") -> TwilioAccount:
        """The account of a scenario; the same seed gives the same credentials."""
        seed = scenario.seed
        return cls(
            account_sid=scenario.account_sid,
            workspace_sid=scenario.workspace_sid,
            workspace_name=scenario.workspace.name,
            auth_token=auth_token or sid_of("", seed, "auth token"),
            api_key_sid=sid_of("SK", seed, "api key"),
            api_key_secret=sid_of("", seed, "api key secret"),
            flex_instance_sid=sid_of("GO", seed, "flex instance"),
        )

    def admits(self, username: str, password: str) -> bool:
        """Whether these are the credentials of this account."""
        pairs = ((self.account_sid, self.auth_token), (self.api_key_sid, self.api_key_secret))
        return any(
            hmac.compare_digest(username.encode(), name.encode())
            and hmac.compare_digest(password.encode(), secret.encode())
            for name, secret in pairs
        )
