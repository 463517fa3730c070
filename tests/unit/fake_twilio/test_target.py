"""The callback URL and the connection overrides in its fragment."""

from __future__ import annotations

import pytest

from simulator.twilio.target import CallbackTarget, Overrides


def test_without_a_fragment_twilios_defaults_hold() -> None:
    """5 s to connect, 15 s to answer and in all, one retry after a failed connection."""
    target = CallbackTarget.parse("https://connector.example.com/twilio/events?tenant=acme")
    assert target.overrides == Overrides(5000, 15000, 15000, 1, frozenset({"ct"}))
    assert (target.host, target.port, target.secure) == ("connector.example.com", 443, True)
    assert target.request_target == "/twilio/events?tenant=acme"


def test_a_fragment_overrides_and_is_neither_sent_nor_signed() -> None:
    """All five keys are honoured."""
    target = CallbackTarget.parse("http://127.0.0.1:8080/e#ct=200&rt=300&tt=400&rc=3&rp=5xx,ct")
    assert target.overrides == Overrides(200, 300, 400, 3, frozenset({"5xx", "ct"}))
    assert target.signed_url == "http://127.0.0.1:8080/e"
    assert target.host_header == "127.0.0.1:8080"


def test_user_and_password_are_left_out() -> None:
    """They are neither signed nor part of the Host header."""
    target = CallbackTarget.parse("http://user:pass@127.0.0.1:8080/e?x=1")
    assert target.signed_url == "http://127.0.0.1:8080/e?x=1"
    assert target.host_header == "127.0.0.1:8080"


@pytest.mark.parametrize(
    ("policy", "failure", "again"),
    [
        ("ct", "ct", True),
        ("ct", "rt", False),
        ("ct", "5xx", False),
        ("5xx", "5xx", True),
        ("5xx", "4xx", False),
        ("4xx", "4xx", True),
        ("rt", "rt", True),
        ("all", "4xx", True),
        ("all", "ct", True),
    ],
)
def test_a_policy_names_the_failures_that_are_tried_again(policy: str, failure: str, again: bool) -> None:
    """`all` means every one of them."""
    assert CallbackTarget.parse(f"http://h/#rp={policy}").overrides.retries_after(failure) is again


@pytest.mark.parametrize(
    "url", ["ftp://h/x", "http:///x", "h/x", "http://h/#rc=6", "http://h/#ct=50", "http://h/#rp=now"]
)
def test_impossible_urls_are_refused(url: str) -> None:
    """Wrong scheme, no host, numbers out of Twilio's range, unknown policies."""
    with pytest.raises(ValueError, match=r"callback URL|must lie"):
        CallbackTarget.parse(url)
