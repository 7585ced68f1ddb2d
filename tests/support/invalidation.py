"""Providers that are asked to invalidate, while something else happens, and what they know afterwards."""

from collections.abc import Callable
from typing import Any

from tests.support.sandbox_app import SandboxApp
from tripod_flow.edges.provider_client import ProviderClient


def knows_no_grant(app: SandboxApp) -> bool:
    """Return True if the provider has no valid token of the app's user."""
    try:
        app.sandbox.provider_server.revoke(app.consumer.key, app.user)
    except LookupError:
        return True
    return False


def asking(act: Callable[[], None], *, first: bool = False) -> type[ProviderClient]:
    """Return a client during whose first invalidation something else happens, before the provider has it or after."""
    waiting = [act]

    class Asking(ProviderClient):
        def invalidate(self, *arguments: Any) -> None:
            acts = [waiting.pop()] if waiting else []
            for each in acts if first else []:
                each()
            super().invalidate(*arguments)
            for each in [] if first else acts:
                each()

    return Asking
