"""The lines of docs/policies.md: they are the stack's own, and whoever copies them gets what they say and no more."""

import json
import re
from typing import Any

import pytest

from sandbox.aws.iam import Check, Policy
from sandbox.repository import TEMPLATE
from sandbox.template.template import Template

DOCS = TEMPLATE.parent / "docs"
ACCOUNT = "123456789012"
ARN = f"arn:aws:{{service}}:us-east-1:{ACCOUNT}:{{rest}}"
SERVICES = {"secret": "secretsmanager", "parameter": "ssm", "table": "dynamodb", "function": "lambda", "key": "kms"}
PAGE = (DOCS / "policies.md").read_text()
KEYED = "| policy, with a key |"  # begins the table of what is allowed beside, where there is a key
ROW = re.compile(r"^\| `(\w+)Policy` \| [^|]+ \| ([^|]+) \| ([^|]+) \|$", re.M)


def whole(resource: str) -> str:
    """Return the ARN of a resource that the page gives without its beginning."""
    rest = resource.removeprefix("…:")
    return ARN.format(service=SERVICES[re.split("[:/]", rest)[0]], rest=rest)


def documented(part: str) -> dict[str, dict[str, Any]]:
    """Return each policy of a part of the page, by its name in the template."""
    rows = ROW.findall(part)
    return {
        name: {
            "Effect": "Allow",
            "Action": re.findall(r"`([^`]+)`", actions),
            "Resource": [whole(resource) for resource in re.findall(r"`([^`]+)`", resources)],
        }
        for name, actions, resources in rows
    }


DOCUMENTED = documented(PAGE.partition(KEYED)[0])
WITH_A_KEY = documented(PAGE.partition(KEYED)[2])


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def reads(secret: str) -> Check:
    """Return what reading a secret needs."""
    return Check("secretsmanager:GetSecretValue", whole(f"…:secret:{secret}-AbCdEf"))


def policies(page: str) -> list[Policy]:
    """Return a policy for each ARN of the app's secret at ``x`` that a page names."""
    found = re.findall(r"`(…:secret:tripod/consumer/x[^`]+)`", (DOCS / page).read_text())
    return [Policy([{"Statement": {"Effect": "Allow", "Action": "secretsmanager:*", "Resource": whole(each)}}]) for each in found]


@pytest.mark.parametrize("page", ["policies.md", "reading-tokens.md"])
def test_what_is_said_to_name_one_providers_app_names_no_other(page: str) -> None:
    found = policies(page)
    assert found
    for policy in found:
        assert policy.allows(reads("tripod/consumer/x"))
        for other in ("x-staging", "x-1", "xy", "x-a2c4e6", "x-"):
            assert not policy.allows(reads(f"tripod/consumer/{other}"))


def test_the_readers_of_one_provider_read_its_users_and_no_others() -> None:
    policy = Policy([{"Statement": DOCUMENTED["ReadTokensOfOneProvider"]}])
    assert policy.allows(reads("tripod/user/x/2244994945"))
    for other in ("tripod/user/x-staging/2244994945", "tripod/user/y/1", "other/user/x/1", "tripod/consumer/x-staging"):
        assert not policy.allows(reads(other))


def filled(resource: str, template: Template) -> str:
    """Return a documented resource with this stack's own names and account."""
    table, account = template.reference("Table"), template.account
    return resource.replace("<its value>", table).replace("<the key>", "tripod-TokensKey").replace(ACCOUNT, account)


@pytest.mark.parametrize("with_a_key", [False, True])
def test_each_line_is_the_stacks_own_policy(with_a_key: bool) -> None:
    template = Template(TEMPLATE, {"TokenKey": "on" if with_a_key else "off"})
    stack = template.resources("AWS::IAM::ManagedPolicy")
    assert DOCUMENTED.keys() == stack.keys()
    assert WITH_A_KEY.keys() == {"ReadTokens", "ReadTokensOfOneProvider"}
    for name in DOCUMENTED:
        told = [DOCUMENTED[name], *([WITH_A_KEY[name]] if with_a_key and name in WITH_A_KEY else [])]
        statements = stack[name]["PolicyDocument"]["Statement"]
        assert {one["Effect"] for one in statements} == {"Allow"}
        assert {action for one in statements for action in listed(one["Action"])} == {
            action for one in told for action in one["Action"]
        }
        resources = {filled(each, template) for one in told for each in one["Resource"]}
        assert {each for one in statements for each in listed(one["Resource"])} == resources


def test_the_conditions_are_the_stacks_own() -> None:
    shown = [json.loads(block) for block in re.findall(r"^```json\n(.+?)^```$", PAGE, re.MULTILINE | re.DOTALL)]
    stack = Template(TEMPLATE, {"TokenKey": "on"}).resources("AWS::IAM::ManagedPolicy")
    statements = stack["ReadTokensOfOneProvider"]["PolicyDocument"]["Statement"]
    theirs = {one["Action"]: one["Condition"] for one in statements if "Condition" in one}
    assert {one["Action"]: one["Condition"] for one in shown} == theirs
    for_all = [one for one in stack["ReadTokens"]["PolicyDocument"]["Statement"] if "Condition" in one]
    assert [one["Condition"].get("ForAllValues:StringLike") for one in for_all] == [
        {"dynamodb:LeadingKeys": "connection#*"},
        None,
    ]
