"""The exception tree of the connector: one base, each kind with its message as a template, the facts are fields.

FlexWfmError
├── SettingsError              a setting is missing or wrong; the start stops
├── EventError                 an incoming event cannot be taken
│   ├── SignatureRejected      403: not signed by the configured account
│   ├── ForeignEvent           403: signed, but of another account or workspace
│   ├── MalformedEvent         400: not an event
│   ├── BodyTooLarge           413
│   └── UnsupportedBody        415
├── IntakeUnavailable          503: the event could not be made durable
├── LedgerError                the ledger cannot be used
│   ├── LedgerSchemaError      the ledger's schema does not fit this program
│   ├── LedgerForeign          the file is not a ledger
│   ├── LedgerDamaged          the file was a ledger and is damaged
│   └── HistoryPruned          what is asked about is older than the ledger remembers
├── TwilioUnavailable          a REST read from Twilio failed
├── KinesisError               the Kinesis stream of Twilio's events could not be read
│   └── KinesisPositionLost    the place in a shard is not known to Kinesis any more
├── UnknownAgent               nobody is called so
├── AmbiguousAgent             several are called so
└── WfmError                   the CXone side
    ├── ContractError          a profile is unreadable or incomplete
    └── CXoneWfmException      CXone refused or could not be reached (flex_plugin_backend.wfm.exceptions)
"""

from __future__ import annotations

from typing import ClassVar


class FlexWfmError(Exception):
    """flex-wfm could not go on.

    A kind of error is its `template`, the message into which the facts are filled. It is no docstring, because
    `python -OO` strips those, but it becomes the docstring of a class that has no other.
    """

    template: ClassVar[str] = "flex-wfm could not go on."

    def __init_subclass__(cls) -> None:
        """Show the message as the class's documentation."""
        cls.__doc__ = cls.__doc__ or cls.template

    def __init__(self, **facts: object) -> None:
        """Fill the template with the given facts."""
        self.facts = facts
        super().__init__(self.template.format_map(_Tolerant(facts)))


class _Tolerant(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return "?"


class SettingsError(FlexWfmError):
    template = "Setting {setting} (from {source}): {problem}. {repair}"


class EventError(FlexWfmError):
    template = "The event cannot be taken: {problem}."
    status = 400


class SignatureRejected(EventError):
    template = "The request is not signed by the configured Twilio account: {problem}."
    status = 403


class ForeignEvent(EventError):
    template = "The event belongs to another {what} than the one configured for this tenant."
    status = 403


class MalformedEvent(EventError):
    template = "The body is not a TaskRouter event: {problem}."
    status = 400


class BodyTooLarge(EventError):
    template = "The body is larger than {limit} bytes."
    status = 413


class UnsupportedBody(EventError):
    template = "The content type {content_type} is not taken here; send {expected}."
    status = 415


class IntakeUnavailable(FlexWfmError):
    template = "The event could not be stored: {problem}."


class LedgerError(FlexWfmError):
    template = "The ledger cannot be used: {problem}. {repair}"


class LedgerSchemaError(LedgerError):
    template = "The ledger's schema is {found}, this program needs {needed}. {repair}"


class LedgerForeign(LedgerError):
    template = (
        "{path} is not a ledger of flex-wfm: {problem}. Nothing was written to it. "
        "Name another file in [ledger] url; if it was a ledger, put back a copy of it."
    )


class LedgerDamaged(LedgerError):
    template = (
        "The ledger {path} is damaged: {problem}. Nothing was written to it. "
        "Stop what uses it and move it away together with its -wal and -shm files; then put back a copy, save what can "
        "be saved (sqlite3 OLD .recover | sqlite3 NEW), or begin without: flex-wfm backfill reads up to 30 days of "
        "Twilio's history. docs/ledger.md tells how."
    )


class HistoryPruned(LedgerError):
    template = "The ledger is complete from {since} on only: what is older was let go of ([ledger] retention_days)."


class TwilioUnavailable(FlexWfmError):
    template = "Twilio's REST API could not be read ({what}): {problem}."


class KinesisError(FlexWfmError):
    template = "Kinesis stream {stream} could not be read: {problem}. {repair}"


class KinesisPositionLost(KinesisError):
    template = "Kinesis stream {stream}: the place in {shard} is not known there any more ({problem})."


class UnknownAgent(FlexWfmError):
    template = "No agent, worker or name {name} is known {where}. {hint}"


class AmbiguousAgent(FlexWfmError):
    template = "{name} may be each of {number} workers:{people}\nAsk again with a worker sid{tenant}."


class WfmError(FlexWfmError):
    template = "CXone WFM: {problem}."


class ContractError(WfmError):
    template = "Contract profile {profile}: {problem}. {repair}"
