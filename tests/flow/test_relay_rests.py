"""What fails waits, longer each time, and has an end."""

from typing import Any
from unittest.mock import patch

import pytest

from sandbox.provider import ProviderFault
from sandbox.world import Sandbox
from tests.support.direct import new_pair
from tests.support.harness import Harness, Killed
from tests.support.sandbox_app import SandboxApp, make_app
from tripod_flow.rules import backoff, errors, outbox, revocation, transitions
from tripod_flow.rules.authorization import State

MOST = 20  # tries in the first ten minutes


@pytest.fixture
def nameless(sandbox: Sandbox) -> Harness:
    """An app at a provider that doesn't say whose tokens it issues, and can't be asked either."""
    app = make_app(sandbox, user_id_field=None, screen_name_field=None)
    app.fault("identity", ProviderFault.SERVER_ERROR, times=999)
    return Harness(app)


def test_a_dead_identity_is_asked_for_seldom_and_ends_after_a_day(nameless: Harness) -> None:
    token, verifier = nameless.come_back()
    with pytest.raises(errors.ProviderUnavailable):
        nameless.callback(token, verifier)
    pk = nameless.record(token).pk
    nameless.wake(pk, seconds=600)
    assert 4 < len(nameless.app.calls("identity")) <= MOST
    nameless.clock.now += transitions.IDENTITY_PATIENCE
    nameless.relay.relay([pk], lambda: True)
    record = nameless.record(token)
    assert (record.state, record.error, record.pending_tokens, record.outbox) == (State.FAILED, "expired", None, None)
    assert nameless.app.told() == ["authorization.failed"]


def test_the_streams_record_of_the_relays_own_write_starts_nothing(alive: Sandbox) -> None:
    app = make_app(alive, user_id_field=None, screen_name_field=None)
    app.fault("identity", ProviderFault.SERVER_ERROR, times=999)
    browser = app.browser()
    browser.get(app.come_back(browser))
    alive.settle()  # never came to an end while each try woke the next
    assert 1 <= len(app.calls("identity")) <= 2


def denied(app: SandboxApp, operation: str) -> Any:
    return app.sandbox.aws_server.fault("secretsmanager", operation, "denied", times=9999, match=app.name)


def test_a_denied_store_is_tried_seldom_and_given_up_after_a_week(harness: Harness) -> None:
    app = harness.app
    fault = denied(app, "CreateSecret")
    record = harness.callback(*harness.come_back())
    agreed = record.agreed_at
    harness.wake(record.pk, seconds=600)
    assert 4 < fault.strikes <= MOST
    harness.clock.now += outbox.PATIENCE
    harness.relay.relay([record.pk], lambda: True)
    left = harness.record(record.request_token)
    assert (left.state, left.pending_tokens, left.outbox) == (State.GRANTED, None, None)
    harness.relay.relay([app.connection_key], lambda: True)
    found = harness.table.connection(app.connection_key)
    assert found
    assert (found.revoked_at, found.connected_to) == (agreed, None)  # whoever agrees later is connected
    assert app.told() == ["connection.revoked"]  # of a grant that could never be used nobody was told before
    fault.times = 0
    assert app.stored() is None


def test_a_newer_grant_stays_when_an_older_one_is_given_up(harness: Harness) -> None:
    app = harness.app
    fault = denied(app, "CreateSecret")
    old = harness.callback(*harness.come_back())
    fault.times = 0
    harness.clock.now += 1
    harness.callback(*harness.come_back())
    harness.clock.now += outbox.PATIENCE
    harness.relay.relay([old.pk], lambda: True)
    found = harness.table.connection(app.connection_key)
    assert found
    assert found.revoked_at is None
    assert app.stored()


