"""The relay: nothing that is owed is lost, nothing is told that isn't so, and every repeat can be told by its id."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.browser import JSON
from sandbox.provider import ProviderFault
from sandbox.world import Sandbox
from tests.support.direct import begin, invoke, new_pair, ticket_in
from tests.support.harness import Harness, Killed
from tests.support.sandbox_app import PARAMETERS, QUICK, SandboxApp, make_app
from tripod.credentials import UserTokens
from tripod_flow.edges.secret_writer import SecretWriter
from tripod_flow.flows import relay


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """One of this module's own, so that a sweep finds nobody else's items."""
    with Sandbox(parameters=PARAMETERS, settings=QUICK, streams=False) as running:
        yield running


@pytest.fixture
def living(alive: Sandbox) -> SandboxApp:
    """Return an app in the sandbox whose stream wakes the relay."""
    return make_app(alive)


def test_each_outcome_is_told_once_with_who_and_when_and_no_token(living: SandboxApp) -> None:
    browser = living.browser()
    granted = living.come_back(browser)
    browser.get(granted)
    browser.get(living.come_back(browser, cancel=True))
    failing = living.come_back(browser)
    living.fault("access_token", ProviderFault.RESET_AFTER)
    browser.get(failing)
    assert invoke(living, "revoke", provider=living.name, user_id=living.user.user_id)["outcome"] == "revoked"
    living.sandbox.settle()
    events = {event.detail_type: event for event in living.events()}
    assert Counter(event.detail_type for event in living.events()) == {
        "authorization.granted": 1,
        "authorization.denied": 1,
        "authorization.failed": 1,
        "connection.revoked": 1,
    }
    for kind in ("authorization.granted", "connection.revoked"):
        detail = events[kind].detail
        assert (detail["user_id"], detail["screen_name"]) == (living.user.user_id, living.user.screen_name)
    assert events["authorization.failed"].detail["error"] == "interrupted"
    assert all(event.source == "tripod" and event.bus == living.sandbox.prefix for event in living.events())
    assert len({event.detail["id"] for event in living.events()}) == 4
    for event in living.events():
        named = {"id", "provider", "user_id", "screen_name", "subject", "labels", "time"}
        assert set(event.detail) - {"error", "invalidated", "reconnected"} == named
        assert not [secret for secret in living.sandbox.provider_server.issued() if secret in str(event.detail)]
    assert "outbox" not in living.authorization(granted)
    assert "ttl" in living.authorization(granted)


def test_a_grant_whose_tokens_could_not_be_stored_is_stored_without_the_user(living: SandboxApp) -> None:
    browser = living.browser()
    callback = living.come_back(browser)
    living.sandbox.aws_server.fault("secretsmanager", "CreateSecret", "denied", times=1, match=living.name)
    assert browser.get(callback, accept=JSON).json()["outcome"] == "granted"
    living.sandbox.settle()
    living.sweep()
    assert living.stored()
    assert "pending_tokens" not in living.authorization(callback)


def test_what_the_stream_lost_the_sweep_finds(living: SandboxApp) -> None:
    browser = living.browser()
    callback = living.come_back(browser)
    with living.sandbox.streams_lost():
        browser.get(callback)
    assert "outbox" in living.authorization(callback)
    assert not living.events()
    living.sweep()
    assert [event.detail_type for event in living.events()] == ["authorization.granted"]
    assert "outbox" not in living.authorization(callback)


def test_a_record_that_comes_twice_is_told_once(living: SandboxApp) -> None:
    browser = living.browser()
    callback = living.come_back(browser)
    browser.get(callback)
    living.sandbox.settle()
    record = {"eventName": "MODIFY", "dynamodb": {"Keys": {"pk": living.authorization(callback)["pk"]}}}
    answer = living.sandbox.functions.invoke(f"{living.sandbox.prefix}-relay", {"Records": [record, record]})
    assert answer.payload is None
    assert len(living.events()) == 1


def test_a_direct_grants_event_bears_the_apps_own_user(living: SandboxApp) -> None:
    secret, challenge = new_pair(living.name, "http://127.0.0.1:3000/done")
    begun = begin(living, subject="customer 42", challenge=challenge, return_to="http://127.0.0.1:3000/done")
    location = living.browser().get(living.consent(begun["authorize_url"])).headers["location"]
    living.sandbox.settle()
    assert not living.events()
    invoke(living, "redeem", ticket=ticket_in(location), secret=secret)
    living.sandbox.settle()
    assert [event.detail["subject"] for event in living.events()] == ["customer 42"]


@pytest.mark.parametrize("kind", ["throttled", "denied", "entry_failed", "lost"])
def test_an_event_that_could_not_be_published_is_published_later_under_the_same_id(app: SandboxApp, kind: Any) -> None:
    browser = app.browser()
    callback = app.come_back(browser)
    browser.get(callback)
    fault = app.sandbox.aws_server.fault("events", "PutEvents", kind, times=3, match=app.name)
    app.sweep()
    assert fault.strikes
    fault.times = 0
    app.sweep()
    app.sweep()
    assert app.events()
    assert len({event.detail["id"] for event in app.events()}) == 1
    assert "outbox" not in app.authorization(callback)


def test_a_relay_that_dies_between_publishing_and_noting_it_tells_it_again_under_the_same_id(app: SandboxApp) -> None:
    browser = app.browser()
    callback = app.come_back(browser)
    browser.get(callback)
    fault = app.sandbox.aws_server.fault("dynamodb", "UpdateItem", "denied", times=3, match=f"authorization#{app.name}")
    app.sweep()
    assert fault.strikes
    fault.times = 0
    app.sweep()
    events = app.events()
    assert len(events) == 2
    assert events[0].detail == events[1].detail


def test_a_relay_that_dies_between_storing_and_settling_loses_nothing(app: SandboxApp) -> None:
    class Down(SecretWriter):
        def store(self, tokens: UserTokens, *, expected: bool) -> None:
            raise app.sandbox.client("secretsmanager").exceptions.InternalServiceError({"Error": {"Code": "x"}}, "CreateSecret")

    class Dying(SecretWriter):
        def store(self, tokens: UserTokens, *, expected: bool) -> None:
            super().store(tokens, expected=expected)
            raise Killed

    grant = Harness(app, writer_type=Down)
    record = grant.callback(*grant.come_back())
    grant.clock.now += 60
    dying = Harness(app, clock=grant.clock, writer_type=Dying)
    with pytest.raises(Killed):
        dying.relay.relay([record.pk], lambda: True)
    assert grant.record(record.request_token).pending_tokens
    grant.clock.now += relay.RELAY_LEASE
    Harness(app, clock=grant.clock).relay.relay([record.pk], lambda: True)
    assert grant.record(record.request_token).pending_tokens is None
    assert app.stored()
    versions = app.sandbox.client("secretsmanager").list_secret_version_ids(SecretId=app.secret_name)["Versions"]
    assert len(versions) == 1


def test_a_grant_is_told_when_its_tokens_can_be_read(app: SandboxApp) -> None:
    told: list[list[str]] = []

    class Watched(SecretWriter):
        def store(self, tokens: UserTokens, *, expected: bool) -> None:
            harness.relay.relay([harness.record(token).pk], lambda: True)  # as the stream wakes it, once the grant is made
            told.append(app.told())
            super().store(tokens, expected=expected)

    harness = Harness(app, writer_type=Watched)
    token, verifier = harness.come_back()
    record = harness.callback(token, verifier)
    assert told == [[]]
    harness.relay.relay([record.pk], lambda: True)
    assert app.told() == ["authorization.granted"]
    assert harness.record(token).outbox is None


def test_one_poisoned_item_holds_back_no_other(app: SandboxApp) -> None:
    good, bad = Harness(app), Harness(make_app(app.sandbox))
    bad.writer = good.writer
    record, poisoned = good.callback(*good.come_back()), bad.callback(*bad.come_back())
    app.change_item(poisoned.pk, state="nonsense")
    good.relay.relay([poisoned.pk, record.pk], lambda: True)
    assert [event.detail_type for event in app.events()] == ["authorization.granted"]
    bad.app.come_due()
    app.sweep()
    assert f'"authorization":"{poisoned.log_id}"' in app.sandbox.logs.text
    app.sandbox.client("dynamodb").delete_item(TableName=app.sandbox.table, Key={"pk": {"S": poisoned.pk}})


def test_a_sweep_ends_in_time_and_leaves_the_rest_to_the_next(app: SandboxApp) -> None:
    harness = Harness(app)
    records = [harness.callback(*harness.come_back()) for _ in range(3)]
    left = iter([True, False])
    harness.relay.relay([record.pk for record in records], lambda: next(left))
    assert len(app.events()) == 1


def test_an_identity_that_the_browser_never_had_asked_is_asked_for(app: SandboxApp) -> None:
    nameless = make_app(app.sandbox, user_id_field=None, screen_name_field=None)
    browser = nameless.browser()
    callback = nameless.come_back(browser)
    nameless.fault("identity", ProviderFault.SERVER_ERROR)
    assert browser.get(callback, accept=JSON).json()["code"] == "provider_unavailable"
    nameless.sweep()
    assert nameless.stored()
    assert [event.detail_type for event in nameless.events()] == ["authorization.granted"]


def test_a_relay_is_what_the_stack_deploys(app: SandboxApp) -> None:
    (described,) = [function for function in app.sandbox.template.functions() if function.logical_id == "RelayFunction"]
    assert sorted(kind for kind, _ in described.events) == ["DynamoDB", "Schedule"]


def test_a_ticket_is_good_after_an_identity_that_the_relay_has_asked_for(app: SandboxApp) -> None:
    nameless = make_app(app.sandbox, user_id_field=None, screen_name_field=None)
    nameless.fault("identity", ProviderFault.SERVER_ERROR)
    secret, challenge = new_pair(nameless.name)
    browser = nameless.browser()
    callback = nameless.come_back(browser, challenge=challenge)
    assert browser.get(callback, accept=JSON).status_code == 503
    nameless.sweep()
    ticket = browser.get(callback, accept=JSON).json()["ticket"]
    assert invoke(nameless, "redeem", ticket=ticket, secret=secret)["user_id"] == nameless.user.user_id
