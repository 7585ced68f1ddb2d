"""What the deployer is told to allow: something for each kind of resource that the stack has, and no action that IAM doesn't know."""

import re

import pytest

from sandbox.repository import ROOT
from tests.support.tool_runner import run
from tests.support.translated import EVERYTHING, KEY, OWN_KEY, stack

PAGE = (ROOT / "docs" / "account.md").read_text()
ROW = re.compile(r"^\| `(\w+)` \| (.+?) \| .+ \|$", re.MULTILINE)
ACTION = re.compile(r"`([A-Za-z]+)`")
LISTED = {f"{service}:{action}" for service, actions in ROW.findall(PAGE) for action in ACTION.findall(actions)}
LISTED -= {"iam:PermissionsBoundary", "kms:TokenKey"}  # the parameters, which say when
SERVICES = {"ApiGatewayV2": "apigateway"}  # where CloudFormation's name is not IAM's in lower case

EXPAND = """
import json, sys
from parliament import UnknownActionException, UnknownPrefixException, expand_action
unknown = []
for action in json.load(sys.stdin):
    try:
        expand_action(action)
    except (UnknownActionException, UnknownPrefixException):
        unknown.append(action)
json.dump(unknown, sys.stdout)
"""


def unknown(actions: set[str]) -> list[str]:
    """Return those of the actions that IAM does not know."""
    found: list[str] = run("checks/bin/python", "-c", EXPAND, given=sorted(actions))
    return found


@pytest.mark.parametrize("kind", sorted(stack(**EVERYTHING).kinds() | stack(**OWN_KEY).kinds()))
def test_each_kind_of_resource_can_be_made_and_removed(kind: str) -> None:
    _, service, _ = kind.split("::")
    actions = {one for one in LISTED if one.startswith(f"{SERVICES.get(service, service.lower())}:")}
    assert any(re.search(r":(Create|Put|POST)", one) for one in actions)
    assert any(re.search(r":(Delete|DELETE)", one) for one in actions)


def test_every_action_exists() -> None:
    assert len(LISTED) > 100
    assert unknown(LISTED) == []


def test_an_action_that_does_not_exist_would_be_found() -> None:
    assert unknown({"lambda:CreateFunctions", "lambda:CreateFunction"}) == ["lambda:CreateFunctions"]


def test_what_only_a_parameter_asks_for_is_listed() -> None:
    assert {"iam:PutRolePermissionsBoundary", "lambda:PutFunctionConcurrency"} <= LISTED
    assert KEY in str(stack(**EVERYTHING).one("Table"))
    assert "`kms:CreateGrant`" in PAGE  # DynamoDB makes one when the table is made
    assert {"kms:CreateKey", "kms:EnableKeyRotation", "kms:CreateAlias"} <= LISTED
