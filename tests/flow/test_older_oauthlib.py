"""The public layer beside tweepy, whose oauthlib is 3.x, in an environment of their own."""

import subprocess

import pytest

from sandbox.aws.credentials import ACCESS_KEY, SECRET_KEY
from sandbox.repository import TEMPLATE
from sandbox.template.intrinsics import REGION
from tests.support.sandbox_app import SandboxApp

PEERS = TEMPLATE.parent / ".peers"
READER = """
import sys, oauthlib
from tripod import user_session, user_tokens
assert oauthlib.__version__.startswith("3."), oauthlib.__version__
provider, user_id, url = sys.argv[1:]
with user_session(provider, user_id=user_id) as session:
    for method in ("GET", "POST"):
        path = "/1.1/account/verify_credentials.json" if method == "GET" else "/1.1/statuses/update.json"
        answer = session.request(method, url + path, data={"status": "h\\u00e9 + &"} if method == "POST" else None, timeout=5)
        print(answer.status_code)
"""

pytestmark = pytest.mark.skipif(not (PEERS / ".ready").exists(), reason="run: make peers")


def test_the_reader_signs_with_an_older_oauthlib_too(app: SandboxApp) -> None:
    browser = app.browser()
    browser.get(app.come_back(browser))
    finished = subprocess.run(
        [PEERS / "venv" / "bin" / "python", "-c", READER, app.name, app.user.user_id, app.sandbox.provider],
        env={
            "AWS_ENDPOINT_URL": app.sandbox.aws,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "TRIPOD_PREFIX": app.sandbox.prefix,
            "TRIPOD_LOOPBACK_HTTP": "true",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert finished.stdout.split() == ["200", "200"], finished.stderr
