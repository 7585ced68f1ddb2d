"""All connections are checked in turn, where the stack says how often: each once in a round, however often it is interrupted."""

from collections.abc import Iterator

import pytest

import tripod
from sandbox.provider import ProviderFault
from sandbox.world import Sandbox
from tests.support.reading import WHO, grant, reading, revoke
from tests.support.sandbox_app import PARAMETERS, QUICK, SandboxApp, make_app
from tripod_flow.edges import check_progress

USERS = 4


@pytest.fixture(scope="module")
def daily() -> Iterator[Sandbox]:
    with Sandbox(parameters=PARAMETERS | {"CheckEvery": "24"}, settings=QUICK, streams=False) as sandbox:
        yield sandbox


@pytest.fixture
def apps(daily: Sandbox) -> Iterator[list[SandboxApp]]:
    """Return one app, with several users who are connected."""
    first = make_app(daily)
    first.redefine(identity_url=daily.provider + WHO, identity_user_id_field="id_str")
    others = [SandboxApp(daily, first.name, first.consumer, daily.provider_server.add_user()) for _ in range(USERS - 1)]
    for app in (first, *others):
        grant(app)
    with reading(daily):
        yield [first, *others]
        for app in (first, *others):
            tripod.disconnect(app.name, user_id=app.user.user_id)
    daily.client("dynamodb").delete_item(TableName=daily.table, Key={"pk": {"S": check_progress.KEY}})


def go_on(app: SandboxApp) -> None:
    assert app.sandbox.run_schedule(f"{app.sandbox.prefix}-check").error is None


def asked(app: SandboxApp) -> int:
    return len(app.calls("verify_credentials"))


def test_a_round_checks_everybody_once_and_the_next_comes_when_it_is_due(apps: list[SandboxApp]) -> None:
    revoke(apps[1])
    go_on(apps[0])
    assert asked(apps[0]) == USERS
    states = {user.user_id: user.state for user in tripod.users(apps[0].name)}
    assert states == {app.user.user_id: "refused" if app is apps[1] else "connected" for app in apps}
    go_on(apps[0])
    assert asked(apps[0]) == USERS
    apps[0].change_item(check_progress.KEY, began_at=1.0)
    for app in apps:
        app.change_item(app.connection_key, check_after=1.0)
    go_on(apps[0])
    assert asked(apps[0]) == 2 * USERS  # who is refused may be back


def test_a_provider_that_is_down_is_asked_once_in_an_invocation(apps: list[SandboxApp]) -> None:
    apps[0].fault("verify_credentials", ProviderFault.SERVER_ERROR, times=USERS)
    go_on(apps[0])
    assert asked(apps[0]) == 1
    assert [user.state for user in tripod.users(apps[0].name)] == ["connected"] * USERS


def test_one_process_at_a_time_goes_on_with_a_round_and_where_it_was_left(
    apps: list[SandboxApp], monkeypatch: pytest.MonkeyPatch
) -> None:
    progress = check_progress.CheckProgress(apps[0].sandbox.client("dynamodb"), apps[0].sandbox.table)
    monkeypatch.setattr(check_progress, "PAGE", 1)
    leased = progress.lease(now=1000.0)
    assert leased == check_progress.Progress(0.0, None)
    assert progress.lease(now=1000.0 + check_progress.LEASE - 1) is None
    [first], cursor = progress.page(None)
    progress.save(check_progress.Progress(5e9, cursor))  # of a round that an earlier invocation has begun
    go_on(apps[0])
    assert asked(apps[0]) == USERS - 1
    unchecked = [user.user_id for user in tripod.users(apps[0].name) if user.checked_at is None]
    assert unchecked == [first.user_id]
    assert progress.lease(now=5e9) == check_progress.Progress(5e9, None)


def test_who_was_checked_since_the_round_began_is_not_checked_again(apps: list[SandboxApp]) -> None:
    tripod.check(apps[0].name, user_id=apps[0].user.user_id)
    apps[0].change_item(check_progress.KEY, began_at=2.0, lease_until=1.0)
    apps[0].change_item(apps[2].connection_key, checked_at=5e9)
    go_on(apps[0])
    assert asked(apps[0]) == USERS - 1  # the one of a moment ago is not asked about again: what is recorded is returned


def test_without_the_parameter_nobody_is_asked(app: SandboxApp) -> None:
    app.redefine(identity_url=app.sandbox.provider + WHO, identity_user_id_field="id_str")
    grant(app)
    go_on(app)
    assert asked(app) == 0
