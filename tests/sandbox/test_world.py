import json
import time
from pathlib import Path

import pytest
import requests

from sandbox.loopback import PortTakenError
from sandbox.world import Sandbox


def test_ready_names_everything(small: Sandbox) -> None:
    ready = small.ready()
    assert list(ready) == ["api", "aws", "provider", "lambda", "table", "prefix"]
    assert (ready["prefix"], ready["table"]) == ("small", "small-Items")
    assert ready["api"].startswith("http://127.0.0.1:")
    assert ready["provider"].startswith("http://localhost:")


def test_the_consumer_secret_of_x_is_there(small: Sandbox) -> None:
    secret = json.loads(small.client("secretsmanager").get_secret_value(SecretId="small/consumer/x")["SecretString"])
    assert list(secret) == ["consumer_key", "consumer_secret", "provider"]
    assert secret["provider"]["authorize_url"] == f"{small.provider}/oauth/authorize"


def test_a_provider_is_added_with_an_app_of_its_own(small: Sandbox) -> None:
    consumer = small.add_provider("another", store="none", provider=None)
    secret = json.loads(small.client("secretsmanager").get_secret_value(SecretId="small/consumer/another")["SecretString"])
    assert secret == {"consumer_key": consumer.key, "consumer_secret": consumer.secret, "store": "none"}
    assert small.add_provider("another").key != consumer.key


def test_a_provider_that_it_plays_has_a_consumer_secret_of_its_own(small: Sandbox, template_path: Path) -> None:
    with Sandbox(template=template_path, aws_url=small.aws, parameters={"Prefix": "played"}, provider="discogs") as sandbox:
        vault = sandbox.client("secretsmanager")
        secret, x = (
            json.loads(vault.get_secret_value(SecretId=f"played/consumer/{name}")["SecretString"]) for name in ("discogs", "x")
        )
        assert "like" not in x["provider"]
        api = f"{sandbox.provider}/discogs/api.discogs.com/oauth"
        assert secret["provider"] == {
            "like": "discogs",
            "request_token_url": f"{api}/request_token",
            "authorize_url": f"{sandbox.provider}/discogs/www.discogs.com/oauth/authorize",
            "access_token_url": f"{api}/access_token",
            "identity_url": f"{api}/identity",
        }


def test_the_real_x_takes_the_local_providers_place(small: Sandbox, template_path: Path) -> None:
    with Sandbox(template=template_path, aws_url=small.aws, parameters={"Prefix": "real"}, consumer=("key", "secret")) as real:
        secret = json.loads(real.client("secretsmanager").get_secret_value(SecretId="real/consumer/x")["SecretString"])
        assert secret == {"consumer_key": "key", "consumer_secret": "secret"}
        assert (real.aws, real.table) == (small.aws, "real-Items")


def test_an_aws_that_is_running_already_can_be_used_twice(small: Sandbox, template_path: Path) -> None:
    for _ in range(2):
        with Sandbox(template=template_path, aws_url=small.aws, parameters={"Prefix": "twice"}) as again:
            body = requests.get(f"{again.api}/echo/a", timeout=20).json()
            assert body["environment"]["AWS_ENDPOINT_URL"] == small.aws


@pytest.mark.parametrize("server", ["api", "aws", "provider"])
def test_a_port_that_is_taken_is_named(small: Sandbox, template_path: Path, server: str) -> None:
    port = int(getattr(small, server).rpartition(":")[2])
    ports = {f"{server}_port": port}
    with pytest.raises(PortTakenError, match=f"port {port}"), Sandbox(template=template_path, **ports):  # type: ignore[arg-type]  # ports alone
        pass


def test_two_worlds_in_one_process_share_nothing(small: Sandbox, template_path: Path) -> None:
    with Sandbox(template=template_path) as other:
        secrets = small.client("secretsmanager")
        secrets.create_secret(Name="small/user/x/only-here", SecretString="v")
        names = [each["Name"] for each in other.client("secretsmanager").list_secrets()["SecretList"]]
        assert names == ["small/consumer/x"]


def test_starting_is_quick_and_ending_at_once(template_path: Path) -> None:
    began = time.monotonic()
    with Sandbox(template=template_path):
        started = time.monotonic()
    assert started - began < 3
    assert time.monotonic() - started < 1


def test_tripods_own_functions_answer() -> None:
    with Sandbox() as sandbox:
        response = requests.get(f"{sandbox.api}/oauth/x/start", headers={"Accept": "application/json"}, timeout=20)
        assert response.status_code == 200
        assert response.json()["authorize_url"].startswith(f"{sandbox.provider}/oauth/authorize?")
        assert requests.get(f"{sandbox.api}/oauth/nobody/start", timeout=20).status_code == 404
