"""Each function's policy against what the function really calls while flows of every kind are played."""

from typing import Any

import pytest

from sandbox.aws import Call
from sandbox.browser import JSON
from sandbox.provider import Fault
from sandbox.world import Sandbox
from tests.conftest import PARAMETERS, QUICK, App, make_app
from tests.flow.test_tickets import begin, invoke, new_pair

# What IAM calls the parts of a transaction.
PARTS = {"TransactWriteItems": {"dynamodb:UpdateItem", "dynamodb:ConditionCheckItem"}}


def needed(call: Call) -> set[str]:
    return PARTS.get(call.operation, {f"{call.service}:{call.operation}"})


def allowed(policies: list[Any]) -> set[str]:
    statements = [statement for policy in policies for statement in policy["Statement"]]
    actions = [[action] if isinstance(action := statement["Action"], str) else action for statement in statements]
    return {action for some in actions for action in some}


def play(app: App) -> None:
    """Play what makes each function call all that it ever calls."""
    aws = app.sandbox.aws_server
    secret, challenge = new_pair()
    browser = app.browser()
    ticket = browser.get(app.come_back(browser, challenge=challenge), accept=JSON).json()["ticket"]
    invoke(app, "redeem", ticket=ticket, secret=secret)
    held = app.come_back(browser)
    aws.fault("dynamodb", "UpdateItem", "denied", times=1, match='"granted"')
    browser.get(held)
    browser.get(app.come_back(browser, cancel=True))
    begun = begin(app, challenge=challenge, subject="42")
    direct = app.browser().get(app.consent(begun["authorize_url"]), accept=JSON).json()["ticket"]
    invoke(app, "redeem", ticket=direct, secret=secret)
    invoke(app, "revoke", provider=app.name, user_id=app.user.user_id)
    browser.get(app.come_back(browser))  # restored
    nameless = make_app(app.sandbox, user_id_field=None, screen_name_field=None)
    callback = nameless.come_back(browser)
    nameless.fault("identity", Fault.SERVER_ERROR)
    browser.get(callback)
    app.sandbox.run_schedule(f"{app.sandbox.prefix}-relay")
    app.sandbox.settle()


@pytest.fixture(scope="module")
def played() -> Any:
    with Sandbox(parameters=PARAMETERS, settings=QUICK) as sandbox:
        play(make_app(sandbox))
        yield sandbox


@pytest.mark.parametrize("function", ["StartFunction", "CallbackFunction", "RedeemFunction", "RevokeFunction", "RelayFunction"])
def test_a_function_may_do_all_that_it_does(played: Sandbox, function: str) -> None:
    (described,) = [one for one in played.template.functions() if one.logical_id == function]
    called = {action for call in played.aws_server.calls if call.caller == described.name for action in needed(call)}
    assert called
    assert called <= allowed(described.properties["Policies"])
