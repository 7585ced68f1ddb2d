"""The lines of docs/policies.md: they are the stack's own, and whoever copies them gets what they say and no more."""

import re
from typing import Any

import pytest

from sandbox.aws.iam import Check, Policy
from sandbox.repository import TEMPLATE
from sandbox.world import Sandbox

DOCS = TEMPLATE.parent / "docs"
ACCOUNT = "123456789012"
ARN = f"arn:aws:{{service}}:us-east-1:{ACCOUNT}:{{rest}}"
SERVICES = {"secret": "secretsmanager", "parameter": "ssm", "table": "dynamodb", "function": "lambda"}
ROW = re.compile(r"^\| `(\w+)Policy` \| [^|]+ \| ([^|]+) \| ([^|]+) \|$", re.M)


def whole(resource: str) -> str:
    """Return the ARN of a resource that the page gives without its beginning."""
    rest = resource.removeprefix("…:")
    return ARN.format(service=SERVICES[re.split("[:/]", rest)[0]], rest=rest)


def documented() -> dict[str, dict[str, Any]]:
    """Return each policy of the page, by its name in the template."""
    rows = ROW.findall((DOCS / "policies.md").read_text())
    return {
        name: {
            "Effect": "Allow",
            "Action": re.findall(r"`([^`]+)`", actions),
            "Resource": [whole(resource) for resource in re.findall(r"`([^`]+)`", resources)],
        }
        for name, actions, resources in rows
    }


DOCUMENTED = documented()


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


def test_each_line_is_the_stacks_own_policy(sandbox: Sandbox) -> None:
    stack = sandbox.template.resources("AWS::IAM::ManagedPolicy")
    assert DOCUMENTED.keys() == stack.keys()
    for name, told in DOCUMENTED.items():
        statements = stack[name]["PolicyDocument"]["Statement"]
        assert {one["Effect"] for one in statements} == {"Allow"}
        assert {action for one in statements for action in listed(one["Action"])} == set(told["Action"])
        account = sandbox.aws_server.account
        resources = {each.replace("<its value>", sandbox.table).replace(ACCOUNT, account) for each in told["Resource"]}
        assert {each for one in statements for each in listed(one["Resource"])} == resources
