"""An app at a provider of the catalogue: its own definition, each URL of it at the sandbox's play of that provider."""

import json
import secrets
from dataclasses import dataclass
from typing import Any

from sandbox.provider.play import real
from sandbox.world import Sandbox
from tests.support.known_providers import KNOWN, Known
from tests.support.sandbox_app import SandboxApp
from tripod.definitions import resolve

SITES = {
    "mediawiki": "https://wiki.botany.example/w",
    "schoology": "https://district.example",
    "netsuite": "1234567",
    "wordpress": "https://blog.botany.example",
    "usos": "https://usosapi.botany.example",
    "opencaching": "https://opencaching.pl",
}


@dataclass
class CatalogueApp(SandboxApp):
    """An app under a provider name of its own, at the play of ``play``."""

    play: str = ""

    @property
    def known(self) -> Known:
        """What the author of an app reads about the provider."""
        return KNOWN[self.play]

    @property
    def user_id(self) -> str:
        """The user's id, as the provider has it."""
        return self.known.user_id.format(user_id=self.user.user_id, screen_name=self.user.screen_name)

    @property
    def secret_name(self) -> str:
        return f"{self.sandbox.prefix}/user/{self.name}/{self.user_id}"

    @property
    def connection_key(self) -> str:
        return f"connection#{self.name}#{self.user_id}"

    def address(self, url: str) -> str:
        """Return where the sandbox serves a URL of the provider."""
        told = url.format(user_id=self.user.user_id, screen_name=self.user.screen_name)
        return real(self.sandbox.provider_server.url, self.play, told)

    def revoke_there(self) -> None:
        """Let the user revoke the app in the provider's own settings."""
        self.sandbox.provider_server.revoke(self.consumer.key, self.user)


def make_catalogue_app(sandbox: Sandbox, play: str, **changes: Any) -> CatalogueApp:
    """Register an app at ``play``; ``changes`` are made to the definition."""
    server = sandbox.provider_server
    consumer = server.register(play=play)
    given = {"like": play, **({"site": SITES[play]} if play in SITES else {})}
    urls = {key: real(server.url, play, value) for key, value in resolve(given, play).items() if key.endswith("_url")}
    provider = {**given, **urls, **changes}
    name = f"p-{secrets.token_hex(6)}"
    content = {"consumer_key": consumer.key, "consumer_secret": consumer.secret, "provider": provider}
    sandbox.client("secretsmanager").create_secret(Name=f"{sandbox.prefix}/consumer/{name}", SecretString=json.dumps(content))
    return CatalogueApp(sandbox, name, consumer, server.add_user(), play)
