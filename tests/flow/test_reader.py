"""What another Lambda sees of a user's tokens, from grant to revocation and back."""

import io
import threading
from pathlib import Path
from typing import Any, cast

import pytest
import requests

from sandbox.repository import TEMPLATE
from tests.support.reading import WHO, grant, reads, run, session, who
from tests.support.sandbox_app import SandboxApp
from tripod.version import USER_AGENT, VERSION

POST = "/1.1/statuses/update.json"


PEERS = TEMPLATE.parent / ".peers"


def test_a_function_with_only_the_reader_layer_signs_requests_that_the_provider_verifies(app: SandboxApp) -> None:
    grant(app)
    code = """
import sys
from tripod import user_session
assert "boto3" not in sys.modules and "botocore" not in sys.modules
provider, user_id, url = sys.argv[1:]
with user_session(provider, user_id=user_id) as user:
    for _ in range(3):
        answer = user.get(url, timeout=5)
        print(answer.status_code, answer.json()["screen_name"])
assert "tripod_flow" not in sys.modules
"""
    before = reads(app), reads(app, app.consumer_secret_name)
    printed = run(app.sandbox, code, app.name, app.user.user_id, app.sandbox.provider + WHO)
    assert printed.splitlines() == [f"200 {app.user.screen_name}"] * 3
    assert (reads(app), reads(app, app.consumer_secret_name)) == (before[0] + 1, before[1] + 1)


@pytest.mark.skipif(not (PEERS / ".ready").exists(), reason="run: make peers")
def test_tweepy_signs_with_the_tokens(app: SandboxApp) -> None:
    grant(app)
    code = """
import sys
import requests, tweepy
from tripod import user_tokens

class Session(requests.Session):  # tweepy knows only X's own host
    def prepare_request(self, request):
        request.url = request.url.replace("https://api.twitter.com", sys.argv[3])
        return super().prepare_request(request)

tokens = user_tokens(sys.argv[1], user_id=sys.argv[2])
client = tweepy.Client(
    consumer_key=tokens.consumer_key,
    consumer_secret=tokens.consumer_secret,
    access_token=tokens.oauth_token,
    access_token_secret=tokens.oauth_token_secret,
)
client.session = Session()
client.create_tweet(text="posted by tweepy")
print(client.get_me().data.username)
"""
    arguments = (app.name, app.user.user_id, app.sandbox.provider)
    assert run(app.sandbox, code, *arguments, python=PEERS / "venv" / "bin" / "python") == app.user.screen_name
    assert [post.text for post in app.sandbox.provider_server.posts(app.consumer.key)] == ["posted by tweepy"]


def test_every_request_is_signed_anew_and_secrets_are_read_once(granted: SandboxApp) -> None:
    before = reads(granted)
    for _ in range(2):
        with session(granted) as user:
            assert [who(granted, user).status_code for _ in range(3)] == [200] * 3
            assert user.post(granted.sandbox.provider + POST, data={"status": "hé + & = %"}, timeout=5).status_code == 200
            assert user.post(granted.sandbox.provider + "/2/tweets", json={"text": "hé"}, timeout=5).status_code == 201
    assert reads(granted) == before + 1
    assert [post.text for post in granted.sandbox.provider_server.posts(granted.consumer.key)] == ["hé + & = %", "hé"] * 2


def test_a_provider_is_told_who_asks(granted: SandboxApp) -> None:
    told = who(granted, session(granted)).request.headers["User-Agent"]
    assert told == USER_AGENT
    assert VERSION in told


def test_threads_share_a_session_and_one_read(granted: SandboxApp) -> None:
    before = reads(granted)
    statuses: list[int] = []
    ready = threading.Barrier(12)

    def call() -> None:
        ready.wait()
        with session(granted) as user:
            statuses.extend(who(granted, user).status_code for _ in range(3))

    threads = [threading.Thread(target=call) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 36
    assert reads(granted) == before + 1


def test_signing_leaves_a_stream_as_it_is(granted: SandboxApp) -> None:
    with session(granted) as user:
        url = granted.sandbox.provider + "/2/tweets"
        prepared = user.prepare_request(requests.Request("POST", url, data=io.BytesIO(b"a=1\nb=2\n")))
        assert (cast("Any", prepared.body).tell(), prepared.headers["Content-Type"]) == (0, "application/octet-stream")
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        with pytest.raises(ValueError, match="given whole"):
            user.post(url, data=io.BytesIO(b"status=a"), headers=form, timeout=5)


def test_neither_netrc_nor_proxy_nor_bundle_of_the_environment_has_a_say(
    granted: SandboxApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine localhost login a password b\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with session(granted) as user:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(netrc))
        assert who(granted, user).status_code == 200
