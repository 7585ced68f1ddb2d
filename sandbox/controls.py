"""What the sandbox's page can do: switch failures on and off, disconnect a user, have one revoke an app at the provider."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.aws.faults import AwsFault
from sandbox.aws.server import AwsServer
from sandbox.provider import ProviderServer, RegisteredApp, User

FOR_EVER = 1 << 40  # calls that a fault spoils until it is switched off


@dataclass(frozen=True)
class Switch:
    """One failure that lasts from when it is switched on until it is switched off."""

    name: str
    title: str
    effect: str
    is_on: Callable[[], bool]
    turn: Callable[[bool], None]


class Controls:
    """The switches, and the acts on a user. ``provider`` is None where it is the real one, ``aws`` where it isn't the sandbox's own.

    ``apps`` are the provider's by the names of their consumer secrets; ``lambda_client`` reaches the functions of ``prefix``.
    """

    def __init__(
        self,
        provider: ProviderServer | None,
        aws: AwsServer | None,
        apps: Mapping[str, RegisteredApp],
        lambda_client: Callable[[], Any],
        prefix: str,
    ) -> None:
        self._provider = provider
        self._aws = aws
        self._apps = apps
        self._lambda_client = lambda_client
        self._prefix = prefix
        self._throttling: AwsFault | None = None
        self.switches = [*self._provider_switches(), *self._aws_switches()]

    def _provider_switches(self) -> list[Switch]:
        if (provider := self._provider) is None:
            return []

        def set_down(on: bool) -> None:
            provider.down = on

        def set_refusing(on: bool) -> None:
            provider.refuses_apps = on

        return [
            Switch("down", "The provider is down", "every request to it is answered 503", lambda: provider.down, set_down),
            Switch(
                "refusing",
                "The provider refuses the app",
                "as after its key was regenerated in the developer console: 401",
                lambda: provider.refuses_apps,
                set_refusing,
            ),
        ]

    def _aws_switches(self) -> list[Switch]:
        if (aws := self._aws) is None:
            return []

        def turn(on: bool) -> None:
            if self._throttling:
                self._throttling.times = 0
            self._throttling = aws.fault("secretsmanager", "*", "throttled", FOR_EVER) if on else None

        effect = "every call is answered ThrottlingException"
        return [Switch("throttled", "Secrets Manager is throttled", effect, lambda: self._throttling is not None, turn)]

    def accounts(self) -> list[tuple[User, list[str]]]:
        """Return the provider's users, each with the names of the apps to which they have granted access."""
        if (provider := self._provider) is None:
            return []
        return [
            (user, [name for name, app in self._apps.items() if provider.valid_token(app.key, user)]) for user in provider.users
        ]

    def act(self, form: Mapping[str, str]) -> str:
        """Do what a button's form asks for, and return what to say of it."""
        provider, user_id = form.get("provider", ""), form.get("user_id", "")
        match form.get("do"):
            case "switch":
                return self._switch(form)
            case "disconnect":
                return self._disconnect(provider, user_id)
            case "revoke":
                return self._revoke(provider, user_id)
        return "There is no such button."

    def _switch(self, form: Mapping[str, str]) -> str:
        for switch in self.switches:
            if switch.name == form.get("switch"):
                on = form.get("to") == "on"
                switch.turn(on)
                return "" if on else f"{switch.title}: switched off."  # the page says what is on
        return "There is no such switch."

    def _disconnect(self, provider: str, user_id: str) -> str:
        """Invoke the function revoke, as an app does by ``disconnect``."""
        event = json.dumps({"provider": provider, "user_id": user_id})
        response = self._lambda_client().invoke(FunctionName=f"{self._prefix}-revoke", Payload=event.encode())
        content = json.loads(response["Payload"].read())
        if "invalidated" in content:
            return f"User {user_id} of {provider} is disconnected; invalidated at the provider: {json.dumps(content['invalidated'])}."
        return (
            f"User {user_id} of {provider} is not disconnected: {content.get('code', 'the function failed, its log says why')}."
        )

    def _revoke(self, name: str, user_id: str) -> str:
        user = next((user for user, names in self.accounts() if user.user_id == user_id and name in names), None)
        if self._provider is None or user is None:
            return "There is nothing to revoke."
        self._provider.revoke(self._apps[name].key, user)
        return f"{user.screen_name} has revoked {name} at the provider. Tripod hasn't been told."
