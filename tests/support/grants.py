"""Grants made anew, writers under which something else happens, and what is left in the end."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from sandbox.provider import ProviderFault
from sandbox.world import Sandbox
from tests.support.harness import Harness
from tests.support.sandbox_app import SandboxApp, make_app
from tripod.credentials import AccessToken
from tripod_flow.edges.secret_writer import SecretWriter
from tripod_flow.flows import relay
from tripod_flow.rules import errors
from tripod_flow.rules.authorization import Authorization


def acting(method: str, act: Callable[[], None], *, after: bool = False) -> type[SecretWriter]:
    """Return a writer in whose first call of ``method`` something else happens, just before it or just after."""

    class Interrupted(SecretWriter):
        acted = False

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        first, Interrupted.acted = not Interrupted.acted, True
        if first and not after:
            act()
        result = getattr(SecretWriter, method)(self, *args, **kwargs)
        if first and after:
            act()
        return result

    setattr(Interrupted, method, call)
    return Interrupted


def unidentified(sandbox: Sandbox) -> tuple[Harness, str, str]:
    """Return an exchange of which nobody could say yet whose the tokens are: the harness, its request token and verifier."""
    app = make_app(sandbox, user_id_field=None, screen_name_field=None)
    app.fault("identity", ProviderFault.SERVER_ERROR)
    harness = Harness(app)
    token, verifier = harness.come_back()
    with pytest.raises(errors.ProviderUnavailable):
        harness.callback(token, verifier)
    return harness, token, verifier


def grant(harness: Harness, *, anew: bool = True) -> Authorization:
    """Let the user grant, with other tokens than before where ``anew``."""
    app = harness.app
    if anew:
        app.sandbox.provider_server.revoke(app.consumer.key, app.user)
    harness.clock.now += 1
    return harness.callback(*harness.come_back())


def tidy(harness: Harness, *records: Authorization) -> None:
    """Let leases end, and the relay do what is owed, and look again."""
    for _ in range(2):
        harness.clock.now += relay.RELAY_LEASE + 1
        harness.relay.relay([*(record.pk for record in records), harness.app.connection_key], lambda: True)


def current(app: SandboxApp) -> str | None:
    """Return the access token that readers get; None where the secret is deleted."""
    client = app.sandbox.client("secretsmanager")
    try:
        return str(json.loads(client.get_secret_value(SecretId=app.secret_name)["SecretString"])["oauth_token"])
    except (client.exceptions.InvalidRequestException, client.exceptions.ResourceNotFoundException):
        return None


def token_of(record: Authorization) -> str:
    assert isinstance(record.pending_tokens, AccessToken)
    return record.pending_tokens.oauth_token


def assert_nothing_is_owed(app: SandboxApp) -> None:
    found = app.item(app.connection_key)
    assert found is not None
    assert not found.keys() & {"outbox", "deletion_pending", "pending_events", "pending_invalidation"}


def revoked_events(app: SandboxApp) -> list[dict[str, Any]]:
    return [event.detail for event in app.events() if event.detail_type == "connection.revoked"]


def let_hours_pass(harness: Harness) -> None:
    """Let hours pass, in which the relay does what is due."""
    for _ in range(50):
        harness.clock.now += 600
        due = [pk for pk in harness.due() if harness.app.name in pk]
        harness.relay.relay(due, lambda: True)
