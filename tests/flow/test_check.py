"""Connections know whether they work: a check asks the provider, and only its own clear word changes anything."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import tripod
from sandbox.provider import Fault, ProviderFailure, ProviderFault, Rewritten, failures
from tests.support.checks import check, events, listed, quiet_is_over, report, told, with_identity
from tests.support.direct import invoke
from tests.support.reading import grant, reading, revoke, session, who
from tests.support.sandbox_app import SandboxApp
from tests.support.waiting import eventually
from tripod import TokenNotFound, TokenRevoked, TripodUnavailable

UNAVAILABLE: dict[str, Fault] = {
    "a server error": ProviderFault.SERVER_ERROR,
    "a CDN's page": ProviderFailure(403, "<!DOCTYPE html><html><body>Attention Required!</body></html>", failures.TEXT),
    "no answer in time": ProviderFault.TIMEOUT,
    "a rate limit": ProviderFault.RATE_LIMITED,
    "garbage": ProviderFault.GARBAGE,
}
UNPROVEN: dict[str, Fault] = {
    "a wrong consumer key": failures.NOT_AUTHENTICATED,
    "a suspended app": failures.SUSPENDED,
    "a 401 that explains nothing": failures.V2_UNAUTHORIZED,
    "a bare 401": ProviderFailure(401, ""),
    "an app outside its project": failures.V2_CLIENT_FORBIDDEN,
    "an app without access": failures.NO_ACCESS,
    "a 404": failures.NOT_FOUND,
    "a web page of success": ProviderFault.HTML,
    "X's words without its code": ProviderFailure(401, "Invalid or expired token", failures.TEXT),
}
PROVEN: dict[str, tuple[ProviderFailure, str]] = {
    "revoked": (failures.REVOKED, "token_revoked"),
    "the app's permissions changed": (failures.V2_PERMISSIONS, "permissions"),
    "the account is suspended": (failures.USER_SUSPENDED, "user_suspended"),
    "the account is locked": (failures.USER_LOCKED, "user_locked"),
    "OAuth Problem Reporting": (ProviderFailure(401, "oauth_problem=token_rejected", failures.TEXT), "token_revoked"),
}


def test_a_user_who_revokes_is_known_as_soon_as_a_lambda_is_refused_and_again_when_back(checked: SandboxApp) -> None:
    user = session(checked)
    assert who(checked, user).status_code == 200
    revoke(checked)
    with pytest.raises(TokenRevoked):
        who(checked, user)
    assert eventually(lambda: listed(checked, state="refused"))
    [found] = listed(checked, state="refused")
    assert (found.user_id, found.state, found.cause) == (checked.user.user_id, "refused", "token_revoked")
    assert found.refused_at is not None
    assert found.checked_at is not None
    assert found.granted_at < found.checked_at <= found.refused_at
    assert [one.state for one in listed(checked)] == ["refused"]
    assert listed(checked, state="connected") == []
    assert told(checked, "authorization.granted", "connection.refused")
    [event] = events(checked, "connection.refused")
    assert (event["cause"], event["user_id"], event["screen_name"]) == ("token_revoked", found.user_id, found.screen_name)

    grant(checked)
    assert told(checked, "authorization.granted", "connection.refused", "authorization.granted", "connection.restored")
    assert [event["reconnected"] for event in events(checked, "authorization.granted")] == [False, True]
    [found] = listed(checked, state="connected")
    assert (found.state, found.cause, found.refused_at) == ("connected", None, None)
    assert listed(checked, state="refused") == []
    assert who(checked, session(checked)).status_code == 200
    item = checked.connection() or {}
    assert not {"refused_at", "refused_by", "cause"} & item.keys()


def said(app: SandboxApp) -> dict[str, Any]:
    """Return what the connection says, but for when it may be asked about again."""
    return {name: value for name, value in (app.connection() or {}).items() if name != "check_after"}


@pytest.mark.parametrize("answer", UNAVAILABLE)
def test_a_provider_that_is_down_changes_nothing(checked: SandboxApp, answer: str) -> None:
    checked.fault("verify_credentials", UNAVAILABLE[answer], times=2, seconds=2)
    before = said(checked)
    with pytest.raises(TripodUnavailable) as caught:
        check(checked)
    assert caught.value.code == "provider_unavailable"
    assert said(checked) == before
    assert told(checked, "authorization.granted")


@pytest.mark.parametrize("answer", UNPROVEN)
def test_what_proves_nothing_changes_nothing(checked: SandboxApp, answer: str) -> None:
    checked.fault("verify_credentials", UNPROVEN[answer])
    before = said(checked)
    assert [check(checked) for _ in range(2)] == [("unknown", None)] * 2  # the second time nobody is asked
    assert said(checked) == before
    assert told(checked, "authorization.granted")


@pytest.mark.parametrize("answer", PROVEN)
def test_what_can_mean_nothing_else_is_a_refusal(checked: SandboxApp, answer: str) -> None:
    refusal, cause = PROVEN[answer]
    checked.fault("verify_credentials", refusal)
    assert check(checked) == ("refused", cause)
    quiet_is_over(checked)
    checked.fault("verify_credentials", refusal)
    assert check(checked) == ("refused", cause)
    assert told(checked, "authorization.granted", "connection.refused")
    quiet_is_over(checked)
    assert check(checked) == ("connected", None)
    assert told(checked, "authorization.granted", "connection.refused", "connection.restored")
    ids = [event.detail["id"] for event in checked.events()]
    assert len(set(ids)) == len(ids) == 3
    assert listed(checked)[0].checked_at is not None


def test_a_providers_own_words_are_a_refusal(checked: SandboxApp) -> None:
    checked.redefine(revoked={"status": 200, "pattern": '{"stat":"fail","code":98'})
    checked.fault("verify_credentials", ProviderFailure(200, '{"stat":"fail","code":98,"message":"Invalid auth token"}'))
    assert check(checked) == ("refused", "token_revoked")


def test_a_token_that_has_ended_is_refused_without_asking(checked: SandboxApp) -> None:
    checked.change_item(checked.connection_key, token_expires_at=1_700_000_000)
    assert check(checked) == ("refused", "token_expired")
    assert checked.calls("verify_credentials") == []
    assert told(checked, "authorization.granted", "connection.refused")


def test_a_connection_that_was_just_checked_is_not_asked_about_again(checked: SandboxApp) -> None:
    assert [check(checked) for _ in range(3)] == [("connected", None)] * 3
    assert len(checked.calls("verify_credentials")) == 1
    checked.change_item(checked.connection_key, check_after=1.0)
    report(checked)  # a report needs no answer, and waits longer
    assert len(checked.calls("verify_credentials")) == 1
    [found] = listed(checked)
    assert found.checked_at is not None


def test_tokens_that_may_be_an_earlier_grants_are_not_asked_about(checked: SandboxApp) -> None:
    checked.change_item(checked.connection_key, stored_grant_id="an-earlier-one")
    assert check(checked) == ("unknown", None)
    assert checked.calls("verify_credentials") == []


def test_an_answer_about_somebody_else_proves_nothing(checked: SandboxApp) -> None:
    other = checked.sandbox.provider_server.add_user()
    theirs, others = checked.user.user_id.encode(), other.user_id.encode()
    checked.fault("verify_credentials", Rewritten(lambda body: body.replace(theirs, others)))
    assert check(checked) == ("unknown", None)
    assert listed(checked)[0].checked_at is None


def test_tokens_that_are_another_apps_are_not_asked_about(checked: SandboxApp) -> None:
    other = checked.sandbox.provider_server.register()
    checked.change_consumer(consumer_key=other.key, consumer_secret=other.secret)
    checked.sandbox.provider_server.fault(other.key, "verify_credentials", failures.REVOKED)  # as some call another app's token
    assert check(checked) == ("unknown", None)
    assert checked.sandbox.provider_server.calls(other.key, "verify_credentials") == []


def test_a_provider_that_cannot_be_asked_leaves_it_unknown(app: SandboxApp) -> None:
    grant(app)
    with reading(app.sandbox):
        assert [check(app) for _ in range(2)] == [("unknown", None)] * 2
    read = app.sandbox.aws_server.called("secretsmanager", "GetSecretValue")
    assert not [call for call in read if call.caller.endswith("-check") and call.resource == app.secret_name]
    assert "check_after" not in (app.connection() or {})


def test_tokens_in_the_table_are_checked_too(app: SandboxApp) -> None:
    app.change_consumer(store="table")
    grant(with_identity(app))
    with reading(app.sandbox):
        assert check(app) == ("connected", None)
        revoke(app)
        with pytest.raises(TokenRevoked):
            who(app, session(app))
        quiet_is_over(app)
        assert check(app) == ("refused", "token_revoked")
        grant(app)
        assert told(app, "authorization.granted", "connection.refused", "authorization.granted", "connection.restored")


def test_who_is_not_connected_is_told(checked: SandboxApp) -> None:
    with pytest.raises(TokenNotFound):
        tripod.check(checked.name, user_id="1")
    with pytest.raises(tripod.ConsumerNotFound):
        tripod.check("nobody-here", user_id="1")
    tripod.disconnect(checked.name, user_id=checked.user.user_id)
    with pytest.raises(TokenNotFound):
        check(checked)
    assert listed(checked) == []


def test_a_user_who_is_disconnected_while_refused_is_not_restored_by_a_new_grant(checked: SandboxApp) -> None:
    revoke(checked)
    assert check(checked) == ("refused", "token_revoked")
    tripod.disconnect(checked.name, user_id=checked.user.user_id)
    grant(checked)
    assert told(checked, "authorization.granted", "connection.refused", "connection.revoked", "authorization.granted")
    assert [event["reconnected"] for event in events(checked, "authorization.granted")] == [False, True]


@pytest.mark.parametrize(
    "meanwhile", [grant, lambda app: tripod.disconnect(app.name, user_id=app.user.user_id)], ids=["grant", "end"]
)
def test_a_check_that_crosses_a_new_grant_or_a_disconnect_changes_nothing(
    checked: SandboxApp, meanwhile: Callable[[SandboxApp], None]
) -> None:
    checked.fault("verify_credentials", ProviderFault.DRIP, seconds=1.5)
    with ThreadPoolExecutor(1) as thread:
        asked = thread.submit(lambda: invoke(checked, "check", provider=checked.name, user_id=checked.user.user_id))
        assert eventually(lambda: checked.calls("verify_credentials"))
        meanwhile(checked)
        after = checked.connection() or {}
        asked.result()
    now = checked.connection() or {}
    assert now.get("checked_at") is None
    assert now["grant_id"] == after["grant_id"]


@pytest.mark.parametrize(
    ("event", "named"),
    [
        ({"provider": "x"}, "user_id"),
        ({"provider": "x", "user_id": "1", "reported": "yes"}, "reported"),
        ({"provider": "x", "user_id": 1}, "user_id"),
        ({"provider": "x", "user_id": "1", "token": "t"}, "token"),
        ({"provider": "x\n", "user_id": "1"}, "provider"),
    ],
)
def test_bad_input_is_told(app: SandboxApp, event: dict[str, Any], named: str) -> None:
    answer = invoke(app, "check", **event)
    assert answer["code"] == "bad_request"
    assert named in answer["detail"]
