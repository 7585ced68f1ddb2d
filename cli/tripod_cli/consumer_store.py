"""A consumer secret's ``"store"``: where users' tokens are kept, and since when it says so."""

import json
from dataclasses import dataclass
from typing import Any, cast

from tripod import names
from tripod.credentials import BLANKS, Consumer, Store


@dataclass(frozen=True, slots=True)
class SaidStore:
    """What the secret says, and since when (epoch seconds): its newest version's time, whatever that has changed."""

    store: Store
    since: float


class ConsumerStore:
    """The ``"store"`` of the consumer secret of ``provider``, through ``client``, Secrets Manager's."""

    def __init__(self, client: Any, prefix: str, provider: str) -> None:
        self._client = client
        self._provider = provider
        self.secret = names.consumer_secret(prefix, provider)

    def read(self) -> SaidStore:
        """Return what the secret says now. Raises ValueError where it is malformed."""
        answer = self._client.get_secret_value(SecretId=self.secret)
        return SaidStore(Consumer.from_json(answer["SecretString"], self._provider).store, answer["CreatedDate"].timestamp())

    def say(self, store: Store) -> None:
        """Change ``"store"``, and nothing else of the secret."""
        text = self._client.get_secret_value(SecretId=self.secret)["SecretString"]
        content = cast("dict[str, Any]", json.loads(text.strip(BLANKS), strict=False))
        self._client.put_secret_value(SecretId=self.secret, SecretString=json.dumps({**content, "store": store}))
