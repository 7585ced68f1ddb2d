"""A sealed token read by Node with AWS's SDK, as docs/reading-tokens.md shows it: with the policy for readers and nothing else."""

import json
import re
from typing import Any

import pytest

from sandbox.repository import ROOT
from sandbox.world import Sandbox
from tests.support.direct import invoke
from tests.support.node import NEEDS_NODE, run_node
from tests.support.reading import grant
from tests.support.sandbox_app import SandboxApp, make_app

BLOCKS = re.findall(r"^```javascript\n(.*?)^```$", (ROOT / "docs/reading-tokens.md").read_text(), re.M | re.S)

pytestmark = NEEDS_NODE


@pytest.fixture
def app(sandbox: Sandbox) -> SandboxApp:
    return make_app(sandbox, secret={"store": "table"})


def read(app: SandboxApp, user_id: str = "", policy: str = "ReadTokens") -> Any:
    """Run the page's block under a policy of the stack; return the tokens, or the error's text."""
    (block,) = (block for block in BLOCKS if "DecryptCommand" in block)
    asked = f"await sealedTokens({json.dumps(app.name)}, {json.dumps(user_id or app.user.user_id)})"
    code = f"{block}\ntry {{ console.log(JSON.stringify({asked})); }} catch (error) {{ console.log(JSON.stringify(error.message)); }}"
    return run_node(app.sandbox, code, policy, TABLE=app.sandbox.table)


def test_node_opens_what_python_sealed(app: SandboxApp) -> None:
    grant(app)
    tokens = read(app)
    assert (tokens["provider"], tokens["user_id"]) == (app.name, app.user.user_id)
    assert (tokens["screen_name"], tokens["consumer_key"]) == (app.user.screen_name, app.consumer.key)
    assert tokens["oauth_token"] == app.sandbox.provider_server.valid_token(app.consumer.key, app.user)


def test_node_is_told_that_the_user_has_disconnected(app: SandboxApp) -> None:
    grant(app)
    invoke(app, "revoke", provider=app.name, user_id=app.user.user_id)
    assert read(app) == "the user has disconnected"


def test_node_looks_for_the_secret_where_nothing_is_sealed(app: SandboxApp) -> None:
    assert read(app) is None
    app.change_consumer(store="secrets-manager")
    grant(app)
    assert read(app) is None
    assert app.stored()


def test_node_may_not_read_another_provider_under_one_providers_policy(app: SandboxApp) -> None:
    grant(app)
    assert "not authorized" in read(app, policy="ReadTokensOfOneProvider")
