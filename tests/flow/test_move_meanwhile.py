"""Moving users' tokens while others sign in, disconnect, move and read: nobody reads an older token, and nothing comes back."""

from collections.abc import Callable, Iterator
from functools import partial

import pytest

import tripod
from sandbox.world import Sandbox
from tests.support.grants import assert_nothing_is_owed, current
from tests.support.harness import Harness
from tests.support.moving import acting_at, is_sealed, move, settle, sign_in, valid
from tests.support.reading import reading
from tests.support.sandbox_app import SandboxApp, make_app
from tripod import process

WAYS = ["table", "secrets-manager"]
FROM = {"table": "secrets-manager", "secrets-manager": "table"}
CALLS = range(1, 10)  # of one user's move


@pytest.fixture
def harness(sandbox: Sandbox) -> Iterator[Harness]:
    with reading(sandbox):
        yield Harness(make_app(sandbox, renews=True))


def read(app: SandboxApp) -> str:
    """Return the token that a reader gets whose cache has nothing, and who looks into both places."""
    tokens = process.this().secret_reader.user(app.name, app.user.user_id, fresh=True, may_be_sealed=True)
    return tokens.oauth_token


def assert_read(app: SandboxApp) -> None:
    assert read(app) == valid(app)


def anew(harness: Harness) -> Harness:
    """Return another user's harness at the same app."""
    app = harness.app
    other = SandboxApp(app.sandbox, app.name, app.consumer, app.sandbox.provider_server.add_user())
    return Harness(other, clock=harness.clock)


@pytest.mark.parametrize(("to", "store"), [("table", "table"), ("secrets-manager", "moving"), ("secrets-manager", "table")])
def test_who_signs_in_in_the_middle_of_any_call_has_the_new_token_read_and_moved(harness: Harness, to: str, store: str) -> None:
    for at in CALLS:
        each = anew(harness)
        sign_in(each, FROM[to], then="moving")
        new = partial(sign_in, each, store, "moving")
        run_for(each, to, at, new, partial(assert_read, each.app))
        settle(each)
        assert_read(each.app)
        run_for(each, to, 0, new, partial(assert_read, each.app))
        settle(each)
        assert is_sealed(each.app) is (to == "table")
        assert_read(each.app)
        assert_nothing_is_owed(each.app)


def test_a_late_grant_that_is_stored_as_a_secret_while_that_is_deleted_is_restored_at_once(harness: Harness) -> None:
    for at in CALLS:
        each = anew(harness)
        sign_in(each, "secrets-manager", then="moving")
        run_for(each, "table", at, partial(sign_in, each, "moving"), lambda: None)
        assert_read(each.app)
        settle(each)
        run_for(each, "table", 0, lambda: None, partial(assert_read, each.app))
        settle(each)
        assert is_sealed(each.app)
        assert_read(each.app)


@pytest.mark.parametrize("to", WAYS)
def test_who_disconnects_in_the_middle_of_any_call_stays_disconnected_there_and_at_the_provider(
    harness: Harness, to: str
) -> None:
    for at in CALLS:
        each = anew(harness)
        sign_in(each, FROM[to], then="moving")

        def look(each: Harness = each) -> None:
            if valid(each.app):
                assert_read(each.app)
            else:
                with pytest.raises(tripod.TokenRevoked):
                    read(each.app)

        def leave(each: Harness = each) -> None:
            each.clock.now += 1
            each.revocation.revoke(each.app.name, each.app.user.user_id)
            assert valid(each.app) is None

        run_for(each, to, at, leave, look)
        if valid(each.app):  # the move had no such call
            leave()
        settle(each)
        look()
        assert not is_sealed(each.app)
        assert current(each.app) is None
        assert_nothing_is_owed(each.app)


@pytest.mark.parametrize("other", WAYS)
@pytest.mark.parametrize("to", WAYS)
def test_two_moves_at_once_leave_the_tokens_in_one_place(harness: Harness, to: str, other: str) -> None:
    for at in CALLS:
        each = anew(harness)
        sign_in(each, FROM[to], then="moving")
        look = partial(assert_read, each.app)
        run_for(each, to, at, lambda each=each, look=look: run_for(each, other, 0, look, look), look)  # type: ignore[misc]  # bound
        settle(each)
        look()
        assert app_is_whole(each.app)
        assert_nothing_is_owed(each.app)


def app_is_whole(app: SandboxApp) -> bool:
    """Return True if the tokens are sealed and there is no secret, or the other way round."""
    return is_sealed(app) is (current(app) is None)


def run_for(harness: Harness, to: str, at: int, act: Callable[[], object], look: Callable[[], None]) -> None:
    """Move this user alone, with ``act`` in the middle of a call."""
    calls = acting_at(at, act, look)
    moves = move(harness, calls)
    act_on = moves._seal if to == "table" else moves._unseal
    moves._persistently(harness.app.name, harness.app.user.user_id, act_on)
