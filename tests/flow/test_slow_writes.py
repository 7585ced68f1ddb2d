"""A slow write to the secret, of somebody who was overtaken or dies with it, has no effect that lasts."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest

from tests.support.grants import (
    acting,
    assert_nothing_is_owed,
    current,
    grant,
    let_hours_pass,
    token_of,
)
from tests.support.harness import Harness, Killed
from tests.support.sandbox_app import SandboxApp
from tripod_flow.edges.secret_writer import SecretWriter
from tripod_flow.rules import connection, revocation
from tripod_flow.rules.authorization import Authorization


def slowly(method: str, act: Callable[[], None], *, dies: bool) -> type[SecretWriter]:
    """Return a writer that something overtakes in its first call of ``method``, and that may die with it."""
    Acting = acting(method, act)

    def call(self: Any, *arguments: Any, **named: Any) -> None:
        getattr(Acting, method)(self, *arguments, **named)
        if dies:
            raise Killed

    return type("Slow", (Acting,), {method: call})


@pytest.mark.parametrize("dies", [False, True])
def test_a_slow_deletion_takes_no_tokens_of_who_has_signed_in_again(app: SandboxApp, dies: bool) -> None:
    other = Harness(app)
    other.callback(*other.come_back())
    new: list[Authorization] = []

    def meanwhile() -> None:
        other.clock.now += revocation.INVALIDATING + 1  # the relay's turn
        new.append(grant(other, anew=False))
        other.relay.relay([app.connection_key, new[0].pk], lambda: True)

    other.clock.now += 1
    slow = Harness(app, clock=other.clock, writer_type=slowly("delete", meanwhile, dies=dies))
    with pytest.raises(Killed) if dies else nullcontext():
        slow.revocation.revoke(app.name, app.user.user_id)
    let_hours_pass(other)
    assert_nothing_is_owed(app)
    assert current(app) == token_of(new[0])


@pytest.mark.parametrize("dies", [False, True])
def test_a_slow_restoration_brings_no_tokens_back(app: SandboxApp, dies: bool) -> None:
    other = Harness(app)
    other.callback(*other.come_back())
    other.clock.now += 1
    dying = Harness(app, clock=other.clock, writer_type=slowly("delete", lambda: grant(other, anew=False), dies=True))  # type: ignore[arg-type]  # its answer is nobody's
    with pytest.raises(Killed):
        dying.revocation.revoke(app.name, app.user.user_id)
    assert current(app) is None  # of a user who has come back: the relay restores it

    def meanwhile() -> None:
        other.clock.now += 1
        other.revocation.revoke(app.name, app.user.user_id)

    slow = Harness(app, clock=other.clock, writer_type=slowly("restore", meanwhile, dies=dies))
    slow.clock.now += connection.WRITING
    with pytest.raises(Killed) if dies else nullcontext():
        slow.relay.relay([app.connection_key], lambda: True)
    let_hours_pass(other)
    assert_nothing_is_owed(app)
    assert current(app) is None
