"""Users whose tokens are in the table and in Secrets Manager at the same time: while the store is changed."""

from collections.abc import Iterator

import pytest

import tripod
from sandbox.world import Sandbox
from tests.support.grants import acting, assert_nothing_is_owed, current, grant, let_hours_pass, token_of
from tests.support.harness import Harness, Killed
from tests.support.reading import reading
from tests.support.sandbox_app import SandboxApp, make_app
from tripod import process
from tripod_flow.flows.relay import RELAY_LEASE
from tripod_flow.rules.revocation import INVALIDATING


@pytest.fixture
def app(sandbox: Sandbox) -> Iterator[SandboxApp]:
    app = make_app(sandbox, secret={"store": "table"}, renews=True)
    with reading(sandbox):
        yield app


def die() -> None:
    raise Killed


def sealed_first(app: SandboxApp) -> Harness:
    """Let the user sign in under ``table``, and then have the app say ``moving``."""
    first = Harness(app)
    first.callback(*first.come_back())
    app.change_consumer(store="moving")
    return first


def test_sealed_tokens_are_read_until_those_of_a_new_sign_in_are_written_as_a_secret(app: SandboxApp) -> None:
    first, seen = sealed_first(app), []

    def read() -> None:
        process.forget()
        seen.append(tripod.user_tokens(app.name, user_id=app.user.user_id).oauth_token)

    read()
    for after in (False, True):
        again = Harness(app, clock=first.clock, writer_type=acting("store", read, after=after))
        newest = token_of(grant(again))
        read()
        assert seen[-1] == newest == current(app)
    assert "sealed_tokens" not in (app.connection() or {})


def test_a_disconnect_while_a_new_sign_in_is_written_ends_both(app: SandboxApp) -> None:
    first = sealed_first(app)
    dying = Harness(app, clock=first.clock, writer_type=acting("store", die, after=True))
    with pytest.raises(Killed):
        grant(dying)
    first.clock.now += 1
    first.revocation.revoke(app.name, app.user.user_id)
    let_hours_pass(first)
    assert current(app) is None
    assert app.sandbox.provider_server.valid_token(app.consumer.key, app.user) is None
    assert_nothing_is_owed(app)


def test_a_secret_whose_deletion_failed_is_deleted_when_its_user_is_back_in_the_table(app: SandboxApp) -> None:
    app.change_consumer(store="secrets-manager")
    first = Harness(app)
    first.callback(*first.come_back())
    first.clock.now += 1
    dying = Harness(app, clock=first.clock, writer_type=acting("delete", die))
    with pytest.raises(Killed):
        dying.revocation.revoke(app.name, app.user.user_id)
    app.change_consumer(store="table")
    back = Harness(app, clock=first.clock)
    grant(back, anew=False)
    assert app.stored()
    let_hours_pass(back)
    assert app.is_deleted()
    assert_nothing_is_owed(app)
    assert tripod.user_tokens(app.name, user_id=app.user.user_id)


def test_a_secret_that_a_new_sign_in_is_about_to_write_is_not_deleted_for_an_earlier_one_in_the_table(app: SandboxApp) -> None:
    app.change_consumer(store="secrets-manager")
    first = Harness(app)
    grant(first, anew=False)
    first.clock.now += 1
    first.revocation.revoke(app.name, app.user.user_id)
    app.change_consumer(store="table")
    first.clock.now += INVALIDATING
    grant(Harness(app, clock=first.clock), anew=False)
    app.change_consumer(store="moving")
    dying = Harness(app, clock=first.clock, writer_type=acting("store", die))
    with pytest.raises(Killed):
        grant(dying)
    first.clock.now += RELAY_LEASE + 1
    pks = {pk for pk in first.due() if app.name in pk}
    another = Harness(app, clock=first.clock)

    def store() -> None:
        another.relay.relay(pks - {app.connection_key}, lambda: True)

    late = Harness(app, clock=first.clock, writer_type=acting("delete", store))
    late.relay.relay([app.connection_key], lambda: True)
    store()
    process.forget()
    tokens = tripod.user_tokens(app.name, user_id=app.user.user_id)
    assert tokens.oauth_token == app.sandbox.provider_server.valid_token(app.consumer.key, app.user)
    assert "sealed_tokens" not in (app.connection() or {})
