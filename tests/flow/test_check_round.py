"""All connections are checked in turn, where the stack says how often: each once in a round, however often it is interrupted."""

import time
from collections.abc import Iterator

import pytest

import tripod
from sandbox.provider import ProviderFault
from sandbox.world import Sandbox
from tests.support.harness import Harness
from tests.support.reading import WHO, grant, reading, revoke
from tests.support.sandbox_app import PARAMETERS, QUICK, SandboxApp, make_app
from tripod_flow.edges import check_progress
from tripod_flow.edges.check_progress import CheckProgress
from tripod_flow.flows import check_round
from tripod_flow.flows.check_round import CheckRound

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


def come_due(app: SandboxApp) -> None:
    """Let the five minutes between two invocations be over."""
    app.change_item(check_progress.KEY, lease_until=1.0)


def go_on(app: SandboxApp) -> None:
    come_due(app)
    assert app.sandbox.run_schedule(f"{app.sandbox.prefix}-check").error is None


def asked(app: SandboxApp) -> int:
    return len(app.calls("verify_credentials"))


def unchecked(app: SandboxApp) -> set[str]:
    return {user.user_id for user in tripod.users(app.name) if user.checked_at is None}


@pytest.fixture
def here(apps: list[SandboxApp]) -> CheckRound:
    """Return the flow in this process."""
    sandbox = apps[0].sandbox
    progress = CheckProgress(sandbox.client("dynamodb"), sandbox.table)
    return CheckRound(progress, Harness(apps[0]).flows.check, every=86_400.0, clock=time.time)


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


def test_a_provider_that_is_down_is_asked_three_times_in_an_invocation(apps: list[SandboxApp]) -> None:
    apps[0].fault("verify_credentials", ProviderFault.SERVER_ERROR, times=USERS)
    go_on(apps[0])
    assert asked(apps[0]) == check_round.FAILURES == USERS - 1
    assert [user.state for user in tripod.users(apps[0].name)] == ["connected"] * USERS


def test_who_was_left_out_because_a_provider_was_down_is_checked_when_it_is_back(apps: list[SandboxApp]) -> None:
    apps[0].fault("verify_credentials", ProviderFault.SERVER_ERROR, times=check_round.FAILURES)
    for expected in (check_round.FAILURES, check_round.FAILURES + USERS, check_round.FAILURES + USERS):
        for app in apps:
            app.change_item(app.connection_key, check_after=1.0)
        go_on(apps[0])
        assert asked(apps[0]) == expected
    assert unchecked(apps[0]) == set()


def asked_again(apps: list[SandboxApp]) -> int:
    """Go on with the round when a connection may be asked about again; return how many are asked about."""
    before = asked(apps[0])
    for app in apps:
        app.change_item(app.connection_key, check_after=1.0)
    go_on(apps[0])
    return asked(apps[0]) - before


def test_who_was_left_out_in_an_earlier_invocation_is_checked_in_the_same_round(
    apps: list[SandboxApp], here: CheckRound, monkeypatch: pytest.MonkeyPatch
) -> None:
    apps[0].fault("verify_credentials", ProviderFault.SERVER_ERROR, times=check_round.FAILURES)
    monkeypatch.setattr(check_round, "MOST", check_round.FAILURES)
    here.go_on(lambda: True)
    assert len(unchecked(apps[0])) == USERS
    assert [asked_again(apps) for _ in range(3)] == [1, USERS - 1, 0]
    assert unchecked(apps[0]) == set()


def test_one_about_whom_there_is_never_an_answer_has_one_more_turn(apps: list[SandboxApp]) -> None:
    turns = []
    for _ in range(3):
        apps[0].fault("verify_credentials", ProviderFault.SERVER_ERROR)
        turns.append(asked_again(apps))
    assert turns == [USERS, 1, 0]
    assert len(unchecked(apps[0])) == 1


def test_one_whose_record_can_not_be_read_keeps_nobody_else_from_being_checked(apps: list[SandboxApp]) -> None:
    apps[0].change_item(apps[0].connection_key, cause="of a later version")
    go_on(apps[0])
    assert asked(apps[0]) == USERS - 1
    apps[0].change_item(apps[0].connection_key, cause="token_revoked")


def test_one_whom_the_provider_can_not_answer_about_keeps_nobody_else_from_being_checked(apps: list[SandboxApp]) -> None:
    apps[0].fault("verify_credentials", ProviderFault.RATE_LIMITED)
    go_on(apps[0])
    assert (asked(apps[0]), len(unchecked(apps[0]))) == (USERS, 1)


def test_one_whose_tokens_can_not_be_read_keeps_nobody_else_from_being_checked(apps: list[SandboxApp]) -> None:
    apps[0].sandbox.aws_server.fault("secretsmanager", "GetSecretValue", "denied", match=apps[0].secret_name)
    go_on(apps[0])
    assert unchecked(apps[0]) == {apps[0].user.user_id}
    assert asked(apps[0]) == USERS - 1


def test_a_round_that_could_not_begin_begins_when_it_can(apps: list[SandboxApp]) -> None:
    apps[0].sandbox.aws_server.fault("dynamodb", "Scan", "denied")
    assert apps[0].sandbox.run_schedule(f"{apps[0].sandbox.prefix}-check").error is not None
    assert asked(apps[0]) == 0
    go_on(apps[0])
    assert unchecked(apps[0]) == set()


def test_a_round_stops_between_two_connections_and_goes_on_there(
    apps: list[SandboxApp], here: CheckRound, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = iter([True, False])
    here.go_on(lambda: next(times))
    assert (asked(apps[0]), len(unchecked(apps[0]))) == (1, USERS - 1)
    monkeypatch.setattr(check_round, "MOST", 2)
    come_due(apps[0])
    here.go_on(lambda: True)
    assert (asked(apps[0]), len(unchecked(apps[0]))) == (3, USERS - 3)
    come_due(apps[0])
    here.go_on(lambda: True)
    assert (asked(apps[0]), len(unchecked(apps[0]))) == (USERS, 0)


def test_a_schedules_event_that_somebody_made_up_hurries_no_round(
    apps: list[SandboxApp], monkeypatch: pytest.MonkeyPatch, here: CheckRound
) -> None:
    monkeypatch.setattr(check_round, "MOST", 2)
    here.go_on(lambda: True)
    for _ in range(3):
        apps[0].sandbox.functions.invoke(f"{apps[0].sandbox.prefix}-check", {"source": "aws.events"})
    assert asked(apps[0]) == 2


def test_one_process_at_a_time_goes_on_with_a_round_and_where_it_was_left(
    apps: list[SandboxApp], monkeypatch: pytest.MonkeyPatch
) -> None:
    progress = check_progress.CheckProgress(apps[0].sandbox.client("dynamodb"), apps[0].sandbox.table)
    monkeypatch.setattr(check_progress, "PAGE", 1)
    leased = progress.lease(now=1000.0)
    assert leased == check_progress.Progress(0.0, None)
    assert progress.lease(now=1000.0 + check_progress.LEASE - 1) is None
    [first], cursor = progress.page(None)
    progress.save(check_progress.Progress(5e9, cursor), leased_at=0.0)  # of a round that an earlier invocation has begun
    go_on(apps[0])
    assert asked(apps[0]) == USERS - 1
    assert unchecked(apps[0]) == {first.user_id}
    come_due(apps[0])
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
