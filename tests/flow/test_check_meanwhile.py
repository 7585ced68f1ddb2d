"""What happens while a check is made, or a new grant stored: the latest event agrees with the connection, and only its own token counts."""

from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from sandbox.provider import failures
from tests.support.checks import with_identity
from tests.support.harness import Harness
from tests.support.reading import revoke
from tests.support.sandbox_app import SandboxApp, make_app
from tripod.provider_errors import Cause
from tripod_flow.edges.provider_client import ExchangeResponse, ProviderClient
from tripod_flow.rules import authorization, check
from tripod_flow.rules.check import Finding, Health


class WithSomethingMeanwhile(ProviderClient):
    """A client that lets something else happen between an exchange and what follows it."""

    meanwhile: ClassVar[Callable[[], object]] = lambda: None

    def access_token(self, *arguments: Any, **named: Any) -> ExchangeResponse:
        response = super().access_token(*arguments, **named)
        type(self).meanwhile()
        return response


class Connected:
    """A user who is connected, with a clock that tests move."""

    def __init__(self, app: SandboxApp) -> None:
        self.app = with_identity(app)
        self.harness = Harness(app, client_type=WithSomethingMeanwhile)
        self.keys = [app.connection_key]
        self.sign_in()
        self.relay()

    def sign_in(self, meanwhile: Callable[[], object] = lambda: None) -> None:
        self.harness.clock.now += 100
        token, verifier = self.harness.come_back()
        WithSomethingMeanwhile.meanwhile = meanwhile
        self.harness.callback(token, verifier)
        WithSomethingMeanwhile.meanwhile = lambda: None
        self.keys.append(authorization.key(self.app.name, token))

    def check(self) -> Finding:
        self.harness.clock.now += 100
        return self.harness.flows.check.check(self.app.name, self.app.user.user_id)

    def refuse(self) -> None:
        """Let the provider refuse the token once, when it is asked about."""
        self.app.fault("verify_credentials", failures.REVOKED)
        assert self.check().health is Health.REFUSED

    def relay(self) -> None:
        self.harness.clock.now += 400
        self.harness.relay.relay(self.keys, lambda: True)

    @property
    def told(self) -> list[str]:
        """What was told, each once, in the order in which it happened."""
        events = {event.detail["id"]: event for event in self.app.events()}.values()
        return [event.detail_type for event in sorted(events, key=lambda event: (event.detail["time"], event.detail_type))]


def test_a_refusal_that_comes_before_a_grant_is_recorded_is_told_before_its_restoration(app: SandboxApp) -> None:
    user = Connected(app)
    user.sign_in(meanwhile=user.refuse)
    user.relay()
    assert user.told == ["authorization.granted", "authorization.granted", "connection.refused", "connection.restored"]
    assert user.check().health is Health.CONNECTED


@pytest.mark.parametrize("is_told", [False, True])
def test_a_connection_that_is_refused_again_before_its_restoration_is_known_as_told_has_both_told(
    app: SandboxApp, is_told: bool
) -> None:
    user = Connected(app)
    user.refuse()
    user.sign_in()
    if is_told:
        app.sandbox.aws_server.fault("dynamodb", "UpdateItem", "denied", match=app.connection_key)
        user.harness.relay.relay(user.keys[-1:], lambda: True)
        assert user.told[-1] == "connection.restored"
    user.refuse()
    user.relay()
    granted, refused, restored = "authorization.granted", "connection.refused", "connection.restored"
    assert user.told == [granted, refused, granted, restored, refused]
    user.sign_in()
    user.relay()
    assert user.told[5:] == [granted, restored]


def test_only_the_current_grants_token_is_asked_about(sandbox: Any) -> None:
    app = make_app(sandbox, renews=True)
    user = Connected(app)
    before = user.harness.table.connection(app.connection_key)
    assert before
    assert before.secret_version
    user.sign_in()
    user.harness.writer.make_current(app.name, app.user.user_id, before.secret_version)  # as a slow writer leaves it for a moment
    assert user.check().health is Health.CONNECTED
    revoke(app)
    assert user.check() == Finding(Health.REFUSED, Cause.TOKEN_REVOKED, user.harness.clock.now)


def test_a_corrected_consumer_secret_is_read_before_an_answer_is_believed(app: SandboxApp) -> None:
    user = Connected(app)
    app.change_consumer(consumer_secret="mistyped")
    user.harness = Harness(app, clock=user.harness.clock)
    assert user.check() == check.NOTHING
    app.change_consumer(consumer_secret=app.consumer.secret)
    assert user.check().health is Health.CONNECTED
