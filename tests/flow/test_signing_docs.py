"""The examples of docs/signing.md, run: in Python, in Node with AWS's SDK, and the payload of the command line."""

import json
import re
import shlex
from typing import Any

import pytest

from sandbox.repository import ROOT
from tests.support.direct import invoke
from tests.support.node import NEEDS_NODE, run_node
from tests.support.reading import grant
from tests.support.roles import role
from tests.support.sandbox_app import SandboxApp
from tripod_flow.rules import errors

PAGE = (ROOT / "docs/signing.md").read_text()


@pytest.fixture
def granted(app: SandboxApp) -> SandboxApp:
    grant(app)
    return app


def example(app: SandboxApp, language: str) -> str:
    """Return the page's one block in a language, about the sandbox's provider."""
    (block,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.M | re.S)
    code = str(block).replace('"x"', json.dumps(app.name)).replace("https://api.x.com", app.sandbox.provider)
    return code.replace("2244994945", app.user.user_id).replace("tripod-sign", f"{app.sandbox.prefix}-sign")


def posts(app: SandboxApp) -> list[str]:
    return [post.text for post in app.sandbox.provider_server.posts(app.consumer.key)]


def test_python_posts_without_a_token(granted: SandboxApp) -> None:
    defined: dict[str, Any] = {}
    with role(granted.sandbox, "SignRequests"):
        exec(example(granted, "python"), defined)  # noqa: S102  # our own documentation
        try:
            assert defined["post"](granted.user.user_id, "Hello").isdecimal()
            with pytest.raises(RuntimeError, match="token_not_found: No tokens of this user"):
                defined["post"]("0", "Hello")
        finally:
            defined["aws_lambda"].close()
    assert posts(granted) == ["Hello"]


def node(app: SandboxApp, code: str) -> Any:
    return run_node(app.sandbox, example(app, "javascript") + code, "SignRequests")


@NEEDS_NODE
def test_node_reads_and_posts_without_a_token(granted: SandboxApp) -> None:
    """Its fetch writes URLs and forms by the browsers' rules, in which quotes, stars and blanks have encodings of their own."""
    user, site = json.dumps(granted.user.user_id), granted.sandbox.provider
    told = node(
        granted,
        f"""
        const me = await fetchAs({user}, "GET", "{site}/2/users/me?a=b'c%20d+e&x=%7E*");
        const form = {{ status: "it's 5 * 5 = 25 ~ (é😀)\\nand more" }};
        const post = await fetchAs({user}, "POST", "{site}/1.1/statuses/update.json?trim=1", form);
        const error = await fetchAs("0", "GET", "{site}/2/users/me").catch((error) => error.message);
        console.log(JSON.stringify([me.status, (await me.json()).data, post.status, error]));
        """,
    )
    assert told[0] == 200
    assert told[1]["id"] == granted.user.user_id
    assert told[2:] == [200, "token_not_found: No tokens of this user are kept here."]
    assert posts(granted) == ["it's 5 * 5 = 25 ~ (é😀)\nand more"]


def test_the_command_lines_payload_is_signed(granted: SandboxApp) -> None:
    command = example(granted, "console").partition("$ curl")[0].replace("\\\n", "").removeprefix("$ ")
    words = shlex.split(command)
    payload = words[words.index("--payload") + 1].replace('"provider": "x"', f'"provider": "{granted.name}"')
    assert words[:5] == ["aws", "lambda", "invoke", "--function-name", f"{granted.sandbox.prefix}-sign"]
    assert invoke(granted, "sign", **json.loads(payload))["authorization"].startswith("OAuth ")


def test_the_page_names_every_code_that_sign_answers_with() -> None:
    source = (ROOT / "layers/flow/tripod_flow/flows/sign.py").read_text()
    raised = {name for name in re.findall(r"\b[A-Z]\w+", source) if hasattr(getattr(errors, name, None), "code")}
    codes = {getattr(errors, name).code for name in raised} | {"code", "bad_request", "internal"}  # "code": the table's heading
    assert set(re.findall(r"^\| `(\w+)` \| [^|]+ \|", PAGE.partition("## What can go wrong")[2], re.M)) == codes
