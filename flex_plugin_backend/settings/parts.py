"""What every table of the settings is made of: the base class and the types of single settings."""

from __future__ import annotations

import json
import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer
from pydantic_core import PydanticCustomError


def fault(setting: str, problem: str, repair: str) -> PydanticCustomError:
    """A problem whose message already says what to do; `setting` is relative to the table it is raised in."""
    return PydanticCustomError("flex_wfm", "{problem}", {"setting": setting, "problem": problem, "repair": repair})


def _http_url(value: str) -> str:
    if not value:
        raise fault("", "is empty", "Write the address in full, with https://")
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise fault(
            "", "is not an address with a scheme and a host", "Write it in full, for example https://flex.example.com"
        )
    if parts.query or parts.fragment:
        raise fault(
            "", "carries a query or a fragment", "Leave out everything from the question mark or number sign on"
        )
    return value.rstrip("/")


def without_user(url: str | None) -> str | None:
    """An address as it may be shown: without user name and password."""
    if url is None or "@" not in url:
        return url
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def sid(prefix: str, where: str) -> AfterValidator:
    """The check of a Twilio sid that starts with `prefix` and is found `where`."""

    def check(value: str) -> str:
        if not value:
            raise fault("", "is empty", f"Copy the {prefix}... sid from {where}")
        # The length is no test: shorter and longer sids have been seen (Twilio reference 13, row 10).
        if not re.fullmatch(prefix + "[0-9A-Za-z_-]+", value):
            raise fault("", f"is not a sid that starts with {prefix}", f"Copy it from {where}")
        return value

    return AfterValidator(check)


def _prefix(value: str) -> str:
    value = value.strip("/")
    if not re.fullmatch(r"[A-Za-z0-9._~/-]*", value):
        raise fault("", "holds characters that do not belong in a path", "Use letters, digits, dots, dashes, slashes")
    return f"/{value}" if value else ""


def _table_text(value: object) -> object:
    """A table or list given as text, as environment variables do, is read as JSON; a list also as a,b,c."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if text[:1] in ("{", "["):
        try:
            return json.loads(text)
        except ValueError as error:
            raise fault("", "is not valid JSON", "Write it as a JSON object or array") from error
    return [part.strip() for part in text.split(",") if part.strip()]


def _lower(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


WfmChannel = Annotated[Literal["voice", "chat", "sms", "web", "email", "fax", "other"], BeforeValidator(_lower)]
HttpUrl = Annotated[str, AfterValidator(_http_url)]
# A dump of the settings is shown to people; the password is for the signature check alone.
ShownWithoutUser = Annotated[HttpUrl | None, PlainSerializer(without_user)]
UrlPrefix = Annotated[str, AfterValidator(_prefix)]
Text = Annotated[str, Field(min_length=1)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Grace = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Table = BeforeValidator(_table_text)


class Part(BaseModel):
    """A table of the settings: frozen, without unknown keys, its errors without the values."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, str_strip_whitespace=True)
