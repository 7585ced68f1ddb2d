import json
from typing import Any

from tests.support.clock import Clock
from tripod.secret_reader import LIFETIME, SecretReader
from tripod_flow.edges.consumers import Consumers


class Secrets:
    """Secrets Manager, as far as one secret's content goes."""

    host = "one.example"

    class exceptions:
        ResourceNotFoundException = InvalidRequestException = KeyError

    def get_secret_value(self, SecretId: str) -> dict[str, Any]:
        urls = {name: f"https://{self.host}/{name}" for name in ("request_token_url", "authorize_url", "access_token_url")}
        return {"SecretString": json.dumps({"consumer_key": "k", "consumer_secret": "s", "provider": urls})}


def test_a_changed_definition_is_read_with_the_secret() -> None:
    secrets, clock = Secrets(), Clock()
    consumers = Consumers(SecretReader(secrets, "tripod", clock), loopback=False, can_seal=False)  # type: ignore[arg-type]  # as much of a client as is called
    first, _ = consumers.find("other")
    assert consumers.find("other")[0] is first
    secrets.host = "two.example"
    clock.now += LIFETIME + 1
    assert consumers.find("other")[0].access_token_url == "https://two.example/access_token_url"
