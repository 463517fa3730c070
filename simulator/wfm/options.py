"""WfmOptions: what a fake WFM is told when it is made."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class WfmOptions:
    """Settings of one fake WFM.

    Attributes:
        access_key, secret_key: the only login it takes.
        tenant_name: when set, a login that names another tenant is answered with 403.
        acd_type: what the ACD-type lookup answers.
        profile: the contract profile, a built-in name or a path.
        partial: take the good rows of a batch and name the bad ones, instead of refusing the whole batch.
        inbox_limit: the most states kept; the oldest go first.
        seed: of the chance with which faults strike.
        start_ms, anchor_ms, speed: the shared virtual time; all or none (then it is the machine's).
    """

    access_key: str = "SIMACCESSKEY===="
    secret_key: str = field(default="SIMSECRETKEY====", repr=False)
    tenant_name: str | None = None
    acd_type: str = "TWILIO_FLEX"
    profile: str = "default"
    partial: bool = False
    inbox_limit: int = 1_000_000
    seed: int = 1
    start_ms: int | None = None
    anchor_ms: int | None = None
    speed: float | None = None
