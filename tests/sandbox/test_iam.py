"""IAM as the sandbox enforces it: the evaluation by example, and what a caller sees who may not."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from sandbox.aws.iam import ATTRIBUTES, LEADING_KEYS, VIA_SERVICE, Check, Policy, PolicyError
from sandbox.repository import TEMPLATE
from sandbox.world import Sandbox
from tests.support.sandbox_app import QUICK, make_app

SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:tripod/user/x/1-AbCdEf"
KEY = "arn:aws:kms:us-east-1:123456789012:key/1"


def policy(*statements: dict[str, Any]) -> Policy:
    return Policy([{"Version": "2012-10-17", "Statement": list(statements)}])


def allow(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("secretsmanager:GetSecretValue", SECRET),
        ("secretsmanager:getsecretvalue", SECRET),
        ("secretsmanager:Get*", "*"),
        ("*", "*"),
        (["dynamodb:Query", "secretsmanager:GetSecretValue"], ["arn:aws:s3:::b", SECRET.replace("AbCdEf", "??????")]),
        ("secretsmanager:GetSecretValue", SECRET.replace("x/1-AbCdEf", "*")),
    ],
)
def test_a_statement_that_fits_allows(action: Any, resource: Any) -> None:
    assert policy(allow(action, resource)).allows(Check("secretsmanager:GetSecretValue", SECRET))


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("secretsmanager:GetSecret", "*"),
        ("secretsmanager:PutSecretValue", "*"),
        ("secretsmanager:GetSecretValue", SECRET.upper()),
        ("secretsmanager:GetSecretValue", SECRET.removesuffix("f")),
        ("secretsmanager:GetSecretValue", SECRET.replace("AbCdEf", "?????")),
        ("secretsmanager:GetSecretValue", SECRET.replace("123456789012", "")),
    ],
)
def test_a_statement_that_does_not_fit_allows_nothing(action: str, resource: str) -> None:
    assert not policy(allow(action, resource)).allows(Check("secretsmanager:GetSecretValue", SECRET))


def test_a_denial_wins() -> None:
    denying = policy(allow("*"), {"Effect": "Deny", "Action": "kms:*", "Resource": "*"})
    assert denying.allows(Check("dynamodb:GetItem", "*"))
    assert not denying.allows(Check("kms:Decrypt", KEY))


def test_a_condition_must_hold_and_a_key_that_the_call_lacks_does_not() -> None:
    through = policy(allow("kms:Decrypt", KEY, Condition={"StringEquals": {VIA_SERVICE: "dynamodb.us-east-1.amazonaws.com"}}))
    assert through.allows(Check("kms:Decrypt", KEY, {VIA_SERVICE: ("dynamodb.us-east-1.amazonaws.com",)}))
    assert not through.allows(Check("kms:Decrypt", KEY, {VIA_SERVICE: ("s3.us-east-1.amazonaws.com",)}))
    assert not through.allows(Check("kms:Decrypt", KEY))


def test_a_condition_for_all_values_holds_for_each_of_them() -> None:
    some = {"ForAllValues:StringEquals": {ATTRIBUTES: ["pk", "state"]}, "ForAllValues:StringLike": {LEADING_KEYS: "a#*"}}
    putting = policy(allow("dynamodb:PutItem", Condition=some))
    for attributes, key, allowed in (
        (("pk",), "a#1", True),
        (("pk", "state"), "a#1", True),
        (("pk", "other"), "a#1", False),
        (("pk",), "b#1", False),
        ((), "a#1", True),  # as on AWS: what a call lacks can't be wrong
    ):
        assert putting.allows(Check("dynamodb:PutItem", "*", {ATTRIBUTES: attributes, LEADING_KEYS: (key,)})) is allowed
    unused = putting.unused([Check("dynamodb:PutItem", "*", {ATTRIBUTES: ("pk",), LEADING_KEYS: ("a#1",)})])
    assert [part.values for part in unused] == [("state", "a#*")]


@pytest.mark.parametrize(
    "statement",
    [
        {"Effect": "Allow", "NotAction": "kms:*", "Resource": "*"},
        {"Effect": "Allow", "Action": "kms:*", "NotResource": "*"},
        allow("kms:*", Condition={"NumericLessThan": {VIA_SERVICE: "1"}}),
        allow("kms:*", Condition={"StringEquals": {"aws:SourceIp": "1"}}),
        {"Effect": "allow", "Action": "kms:*", "Resource": "*"},
    ],
)
def test_what_is_not_understood_is_an_error(statement: dict[str, Any]) -> None:
    with pytest.raises(PolicyError):
        policy(statement)


@pytest.fixture(scope="module")
def poorer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """Tripod whose start may not write to its table."""
    body = yaml_parse(TEMPLATE.read_text())
    statements = body["Resources"]["StartFunction"]["Properties"]["Policies"][0]["Statement"]
    statements[0]["Action"] = "dynamodb:GetItem"
    path: Path = tmp_path_factory.mktemp("poorer") / "template.yaml"
    path.write_text(json.dumps(body))
    for folder in ("functions", "layers"):
        (path.parent / folder).symlink_to(TEMPLATE.parent / folder)
    with Sandbox(settings=QUICK, template=path, streams=False) as running:
        yield running


def test_a_call_without_permission_is_refused_as_by_aws(poorer: Sandbox) -> None:
    app = make_app(poorer)
    assert app.browser().start(app.name).status_code == 500
    (call,) = [call for call in poorer.aws_server.calls if call.error == "AccessDeniedException"]
    assert (call.operation, call.caller) == ("PutItem", "tripod-start")
    assert poorer.client("dynamodb").scan(TableName=poorer.table)["Items"] == []  # whoever has no role here may do all


def test_with_a_key_of_ones_own_each_role_still_may() -> None:
    with Sandbox(
        parameters={"KmsKeyArn": "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"}, settings=QUICK
    ) as own:
        app = make_app(own)
        browser = app.browser()
        assert browser.get(app.come_back(browser)).status_code == 200
        assert app.stored()
        needed = {(call.caller, check.action) for call in own.aws_server.calls for check in call.needed if call.caller}
        for wanted in (("start", "Decrypt"), ("callback", "GenerateDataKey"), ("callback", "Decrypt")):
            assert (f"tripod-{wanted[0]}", f"kms:{wanted[1]}") in needed