def test_a_failing_invalidation_is_tried_seldom_and_given_up_after_a_day(harness: Harness) -> None:
    app = harness.app
    fault = denied(app, "CreateSecret")
    record = harness.callback(*harness.come_back())
    harness.clock.now += 1
    harness.revocation.revoke(app.name, app.user.user_id)
    fault.times = 0
    app.fault("invalidate_token", ProviderFault.SERVER_ERROR, times=9999)
    harness.wake(record.pk, app.connection_key, seconds=600)
    assert harness.record(record.request_token).pending_tokens is None
    assert 4 < len(app.calls("invalidate_token")) <= MOST
    harness.clock.now += revocation.INVALIDATION_PATIENCE
    harness.relay.relay([app.connection_key], lambda: True)
    found = harness.table.connection(app.connection_key)
    assert found
    assert found.pending_invalidation is None
    assert app.stored() is None


def test_a_denied_deletion_is_tried_seldom_and_given_up_after_a_week(harness: Harness) -> None:
    app = harness.app
    harness.callback(*harness.come_back())
    fault = denied(app, "DeleteSecret")
    harness.clock.now += 1
    with pytest.raises(app.sandbox.client("secretsmanager").exceptions.ClientError):
        harness.revocation.revoke(app.name, app.user.user_id)
    harness.wake(app.connection_key, seconds=600)
    assert 4 < fault.strikes <= MOST
    assert app.told() == ["connection.revoked"]  # all the same, and once
    harness.clock.now += outbox.PATIENCE
    harness.relay.relay([app.connection_key], lambda: True)
    found = harness.table.connection(app.connection_key)
    assert found
    assert (found.outbox, found.pending_events, found.deletion_pending) == (None, None, True)
    fault.times = 0
    harness.revocation.revoke(app.name, app.user.user_id)  # asked again once the permission is back
    assert app.is_deleted()


def test_an_event_that_nobody_takes_is_given_up_after_a_week(harness: Harness) -> None:
    app = harness.app
    token, _ = harness.come_back(cancel=True)
    pk = harness.deny(token).pk
    fault = app.sandbox.aws_server.fault("events", "PutEvents", "denied", times=9999, match=app.name)
    harness.wake(pk, seconds=600)
    assert 4 < fault.strikes <= MOST
    harness.clock.now += outbox.PATIENCE
    harness.relay.relay([pk], lambda: True)
    fault.times = 0
    assert harness.record(token).outbox is None
    assert app.told() == []


def test_so_is_that_of_a_disconnect_while_its_deletion_is_done(harness: Harness) -> None:
    app = harness.app
    harness.callback(*harness.come_back())
    harness.clock.now += 1
    harness.revocation.revoke(app.name, app.user.user_id)
    fault = app.sandbox.aws_server.fault("events", "PutEvents", "denied", times=9999, match=app.name)
    harness.wake(app.connection_key, seconds=600)
    assert 4 < fault.strikes <= MOST
    harness.clock.now += outbox.PATIENCE
    harness.relay.relay([app.connection_key], lambda: True)
    fault.times = 0
    found = harness.table.connection(app.connection_key)
    assert found
    assert (found.outbox, found.pending_events, found.deletion_pending, app.is_deleted()) == (None, None, None, True)
    assert "connection.revoked" not in app.told()


def test_a_providers_own_time_to_come_back_is_respected(sandbox: Sandbox) -> None:
    app = make_app(sandbox, user_id_field=None, screen_name_field=None)
    app.fault("identity", ProviderFault.RATE_LIMITED)
    harness = Harness(app)
    token, verifier = harness.come_back()
    with pytest.raises(errors.ProviderUnavailable) as caught:
        harness.callback(token, verifier)
    record = harness.record(token)
    assert caught.value.retry_after
    assert record.outbox_due
    assert record.outbox_due - harness.clock() >= caught.value.retry_after > backoff.FIRST * 1.2


def test_what_was_stored_stays_where_only_its_mark_is_missing_for_a_week(harness: Harness) -> None:
    app = harness.app
    token, verifier = harness.come_back()
    with patch.object(harness.token_store, "_mark_stored", side_effect=Killed), pytest.raises(Killed):
        harness.callback(token, verifier)
    harness.clock.now += outbox.PATIENCE  # the relay did not run
    harness.relay.relay([harness.record(token).pk], lambda: True)
    found = harness.table.connection(app.connection_key)
    assert found
    assert found.revoked_at is None
    assert app.stored()


