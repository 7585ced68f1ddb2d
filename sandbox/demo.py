"""``make demo``: one whole authorization, leg by leg, and the signed call that another function then makes."""

import json
import os
import subprocess
import sys
from pathlib import Path

from sandbox.aws import ACCESS_KEY, SECRET_KEY
from sandbox.browser import JSON, PAGE, Browser
from sandbox.provider.visitor import Visitor
from sandbox.template import REGION
from sandbox.world import Sandbox

# Another Lambda's code, in a process of its own: nothing of Tripod but the reader layer.
READER = """
import sys
from tripod import user_session
with user_session("x", user_id=sys.argv[1]) as x:
    answer = x.get(sys.argv[2] + "/1.1/account/verify_credentials.json", timeout=5)
    print(answer.status_code, answer.json()["screen_name"])
"""


def main() -> int:
    """Run the demo; returns the process's exit code."""
    with Sandbox() as sandbox:
        browser, user = Browser(sandbox.api), sandbox.provider_server.users[0]
        visitor = Visitor(user)
        say("1", "A browser visits start. Tripod gets a request token, keeps its secret in DynamoDB, and sends the browser on:")
        started = browser.start("x", accept=PAGE)
        tell("GET /oauth/x/start", f"{started.status_code} → {masked(started.headers['location'], 'oauth_token=')}")
        say("2", f"@{user.screen_name} signs in at the provider and agrees. The provider sends the browser back:")
        callback = visitor.authorize(started.headers["location"])
        visitor.close()
        tell("redirect to", masked(masked(callback, "oauth_token="), "oauth_verifier="))
        say("3", "Tripod exchanges the verifier for access tokens, and writes them to Secrets Manager:")
        ended = browser.get(callback, accept=JSON)
        tell("GET /oauth/x/callback", f"{ended.status_code} {ended.text}")
        name = f"{sandbox.prefix}/user/x/{user.user_id}"
        secret = json.loads(sandbox.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"])
        tell(
            name, json.dumps({key: mask(value) if "token" in key else value for key, value in secret.items()}, ensure_ascii=False)
        )
        say("4", "Another function reads them in two lines, and makes a signed call on the user's behalf:")
        call = read_as_another_function(sandbox, user.user_id)
        tell("GET /1.1/account/verify_credentials.json", call)
        reloaded = browser.get(callback, accept=JSON)
        say("5", "The user reloads the page: the first outcome again, and no second exchange:")
        tell("GET /oauth/x/callback", f"{reloaded.status_code} {reloaded.text}")
        done = ended.ok and reloaded.text == ended.text and call == f"200 {user.screen_name}"
    print("\nAll of it worked." if done else "\nSomething went wrong: see above.")
    return 0 if done else 1


def read_as_another_function(sandbox: Sandbox, user_id: str) -> str:
    """Run ``READER`` with the reader layer and AWS in reach, and return what it prints."""
    layer = Path(__file__).resolve().parent.parent / "layers" / "tripod"
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(layer),
        "TRIPOD_PREFIX": sandbox.prefix,
        "AWS_ENDPOINT_URL": sandbox.aws,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
    }
    finished = subprocess.run(
        [sys.executable, "-c", READER, user_id, sandbox.provider],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return finished.stdout.strip() or finished.stderr.strip()


def say(leg: str, text: str) -> None:
    """Print a leg's heading."""
    print(f"\n{leg}. {text}")


def tell(what: str, came: str) -> None:
    """Print what was done and what came of it."""
    print(f"   {what}\n     {came}")


def mask(value: str) -> str:
    """Return the beginning of a secret value."""
    return f"{value[:4]}…"


def masked(url: str, name: str) -> str:
    """Return ``url`` with the value behind ``name`` masked."""
    before, found, rest = url.partition(name)
    value, separator, after = rest.partition("&")
    return f"{before}{found}{mask(value)}{separator}{after}"


if __name__ == "__main__":
    sys.exit(main())
