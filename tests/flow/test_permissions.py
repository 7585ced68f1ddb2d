"""Each role, while flows of every kind are played and IAM is enforced: what it needs it may, and what it may it needs."""

from collections.abc import Iterator

import pytest

from sandbox.aws.iam import Check, Policy
from sandbox.template.intrinsics import REGION
from sandbox.world import Sandbox
from tests.support import plays
from tests.support.flow_layer import trim
from tests.support.sandbox_app import PARAMETERS, QUICK, make_app

KEY = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
FUNCTIONS = ("start", "callback", "redeem", "revoke", "sign", "check", "relay")


@pytest.fixture(scope="module")
def played() -> Iterator[Sandbox]:
    with Sandbox(parameters=PARAMETERS | {"KmsKeyArn": KEY, "CheckEvery": "24"}, settings=QUICK) as sandbox:
        app = make_app(sandbox)
        consumer = f"{sandbox.prefix}/consumer/{app.name}"
        sandbox.client("secretsmanager").update_secret(SecretId=consumer, KmsKeyId=KEY)
        plays.all_of_them(app)
        yield sandbox


def role(sandbox: Sandbox, function: str) -> Policy:
    return sandbox.aws_server.roles[f"{sandbox.prefix}-{function}"]


def checks(sandbox: Sandbox, function: str) -> set[Check]:
    """Return everything that a function's calls have needed."""
    calls = [call for call in sandbox.aws_server.calls if call.caller == f"{sandbox.prefix}-{function}"]
    return {check for call in calls for check in call.needed}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_may_do_all_that_it_does(played: Sandbox, function: str) -> None:
    assert [check for check in checks(played, function) if not role(played, function).allows(check)] == []


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_may_do_nothing_that_no_flow_needs(played: Sandbox, function: str) -> None:
    assert role(played, function).unused(checks(played, function)) == set()


def arn(sandbox: Sandbox, service: str, rest: str, *, account: str = "", region: str = REGION) -> str:
    return f"arn:aws:{service}:{region}:{account or sandbox.aws_server.account}:{rest}"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_may_do_it_to_nothing_else(played: Sandbox, function: str) -> None:
    """Try its own actions on another table, prefix, account, region and on everything."""
    others = {
        "dynamodb": ["table/other", f"table/{played.table}-2", f"table/{played.table}/index/other"],
        "secretsmanager": [
            f"secret:{prefix}/user/x/1-AbCdEf" for prefix in ("other", f"{played.prefix}-2", f"x/{played.prefix}")
        ],
        "ssm": ["parameter/other/api-url", f"parameter/{played.prefix}/other"],
        "events": ["event-bus/default", "event-bus/other"],
        "sqs": ["other"],
        "kms": ["key/other"],
    }
    for check in checks(played, function):
        service, own = check.action.partition(":")[0], check.resource.split(":", 5)[5]
        foreign = [arn(played, service, rest) for rest in others[service]]
        foreign += [arn(played, service, own, account="999999999999"), arn(played, service, own, region="eu-west-1"), "*"]
        assert [one for one in foreign if role(played, function).allows(Check(check.action, one, check.context))] == [], check


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_may_not_do_what_only_others_do(played: Sandbox, function: str) -> None:
    own = checks(played, function)
    foreign = {check for other in FUNCTIONS for check in checks(played, other)} - own
    kinds = {(check.action, kind(played, check.resource)) for check in own}
    refused = [check for check in foreign if (check.action, kind(played, check.resource)) not in kinds]
    assert refused
    assert [check for check in refused if role(played, function).allows(check)] == []


def kind(sandbox: Sandbox, resource: str) -> str:
    """Return what sort of resource an ARN names: a user's secret is one whoever's it is."""
    rest = resource.split(":", 5)[5]
    return next((f"secret {sort}" for sort in ("user", "consumer") if f":{sandbox.prefix}/{sort}/" in rest), rest)


FORBIDDEN = [
    ("secretsmanager:ListSecrets", "*"),
    ("secretsmanager:GetRandomPassword", "*"),
    ("secretsmanager:PutResourcePolicy", "secret:{prefix}/user/x/1-AbCdEf"),
    ("secretsmanager:PutSecretValue", "secret:{prefix}/consumer/x-AbCdEf"),
    ("secretsmanager:DeleteSecret", "secret:{prefix}/consumer/x-AbCdEf"),
    ("dynamodb:Scan", "table/{table}"),
    ("dynamodb:DeleteItem", "table/{table}"),
    ("dynamodb:Query", "table/{table}/index/connections"),
    ("dynamodb:Query", "table/{table}"),
    ("dynamodb:DeleteTable", "table/{table}"),
    ("lambda:InvokeFunction", "function:{prefix}-revoke"),
    ("kms:Decrypt", "key/99999999-2222-3333-4444-555555555555"),
    ("iam:PassRole", "*"),
    ("sts:AssumeRole", "*"),
]


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(("action", "resource"), FORBIDDEN)
def test_nobody_may(played: Sandbox, function: str, action: str, resource: str) -> None:
    filled = resource.format(prefix=played.prefix, table=played.table)
    full = filled if filled == "*" else arn(played, action.partition(":")[0], filled)
    assert not role(played, function).allows(Check(action, full))


def test_only_who_signs_with_them_reads_what_users_have_granted(played: Sandbox) -> None:
    reading = Check("secretsmanager:GetSecretValue", arn(played, "secretsmanager", f"secret:{played.prefix}/user/x/1-AbCdEf"))
    assert [function for function in FUNCTIONS if role(played, function).allows(reading)] == ["revoke", "sign", "check"]


def test_the_built_layer_keeps_the_operations_that_are_called_and_no_other(played: Sandbox) -> None:
    names = {f"{played.prefix}-{function}" for function in FUNCTIONS}
    called = {(call.service, call.operation) for call in played.aws_server.calls if call.caller in names}
    called.discard(("sqs", "SendMessage"))  # Lambda itself, by the function's role
    assert called == {(service, operation) for service, operations in trim().OPERATIONS.items() for operation in operations}