def test_giving_an_old_grant_up_leaves_a_consent_that_waits_for_its_ticket(harness: Harness) -> None:
    app = harness.app
    fault = denied(app, "CreateSecret")
    old = harness.callback(*harness.come_back())
    harness.clock.now += outbox.PATIENCE - 60
    secret, challenge = new_pair(app.name)
    ticket = harness.finish.callback(app.name, *harness.come_back(browser=False, challenge=challenge), {}).ticket
    assert ticket
    harness.clock.now += 61
    harness.relay.relay([old.pk, app.connection_key], lambda: True)
    fault.times = 0
    harness.finish.redeem(ticket, secret)
    assert app.stored()


def test_reloads_keep_no_tokens_longer_than_the_relay_would(nameless: Harness) -> None:
    token, verifier = nameless.come_back()
    end = nameless.clock.now + transitions.IDENTITY_PATIENCE + 900
    while nameless.record(token).state is not State.FAILED:
        assert nameless.clock.now < end
        with pytest.raises(errors.FlowError):
            nameless.callback(token, verifier)
        nameless.clock.now += 890
        nameless.relay.relay([nameless.record(token).pk], lambda: True)
    assert nameless.record(token).pending_tokens is None


def test_reloads_keep_no_granted_tokens_past_the_week(harness: Harness) -> None:
    denied(harness.app, "CreateSecret")
    token, verifier = harness.come_back()
    pk, end = harness.callback(token, verifier).pk, harness.clock.now + outbox.PATIENCE + 3_600
    harness.clock.now = end - 7_200
    while harness.clock.now < end:
        harness.clock.now += 890
        harness.callback(token, verifier)
        harness.relay.relay([pk], lambda: True)
    assert harness.record(token).pending_tokens is None


@pytest.mark.parametrize("kind", ["authorization", "connection"])
def test_an_item_that_cant_be_read_holds_back_no_other(harness: Harness, kind: str) -> None:
    app = harness.app
    bad = f"{kind}#{app.name}#bad"
    item = {"pk": {"S": bad}, "state": {"S": "of a newer version"}, "revoked_at": {"S": "?"}}
    app.sandbox.client("dynamodb").put_item(TableName=app.sandbox.table, Item=item)
    with patch.object(harness.token_store, "try_to_store", lambda _: None):
        owed = harness.callback(*harness.come_back())
    harness.clock.now += transitions.LEASE
    harness.relay.relay([bad, owed.pk], lambda: True)
    assert app.stored()


def test_an_item_that_cant_be_read_is_given_up_after_a_week(harness: Harness) -> None:
    app = harness.app
    with patch.object(harness.token_store, "try_to_store", lambda _: None):
        key = harness.callback(*harness.come_back()).pk
    app.change_item(key, state="of a newer version")
    for days in range(9):
        assert ("outbox" in (app.item(key) or {})) is (days < 7)
        harness.clock.now += 86_400
        harness.relay.relay([key], lambda: True)
    assert "pending_tokens" not in (app.item(key) or {})


def test_a_provider_that_hangs_holds_up_nobody_elses_items(sandbox: Sandbox) -> None:
    hanging, other = (Harness(make_app(sandbox, user_id_field=None, screen_name_field=None)) for _ in range(2))
    keys = []
    for harness in (hanging, hanging, hanging, other):
        harness.app.fault("identity", ProviderFault.SERVER_ERROR)
        token, verifier = harness.come_back()
        with pytest.raises(errors.ProviderUnavailable):
            harness.callback(token, verifier)
        keys.append(harness.record(token).pk)
    other.clock.now = hanging.clock.now = hanging.clock.now + backoff.LONGEST
    hanging.app.fault("identity", ProviderFault.RESET)
    asked = len(hanging.app.calls("identity"))
    other.relay.relay(keys, lambda: True)
    assert len(hanging.app.calls("identity")) == asked + 1
    assert other.app.stored()
    other.clock.now += backoff.LONGEST
    other.relay.relay(keys, lambda: True)  # the next invocation asks again
    assert hanging.app.stored()
