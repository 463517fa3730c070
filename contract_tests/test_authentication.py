"""Login, refresh and expiry."""

from __future__ import annotations

import time

import pytest

from contract_tests.target import Target

# A life longer than this is not waited for.
_SHORT_LIFE_S = 10


def test_the_login_gives_a_token_that_works(target: Target) -> None:
    """The access key is answered with an access token, and that is taken."""
    plain = target.log_in()
    assert target.call("acd_details", None, token=str(plain["access_token"])).ok
    assert plain.get("expires_in_s", 1) > 0


def test_a_wrong_secret_is_refused(target: Target) -> None:
    """A login with a wrong secret is refused, and gives no token."""
    reply = target.call("token", target.login_payload(secret_key="wrong-secret===="), token=None)
    assert reply.status in (400, 401, 403), f"a wrong secret: {reply.what} was answered {reply.status}"
    assert "access_token" not in _known(target, "token", reply.json())


def test_an_unknown_access_key_is_refused(target: Target) -> None:
    """A login with an unknown key is refused."""
    reply = target.call("token", target.login_payload(access_key="UNKNOWNKEY===="), token=None)
    assert reply.status in (400, 401, 403), f"an unknown key: {reply.what} was answered {reply.status}"


def test_without_a_token_nothing_is_taken(target: Target) -> None:
    """Every operation that wants a token answers 401 without one."""
    for endpoint in target.profile.endpoints.values():
        if endpoint.auth:
            payload: dict[str, object] | None = None if endpoint.request is None else {}
            reply = target.call(endpoint.name, payload, token=None)
            assert reply.status == 401, f"without a token: {reply}"


def test_a_token_that_is_none_is_refused(target: Target) -> None:
    """A token that was never given out, as an expired one, is answered with 401."""
    reply = target.call("acd_details", None, token="x" * 40)
    assert reply.status == 401, f"with an unknown token: {reply}"


def test_refresh_gives_another_token_that_works(target: Target) -> None:
    """The refresh token of a login is answered with a new access token."""
    first = target.log_in()
    if not first.get("refresh_token"):
        pytest.skip("the login gives no refresh token; a client logs in again instead")
    dto = target.profile.endpoint("refresh").request or ""
    payload = target.profile.encode(dto, {"refresh_token": first["refresh_token"]})
    reply = target.call("refresh", payload, token=None)
    assert reply.ok, f"the refresh was refused: {reply.what} was answered {reply.status}"
    second = _known(target, "refresh", reply.json())
    assert second.get("access_token")
    assert target.call("acd_details", None, token=str(second["access_token"])).ok


def test_a_refresh_token_that_is_none_is_refused(target: Target) -> None:
    """An unknown refresh token gives no access token."""
    dto = target.profile.endpoint("refresh").request or ""
    reply = target.call("refresh", target.profile.encode(dto, {"refresh_token": "x" * 40}), token=None)
    assert reply.status in (400, 401, 403), f"an unknown refresh token: {reply.what} was answered {reply.status}"


def test_a_token_expires(target: Target) -> None:
    """After its life a token is answered with 401, and a new login works."""
    plain = target.log_in()
    life_s = plain.get("expires_in_s")
    if not isinstance(life_s, int) or life_s > _SHORT_LIFE_S:
        pytest.skip(f"a token lives {life_s} s; only a life of up to {_SHORT_LIFE_S} s is waited for")
    deadline_s = time.monotonic() + life_s + _SHORT_LIFE_S
    token = str(plain["access_token"])
    while target.call("acd_details", None, token=token).status != 401:
        assert time.monotonic() < deadline_s, "the token still works long after its life"
        time.sleep(0.2)  # a look, not an order: the deadline decides
    assert target.call("acd_details", None, token=str(target.log_in()["access_token"])).ok


def _known(target: Target, operation: str, body: object) -> dict[str, object]:
    dto = target.profile.endpoint(operation).response or ""
    return target.profile.decode(dto, body) if isinstance(body, dict) else {}
