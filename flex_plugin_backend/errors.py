"""The exception tree of the connector: one base, the docstring is the message, the facts are fields.

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
│   └── LedgerSchemaError      the ledger's schema does not fit this program
├── TwilioUnavailable          a REST read from Twilio failed
└── WfmError                   the CXone side
    ├── ContractError          a profile is unreadable or incomplete
    └── CXoneWfmException      CXone refused or could not be reached (flex_plugin_backend.wfm.exceptions)
"""

from __future__ import annotations

import inspect


class FlexWfmError(Exception):
    """flex-wfm could not go on."""

    def __init__(self, **facts: object) -> None:
        """Fill the class docstring, which is the message, with the given facts."""
        self.facts = facts
        template = inspect.cleandoc(type(self).__doc__ or "")
        if template:
            message = template.format_map(_Tolerant(facts))
        else:  # python -OO strips docstrings
            message = f"{type(self).__name__}: {facts}"
        super().__init__(message)


class _Tolerant(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return "?"


class SettingsError(FlexWfmError):
    """Setting {setting} (from {source}): {problem}. {repair}"""


class EventError(FlexWfmError):
    """The event cannot be taken: {problem}."""

    status = 400


class SignatureRejected(EventError):
    """The request is not signed by the configured Twilio account: {problem}."""

    status = 403


class ForeignEvent(EventError):
    """The event belongs to another {what} than the one configured for this tenant."""

    status = 403


class MalformedEvent(EventError):
    """The body is not a TaskRouter event: {problem}."""

    status = 400


class BodyTooLarge(EventError):
    """The body is larger than {limit} bytes."""

    status = 413


class UnsupportedBody(EventError):
    """The content type {content_type} is not taken here; send {expected}."""

    status = 415


class IntakeUnavailable(FlexWfmError):
    """The event could not be stored: {problem}."""


class LedgerError(FlexWfmError):
    """The ledger cannot be used: {problem}. {repair}"""


class LedgerSchemaError(LedgerError):
    """The ledger's schema is {found}, this program needs {needed}. {repair}"""


class TwilioUnavailable(FlexWfmError):
    """Twilio's REST API could not be read ({what}): {problem}."""


class WfmError(FlexWfmError):
    """CXone WFM: {problem}."""


class ContractError(WfmError):
    """Contract profile {profile}: {problem}. {repair}"""
