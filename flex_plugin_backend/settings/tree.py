"""The settings tree itself: every setting with its type, unit, default and the rules inside one table."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import unquote, urlsplit

from pydantic import Field, PlainSerializer, SecretStr, field_validator, model_validator

from flex_plugin_backend.clock import Clock, ScaledClock, SystemClock
from flex_plugin_backend.settings.parts import (
    Grace,
    HttpUrl,
    Part,
    Seconds,
    ShownWithoutUser,
    Table,
    Text,
    UrlPrefix,
    WfmChannel,
    fault,
    sid,
    without_user,
)

SECRET_SUFFIXES = ("_file", "_env")
BAD_TENANT_NAME = ("is not a usable tenant name", "Use a-z, 0-9, single _ and -; it is part of web addresses")
_ATTRIBUTE_RULE = "attribute:"
_LEAST_KEY_BYTES = 24


class ServerSettings(Part):
    """[server]: where the connector listens and how the outside reaches it."""

    host: Text = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    # May hold user information for Basic authentication, hence not in the representation.
    public_url: ShownWithoutUser = Field(default=None, repr=False)
    url_prefix: UrlPrefix = ""
    threads: int = Field(default=16, ge=1, le=256)


class IntakeSettings(Part):
    """[intake]: limits of what is taken from Twilio."""

    # Two attribute texts of 4,096 characters, four bytes each and three signs per byte when form-encoded, and one of
    # them repeated in EventDescription: 147 KB are legal.
    max_body_bytes: int = Field(default=262_144, ge=1024, le=16_777_216)
    # A batch of Event Streams; how large Twilio makes them is not stated.
    max_stream_bytes: int = Field(default=4_194_304, ge=1024, le=67_108_864)
    # Twilio hangs up after 15 s and does not try again.
    ack_timeout_s: float = Field(default=10.0, gt=0, lt=15)
    # Some 2 KB each while they wait.
    most_waiting_events: int = Field(default=20_000, ge=1, le=1_000_000)


class LedgerSettings(Part):
    """[ledger]: the store."""

    # May hold a database password, hence not in the representation.
    url: Annotated[Text, PlainSerializer(without_user)] = Field(default="sqlite:///flex-wfm.sqlite3", repr=False)
    retention_days: float = Field(default=35.0, ge=2, le=3650)
    # What follows from an event takes several times its own room, and SQLite's log grows beside the file.
    least_free_bytes: int = Field(default=268_435_456, ge=0)


class LogSettings(Part):
    """[log]: what is logged and in which form."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["json", "text"] = "json"


class ClockSettings(Part):
    """[clock]: a scaled clock for rehearsals; all three numbers or none."""

    start_ms: int | None = Field(default=None, ge=0)
    anchor_ms: int | None = Field(default=None, ge=0)
    speed: float | None = Field(default=None, gt=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _all_or_none(self) -> ClockSettings:
        names = ("start_ms", "anchor_ms", "speed")
        missing = [name for name in names if getattr(self, name) is None]
        if missing and len(missing) < len(names):
            raise fault(missing[0], "is missing, while others of [clock] are set", "Give all three or none of them")
        return self

    def build(self) -> Clock:
        """The clock that these settings describe: the machine's own when nothing is set."""
        if self.start_ms is None or self.anchor_ms is None or self.speed is None:
            return SystemClock()
        return ScaledClock(start_ms=self.start_ms, anchor_ms=self.anchor_ms, speed=self.speed)


class SharedKey(Part):
    """A Twilio SharedKey: the secret that signs callbacks instead of the Auth Token."""

    secret: SecretStr = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, value: object) -> object:
        return {"secret": value} if isinstance(value, str) else value


class TwilioSettings(Part):
    """[tenants.NAME.twilio]: the TaskRouter workspace."""

    account_sid: Annotated[str, sid("AC", "the Twilio console")]
    workspace_sid: Annotated[str, sid("WS", "TaskRouter in the Twilio console")]
    auth_token: SecretStr = Field(min_length=1)
    shared_keys: Mapping[str, SharedKey] = Field(default_factory=dict)
    rest_key_sid: Annotated[str, sid("SK", "API keys in the Twilio console")] | None = None
    rest_key_secret: SecretStr | None = Field(default=None, min_length=1)
    api_base_url: HttpUrl | None = None
    public_url: ShownWithoutUser = Field(default=None, repr=False)
    timeout_s: Seconds = 10.0
    snapshot_at_start: bool = True

    @model_validator(mode="after")
    def _key_pair(self) -> TwilioSettings:
        if (self.rest_key_sid is None) != (self.rest_key_secret is None):
            missing = "rest_key_sid" if self.rest_key_sid is None else "rest_key_secret"
            raise fault(
                missing, "is missing, while its other half is set", "Give both, or neither to read with the auth token"
            )
        return self

    def signing_secrets(self) -> dict[str, str]:
        """SharedKey id -> secret, for the signature check."""
        return {key_id: key.secret.get_secret_value() for key_id, key in self.shared_keys.items()}


