"""``make demo``: one whole authorization, leg by leg, and the signed call that another function then makes.

``make demo STORE=table`` tells it with the tokens sealed in the table.
"""

import argparse
import base64
import json
import os
import subprocess
import sys
from typing import Any

from sandbox.browser import JSON, PAGE, Browser
from sandbox.provider.visitor import Visitor
from sandbox.repository import ROOT
from sandbox.world import Sandbox

# Another Lambda, in a process of its own: the example's handler, and nothing of Tripod but the reader layer.
INVOKE = "import json, sys; from handler import handler; print(json.dumps(handler(json.load(sys.stdin), None)))"


SECRETS_MANAGER, TABLE = STORES = ("secrets-manager", "table")


def main(store: str = SECRETS_MANAGER) -> int:
    """Run the demo, with tokens kept in ``store``; return the exit code."""
    with Sandbox(parameters={"TokenKey": "on"}) as sandbox:
        if store != SECRETS_MANAGER:
            sandbox.add_provider("x", store=store)
        browser, user = Browser(sandbox.api), sandbox.provider_server.users[0]
        visitor = Visitor(user)
        print_heading(
            "1", "A browser visits start. Tripod gets a request token, keeps its secret in DynamoDB, and sends the browser on:"
        )
        started = browser.start("x", accept=PAGE)
        show("GET /oauth/x/start", f"{started.status_code} → {masked(started.headers['location'], 'oauth_token=')}")
        print_heading("2", f"@{user.screen_name} signs in at the provider and agrees. The provider sends the browser back:")
        callback = visitor.authorize(started.headers["location"])
        visitor.close()
        show("redirect to", masked(masked(callback, "oauth_token="), "oauth_verifier="))
        where = "keeps them in DynamoDB, sealed by KMS" if store == TABLE else "writes them to Secrets Manager"
        print_heading("3", f"Tripod exchanges the verifier for access tokens, and {where}:")
        ended = browser.get(callback, accept=JSON)
        show("GET /oauth/x/callback", f"{ended.status_code} {ended.text}")
        show(*(sealed(sandbox, user.user_id) if store == TABLE else secret(sandbox, user.user_id)))
        print_heading(
            "4", "Another function (examples/post) reads them in two lines, and makes signed calls on the user's behalf:"
        )
        posted = post_as_another_function(sandbox, {"user_id": user.user_id, "text": "Hello from another Lambda"})
        show("2/users/me, 2/tweets", json.dumps(posted))
        reloaded = browser.get(callback, accept=JSON)
        print_heading("5", "The user reloads the page: the first outcome again, and no second exchange:")
        show("GET /oauth/x/callback", f"{reloaded.status_code} {reloaded.text}")
        sandbox.settle()
        print_heading("6", "The stack's event bus has published:")
        for event in sandbox.events:
            show(event.detail_type, json.dumps(event.detail))
        done = all((ended.ok, reloaded.text == ended.text, posted.get("posted") == 201, len(sandbox.events) == 1))
    print("\nAll of it worked." if done else "\nSomething went wrong: see above.")
    return 0 if done else 1


def secret(sandbox: Sandbox, user_id: str) -> tuple[str, str]:
    """Return the name and the content of a user's secret, its tokens masked."""
    name = f"{sandbox.prefix}/user/x/{user_id}"
    content = json.loads(sandbox.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"])
    shown = {key: mask(value) if "token" in key else value for key, value in content.items()}
    return name, json.dumps(shown, ensure_ascii=False)


def sealed(sandbox: Sandbox, user_id: str) -> tuple[str, str]:
    """Return the key and what matters of a connection's item, its ciphertext cut short."""
    key = f"connection#x#{user_id}"
    item = sandbox.client("dynamodb").get_item(TableName=sandbox.table, Key={"pk": {"S": key}})["Item"]
    ciphertext = item["sealed_tokens"]["B"]
    shown = {name: item[name]["S"] for name in ("provider", "user_id", "screen_name")}
    shown["sealed_tokens"] = f"{mask(base64.b64encode(ciphertext).decode())} ({len(ciphertext)} bytes)"
    return key, json.dumps(shown, ensure_ascii=False)


def post_as_another_function(sandbox: Sandbox, event: dict[str, str]) -> dict[str, Any]:
    """Run the example with the reader layer, connected to the sandbox's AWS, and return its answer."""
    folders = (ROOT / "examples" / "post" / "function", ROOT / "layers" / "tripod")
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(map(str, folders)),
        **sandbox.environment(),
    }
    finished = subprocess.run(
        [sys.executable, "-c", INVOKE],
        input=json.dumps(event),
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    answer: dict[str, Any] = json.loads(finished.stdout) if finished.returncode == 0 else {"error": finished.stderr}
    return answer


def print_heading(leg: str, text: str) -> None:
    """Print a leg's heading."""
    print(f"\n{leg}. {text}")


def show(action: str, result: str) -> None:
    """Print an action and its result."""
    print(f"   {action}\n     {result}")


def mask(value: str) -> str:
    """Return the beginning of a secret value."""
    return f"{value[:4]}…"


def masked(url: str, name: str) -> str:
    """Return ``url`` with the value behind ``name`` masked."""
    before, found, rest = url.partition(name)
    value, separator, after = rest.partition("&")
    return f"{before}{found}{mask(value)}{separator}{after}"


if __name__ == "__main__":
    options = argparse.ArgumentParser(prog="python -m sandbox.demo", description="One whole sign-in on this machine.")
    options.add_argument("store", nargs="?", choices=STORES, default=SECRETS_MANAGER, help="where tokens are kept")
    sys.exit(main(options.parse_args().store))
