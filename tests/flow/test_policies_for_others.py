"""The managed policies for other Lambdas, enforced: each allows the calls that it is for, and no other."""

from collections.abc import Callable, Iterator

import pytest
from botocore.exceptions import ClientError

import tripod
from sandbox.aws.iam import Policy
from sandbox.browser import JSON
from sandbox.world import Sandbox
from tests.support.direct import new_pair
from tests.support.reading import WHO
from tests.support.roles import role
from tests.support.sandbox_app import PARAMETERS, QUICK, SandboxApp

KEY = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
POLICIES = (
    *("ReadTokens", "ReadTokensOfOneProvider", "SignRequests", "RedeemTickets", "DisconnectUsers", "BeginAuthorizations"),
    *("ListUsers", "CheckUsers"),
)


@pytest.fixture(scope="module")
def world() -> Iterator[Sandbox]:
    with Sandbox(parameters=PARAMETERS | {"ReaderProvider": "mine", "KmsKeyArn": KEY}, settings=QUICK, streams=False) as running:
        yield running


@pytest.fixture(scope="module")
def x(world: Sandbox) -> SandboxApp:
    """Return the provider ``x`` with a connected user."""
    return connected(world, "x")


@pytest.fixture(scope="module")
def mine(world: Sandbox) -> SandboxApp:
    """Return the provider that ReaderProvider names, with a connected user."""
    return connected(world, "mine")


def connected(world: Sandbox, name: str) -> SandboxApp:
    app = SandboxApp(world, name, world.add_provider(name), world.provider_server.add_user())
    browser = app.browser()
    assert browser.get(app.come_back(browser), accept=JSON).json()["outcome"] == "granted"
    return app


def read(app: SandboxApp) -> object:
    return tripod.user_tokens(app.name, user_id=app.user.user_id)


def sign(app: SandboxApp) -> object:
    with tripod.user_session(app.name, user_id=app.user.user_id) as session:
        answer = session.get(app.sandbox.provider + WHO, timeout=5)
        answer.raise_for_status()
        return answer


def redeem(app: SandboxApp) -> object:
    secret, challenge = new_pair(app.name)
    browser = app.browser()
    ticket = browser.get(app.come_back(browser, challenge=challenge), accept=JSON).json()["ticket"]
    return tripod.redeem(ticket, secret)


def disconnect(app: SandboxApp) -> object:
    user = SandboxApp(app.sandbox, app.name, app.consumer, app.sandbox.provider_server.add_user())
    browser = user.browser()
    browser.get(user.come_back(browser))
    tripod.disconnect(app.name, user_id=user.user.user_id)
    return None


def users(app: SandboxApp) -> object:
    return list(tripod.users(app.name))


def begin(app: SandboxApp) -> object:
    client = tripod.process.this().client("lambda")
    return client.invoke(FunctionName=f"{app.sandbox.prefix}-start", Payload=b"{}")


def hand_in_a_pin(app: SandboxApp) -> object:
    client = tripod.process.this().client("lambda")
    return client.invoke(FunctionName=f"{app.sandbox.prefix}-callback", Payload=b"{}")


def have_signed(app: SandboxApp) -> object:
    client = tripod.process.this().client("lambda")
    return client.invoke(FunctionName=f"{app.sandbox.prefix}-sign", Payload=b"{}")


def report(app: SandboxApp) -> object:
    client = tripod.process.this().client("lambda")
    return client.invoke(FunctionName=f"{app.sandbox.prefix}-check", InvocationType="Event", Payload=b"{}")


ACTS = (read, sign, have_signed, report, redeem, disconnect, users, begin, hand_in_a_pin)
ALLOWED: dict[str, set[Callable[[SandboxApp], object]]] = {
    "ReadTokens": {read, sign, report},
    "ReadTokensOfOneProvider": {report},  # it reads nothing of another provider than its own
    "SignRequests": {have_signed},
    "RedeemTickets": {redeem},
    "DisconnectUsers": {disconnect},
    "BeginAuthorizations": {begin, hand_in_a_pin},
    "ListUsers": {users},
    "CheckUsers": {report},
}


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
def test_a_policy_allows_what_it_is_for_and_nothing_else(x: SandboxApp, policy: str, act: Callable[[SandboxApp], object]) -> None:
    with role(x.sandbox, policy):
        if act in ALLOWED[policy]:
            act(x)
            return
        with pytest.raises((ClientError, tripod.TripodError)) as refused:
            act(x)
    assert "AccessDenied" in str(refused.value) or "not authorized" in str(refused.value)


@pytest.mark.parametrize("policy", ["ReadTokens", "ReadTokensOfOneProvider"])
def test_one_providers_tokens_are_read_with_the_policy_for_it(mine: SandboxApp, policy: str) -> None:
    with role(mine.sandbox, policy):
        read(mine)
        sign(mine)


def test_one_providers_readers_dont_read_the_app_of_a_longer_name(world: Sandbox) -> None:
    world.add_provider("mine-too")
    with role(world, "ReadTokensOfOneProvider"), pytest.raises((ClientError, tripod.TripodError)) as refused:
        tripod.process.this().secret_reader.consumer("mine-too")
    assert "AccessDenied" in str(refused.value) or "not authorized" in str(refused.value)


def test_who_may_list_users_is_told_of_a_provider_that_is_not_there(world: Sandbox) -> None:
    with role(world, "ListUsers"), pytest.raises(tripod.ConsumerNotFound, match=f"{world.prefix}/consumer/nobodys"):
        list(tripod.users("nobodys"))


def test_who_may_not_look_for_the_app_is_told_that_nobody_is_connected(world: Sandbox) -> None:
    poorer = world.template.resources("AWS::IAM::ManagedPolicy")["ListUsers"]["PolicyDocument"]
    kept = [one for one in poorer["Statement"] if "secretsmanager" not in str(one["Action"])]
    with role(world, "ListUsers"):
        world.aws_server.roles["ListUsers"] = Policy([{**poorer, "Statement": kept}])
        assert list(tripod.users("nobodys")) == []