class WfmSettings(Part):
    """[tenants.NAME.wfm]: the CXone tenant."""

    service_url: HttpUrl
    access_key: SecretStr = Field(min_length=1)
    secret_key: SecretStr = Field(min_length=1)
    tenant_name: Text | None = None
    profile: Text = "default"
    acd_type: Text | None = None
    timeout_s: Seconds = 10.0
    batch_limit: int | None = Field(default=None, ge=1)
    heartbeat_s: Seconds | None = None
    retry_first_s: Seconds = 1.0
    retry_cap_s: Seconds = 60.0
    held_retry_s: Seconds = 300.0
    check_outgoing: bool = True

    @model_validator(mode="after")
    def _cap_above_first(self) -> WfmSettings:
        if self.retry_cap_s < self.retry_first_s:
            raise fault("retry_cap_s", "is below retry_first_s", "Set the longest pause to at least the first one")
        return self


class ActivityRule(Part):
    """What one TaskRouter activity means for CXone; what is left out keeps its usual meaning."""

    state: Literal["AVAILABLE", "UNAVAILABLE", "OFFLINE"] | None = None
    event_id: Text | None = None
    reason: str | None = None


class MappingSettings(Part):
    """[tenants.NAME.mapping]: Twilio's words to CXone's."""

    agent_id: Annotated[str, Field(pattern=r"^(worker_sid|friendly_name|attribute:[^.\s]+(\.[^.\s]+)*)$")] = (
        "worker_sid"
    )
    offline_activity_sid: Annotated[str, sid("WA", "the activities of the workspace")] | None = None
    activities: Annotated[Mapping[str, ActivityRule], Table] = Field(default_factory=dict)
    channels: Annotated[Mapping[str, WfmChannel], Table] = Field(default_factory=dict)
    pseudo_activities: Annotated[tuple[str, ...], Table] = ()

    @property
    def agent_attribute(self) -> tuple[str, ...] | None:
        """The path into the worker's attributes, or None when the agent id is not an attribute."""
        if not self.agent_id.startswith(_ATTRIBUTE_RULE):
            return None
        return tuple(self.agent_id.removeprefix(_ATTRIBUTE_RULE).split("."))


class StatesSettings(Part):
    """[tenants.NAME.states]: how agent states are derived and smoothed."""

    min_state_s: Grace = 3.0
    catch_up_s: Grace = 900.0
    wrap_up_cap_s: Seconds = 3600.0
    task_end_grace_s: Grace = 30.0
    parked_messaging: Literal["contact", "activity", "limited"] = "contact"
    parked_limit_s: Seconds = 3600.0
    reorder_window_s: Grace = 900.0
    snapshot_after_outage_s: Grace = 60.0
    gone_settle_s: Grace = 120.0


class ReportsSettings(Part):
    """[tenants.NAME.reports]: the interval reports."""

    enabled: bool = True
    delay_s: Grace = 120.0
    correct_for_days: float = Field(default=7.0, ge=0, le=35)
    correct_every_s: Seconds = 300.0
    service_level_s: Grace = 20.0
    queue_service_level_s: Annotated[Mapping[str, Grace], Table] = Field(default_factory=dict)
    short_abandon_s: Grace = 5.0
    diverted_reasons: Annotated[tuple[str, ...], Table] = ("callback requested", "callback", "voicemail", "redirect")
    diverted_abandoned: Annotated[tuple[str, ...], Table] = ()
    no_queue_id: Text = "NO_QUEUE"
    queue_id_format: Annotated[str, Field(pattern=r"\{(queue|name)\}")] = "{queue}"


class RepairSettings(Part):
    """[tenants.NAME.repair]: how holes in what Twilio sends are found and filled."""

    enabled: bool = True
    every_s: float = Field(default=300.0, ge=30, le=86_400)
    settle_s: float = Field(default=60.0, ge=15, le=3600)
    overlap_s: float = Field(default=300.0, ge=0, le=3600)
    requests_per_minute: float = Field(default=60.0, ge=1, le=6000)
    totals_every_s: float = Field(default=3600.0, ge=0, le=86_400)


class KinesisSettings(Part):
    """[tenants.NAME.kinesis]: an Amazon Kinesis stream into which Twilio writes; boto3 finds the credentials."""

    stream: Text
    region: Text | None = None
    endpoint_url: HttpUrl | None = None
    poll_s: float = Field(default=0.5, ge=0.2, le=60)


class HealthSettings(Part):
    """[tenants.NAME.health]: when the feed from Twilio counts as blind."""

    silent_events: int = Field(default=5, ge=1, le=10_000)
    silent_s: Grace = 60.0
    unreachable_s: Grace = 60.0
    silent_agent_s: Grace = 14_400.0
    silent_least_s: Grace = 300.0


