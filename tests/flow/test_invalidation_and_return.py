"""A user who comes back after a disconnect: no invalidation of an earlier token ends the new sign-in, or leaves it with a dead one."""

from unittest.mock import patch

import pytest

from sandbox.provider import ProviderFault
from tests.support.grants import assert_nothing_is_owed, current, grant, let_hours_pass, revoked_events, tidy, token_of
from tests.support.harness import Harness
from tests.support.invalidation import asking, knows_no_grant
from tests.support.sandbox_app import UNDEFINED, SandboxApp
from tripod_flow.rules import revocation
from tripod_flow.rules.authorization import Authorization


@pytest.mark.parametrize(
    ("fault", "seconds"), [(ProviderFault.RATE_LIMITED, 0.0), (ProviderFault.SERVER_ERROR, revocation.INVALIDATING)]
)  # what may have got the request may yet invalidate
def test_a_user_who_comes_back_before_that_keeps_the_token_that_the_provider_gives_again(
    harness: Harness, fault: ProviderFault, seconds: float
) -> None:
    app = harness.app
    old = harness.callback(*harness.come_back())
    app.fault("invalidate_token", fault, times=2)
    harness.clock.now += 1
    assert harness.revocation.revoke(app.name, app.user.user_id) is None
    harness.clock.now += seconds
    new = grant(harness, anew=False)
    assert token_of(new) == token_of(old)
    asked = len(app.calls("invalidate_token"))
    let_hours_pass(harness)
    assert len(app.calls("invalidate_token")) == asked
    assert current(app) == token_of(new)
    assert not knows_no_grant(app)
    assert_nothing_is_owed(app)


@pytest.mark.parametrize("first", [True, False])
def test_who_agrees_while_the_provider_is_asked_is_not_connected_by_a_dead_token(app: SandboxApp, first: bool) -> None:
    other = Harness(app)
    other.callback(*other.come_back())
    meanwhile: list[Authorization] = []
    slow = Harness(app, clock=other.clock, client_type=asking(lambda: meanwhile.append(grant(other, anew=False)), first=first))
    other.clock.now += 1
    assert slow.revocation.revoke(app.name, app.user.user_id) is True
    tidy(other, *meanwhile)
    let_hours_pass(other)
    assert current(app) is None
    assert knows_no_grant(app)
    told = sorted(app.events(), key=lambda event: float(event.detail["time"]))
    assert told[-1].detail_type == "connection.revoked"
    after = grant(other, anew=False)
    assert current(app) == token_of(after)


def test_who_agrees_when_the_provider_has_answered_is_connected(app: SandboxApp) -> None:
    harness = Harness(app)
    harness.callback(*harness.come_back())
    harness.clock.now += 1
    harness.revocation.revoke(app.name, app.user.user_id)
    harness.clock.now += 0.5
    after = harness.callback(*harness.come_back())
    tidy(harness, after)
    assert current(app) == token_of(after)
    assert not knows_no_grant(app)


def test_an_invalidation_that_the_provider_does_late_leaves_nobody_with_a_dead_token(app: SandboxApp) -> None:
    harness = Harness(app)
    harness.callback(*harness.come_back())
    app.fault("invalidate_token", ProviderFault.TIMEOUT)  # it has the request, and does it when nobody waits any more
    harness.clock.now += 1
    assert harness.revocation.revoke(app.name, app.user.user_id) is None
    harness.clock.now += 0.5
    meanwhile = harness.callback(*harness.come_back())
    assert knows_no_grant(app) is False  # that was the late execution
    tidy(harness, meanwhile)
    assert current(app) is None
    after = grant(harness, anew=False)
    assert current(app) == token_of(after)
    assert not knows_no_grant(app)


def test_a_slow_answer_about_one_token_does_not_end_anothers_invalidation(app: SandboxApp) -> None:
    other = Harness(app)
    other.callback(*other.come_back())

    def meanwhile() -> None:
        other.clock.now += revocation.INVALIDATING + 1
        grant(other, anew=False)
        app.fault("invalidate_token", ProviderFault.RATE_LIMITED)
        other.clock.now += 1
        assert other.revocation.revoke(app.name, app.user.user_id) is None

    slow = Harness(app, clock=other.clock, client_type=asking(meanwhile))
    other.clock.now += 1
    slow.revocation.revoke(app.name, app.user.user_id)
    let_hours_pass(other)
    assert current(app) is None
    assert knows_no_grant(app)


def test_nobody_is_refused_where_the_provider_has_no_way_to_invalidate(app: SandboxApp) -> None:
    app.redefine(invalidate_url=UNDEFINED)
    harness = Harness(app)
    harness.callback(*harness.come_back())
    with patch.object(harness.token_store, "try_to_store", lambda _: None):  # stays in the outbox
        owed = grant(harness, anew=False)
    harness.clock.now += 1
    harness.revocation.revoke(app.name, app.user.user_id)
    harness.clock.now += 30
    back = harness.callback(*harness.come_back())
    tidy(harness, owed, back)
    assert current(app) == token_of(back)
    assert not app.calls("invalidate_token")
    told = sorted(app.events(), key=lambda event: float(event.detail["time"]))
    assert told[-1].detail_type == "authorization.granted"
    assert [event["invalidated"] for event in revoked_events(app)] == [False]
