"""Moving users' tokens between Secrets Manager and the table: what is moved, twice, interrupted anywhere, and with others about."""

from collections.abc import Iterator

import pytest

import tripod
from sandbox.world import Sandbox
from tests.support.grants import assert_nothing_is_owed
from tests.support.harness import Harness, Killed
from tests.support.moving import Calls, dying, is_sealed, results, run, settle, sign_in, valid
from tests.support.reading import reading
from tests.support.sandbox_app import SandboxApp, make_app
from tripod import process
from tripod_flow.flows.move import MoveResult

WAYS = ["table", "secrets-manager"]
MOST_CALLS = 12  # of one user's move


@pytest.fixture
def harness(sandbox: Sandbox) -> Iterator[Harness]:
    with reading(sandbox):
        yield Harness(make_app(sandbox, renews=True))


def signed_in(harness: Harness, to: str) -> str:
    """Let the user sign in where a move begins that goes ``to`` a store, and return the token."""
    return sign_in(harness, "secrets-manager" if to == "table" else "table", then="moving")


def read(app: SandboxApp) -> str:
    """Return the token that a reader gets who has cached nothing."""
    process.forget()
    return tripod.user_tokens(app.name, user_id=app.user.user_id).oauth_token


def assert_moved(harness: Harness, to: str) -> None:
    """Assert that the user's valid token is where it was moved to, and nowhere else, for good."""
    app = harness.app
    settle(harness)
    assert_nothing_is_owed(app)
    assert is_sealed(app) is (to == "table")
    assert app.is_deleted() is (to == "table")
    app.change_consumer(store=to)
    assert read(app) == valid(app)


@pytest.mark.parametrize("to", WAYS)
def test_tokens_are_moved_and_are_the_same_to_every_reader(harness: Harness, to: str) -> None:
    signed_in(harness, to)
    assert results(run(harness, to)) == [MoveResult.MOVED]
    assert read(harness.app) == valid(harness.app)
    assert_moved(harness, to)


@pytest.mark.parametrize("to", WAYS)
def test_a_second_move_finds_all_there(harness: Harness, to: str) -> None:
    signed_in(harness, to)
    run(harness, to)
    before = harness.app.connection()
    calls = Calls()
    assert results(run(harness, to, calls)) == [MoveResult.THERE]
    assert [name for name in calls.made if name != "get_secret_value"] == ["get_item"]  # the consumer secret is read before
    assert harness.app.connection() == before


def test_there_and_back_again_the_secret_comes_back_from_its_deletion(harness: Harness) -> None:
    signed_in(harness, "table")
    for to in ("table", "secrets-manager", "table", "secrets-manager"):
        assert results(run(harness, to)) == [MoveResult.MOVED]
        assert read(harness.app) == valid(harness.app)
        settle(harness)
    assert_nothing_is_owed(harness.app)
    assert harness.app.stored()


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("to", WAYS)
def test_a_move_that_is_killed_in_any_call_loses_nothing_and_is_resumed(sandbox: Sandbox, to: str, after: bool) -> None:
    with reading(sandbox):
        for at in range(1, MOST_CALLS + 1):
            harness = Harness(make_app(sandbox, renews=True))
            signed_in(harness, to)
            try:
                run(harness, to, dying(at, after=after))
            except Killed:
                assert read(harness.app) == valid(harness.app)
            else:
                assert at > 6
                return
            settle(harness)
            assert read(harness.app) == valid(harness.app)
            assert results(run(harness, to))[0] in (MoveResult.MOVED, MoveResult.THERE)
            assert_moved(harness, to)
    pytest.fail("a move makes more calls")