class AlertsSettings(Part):
    """[alerts]: whom to tell when an alarm begins and ends."""

    # The addresses of chat rooms are secrets in themselves.
    url: SecretStr | None = None
    bearer_token: SecretStr | None = Field(default=None, min_length=1)
    signing_secret: SecretStr | None = None
    after_s: Grace = 60.0
    timeout_s: Seconds = 10.0
    retry_first_s: Seconds = 5.0
    retry_cap_s: Seconds = 300.0
    give_up_s: Seconds = 86_400.0

    @field_validator("url", mode="after")
    @classmethod
    def _is_address(cls, url: SecretStr | None) -> SecretStr | None:
        parts = urlsplit(url.get_secret_value()) if url else None
        if parts is not None and (parts.scheme not in ("http", "https") or not parts.hostname):
            raise fault("", "is not an address with a scheme and a host", "Write it in full, with https://")
        return url

    @field_validator("signing_secret", mode="after")
    @classmethod
    def _is_key(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None and len(signing_key(secret.get_secret_value())) < _LEAST_KEY_BYTES:
            raise fault(
                "",
                f"is not whsec_ and base64 of at least {_LEAST_KEY_BYTES} bytes",
                'Make one: echo "whsec_$(openssl rand -base64 32)"',
            )
        return secret

    @model_validator(mode="after")
    def _somebody_to_tell(self) -> AlertsSettings:
        if self.url is None and (self.bearer_token is not None or self.signing_secret is not None):
            raise fault(
                "url", "is missing, while a secret of [alerts] is set", "Give the address, or remove the secret"
            )
        return self


def signing_key(secret: str) -> bytes:
    """The key inside a secret as Standard Webhooks writes it, `whsec_` and base64; empty where it is none."""
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True) if secret.startswith("whsec_") else b""
    except binascii.Error:
        return b""


class TenantSettings(Part):
    """[tenants.NAME]: one pair of a Twilio workspace and a CXone tenant."""

    twilio: TwilioSettings
    wfm: WfmSettings
    mapping: MappingSettings = MappingSettings()
    states: StatesSettings = StatesSettings()
    reports: ReportsSettings = ReportsSettings()
    repair: RepairSettings = RepairSettings()
    health: HealthSettings = HealthSettings()
    kinesis: KinesisSettings | None = None


class Settings(Part):
    """Everything one process of the connector is told.

    Build it with `load_settings`, which also reads the environment and the secret files and names what is wrong.
    """

    TENANT_NAME: ClassVar[re.Pattern[str]] = re.compile(r"[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?")

    server: ServerSettings = ServerSettings()
    intake: IntakeSettings = IntakeSettings()
    ledger: LedgerSettings = LedgerSettings()
    clock: ClockSettings = ClockSettings()
    log: LogSettings = LogSettings()
    alerts: AlertsSettings = AlertsSettings()
    tenants: Mapping[str, TenantSettings]

    @field_validator("tenants", mode="after")
    @classmethod
    def _tenant_names(cls, tenants: Mapping[str, TenantSettings]) -> Mapping[str, TenantSettings]:
        if not tenants:
            raise fault("", "holds no tenant", "Add a [tenants.NAME.twilio] and a [tenants.NAME.wfm] table")
        for name in tenants:
            if not cls.is_tenant_name(name):
                raise fault(name, *BAD_TENANT_NAME)
        return tenants

    @classmethod
    def is_tenant_name(cls, name: str) -> bool:
        """Whether a tenant can have this name."""
        return cls.TENANT_NAME.fullmatch(name) is not None and "__" not in name

    def secrets(self) -> frozenset[str]:
        """Every secret of these settings, passwords inside addresses included; for redaction only."""
        found = set(_secrets_in(self))
        addresses = [self.ledger.url, self.server.public_url, *(t.twilio.public_url for t in self.tenants.values())]
        for address in addresses:
            password = urlsplit(address).password if address else None
            if password:
                found |= {password, unquote(password)}
        return frozenset(found)

    def public_url_of(self, tenant: str) -> str | None:
        """The base address under which Twilio reaches this tenant's door, without a trailing slash."""
        return self.tenants[tenant].twilio.public_url or self.server.public_url


def _secrets_in(value: object) -> Iterator[str]:
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, Part):
        for name in type(value).model_fields:
            yield from _secrets_in(getattr(value, name))
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _secrets_in(item)


def nested_model(annotation: Any) -> tuple[type[Part] | None, bool]:
    """The table class inside a field's annotation and whether it sits in a named collection (`[tenants.NAME]`)."""
    args: list[Any] = list(getattr(annotation, "__args__", ()))
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return annotation, False
    if len(args) == 2 and args[1] is type(None) and isinstance(args[0], type) and issubclass(args[0], Part):
        return args[0], False
    if len(args) == 2 and isinstance(args[1], type) and issubclass(args[1], Part):
        return args[1], True
    return None, False


def secret_fields(model: type[Part]) -> frozenset[str]:
    """The fields of a table that may also be given as `<name>_file` or `<name>_env`."""
    return frozenset(
        name
        for name, field in model.model_fields.items()
        if field.annotation is SecretStr or SecretStr in getattr(field.annotation, "__args__", ())
    )
