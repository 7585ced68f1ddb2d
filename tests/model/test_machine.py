"""The machine's short form; ``python -m tests.model`` is the long one, which also shrinks what it finds."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from unittest.mock import patch

import pytest
from boto3.dynamodb.conditions import Attr, ConditionBase
from hypothesis import HealthCheck, Phase, settings

from sandbox.provider import failures
from tests.model.cast import EXPECTED, Interruption, Kind, ModelFigures, Who
from tests.model.exploration import explore
from tests.model.machine import Machine
from tests.model.world import World
from tests.support.harness import Harness
from tripod.provider_errors import Cause
from tripod.secret_reader import SecretReader
from tripod_flow.edges.table import ConnectionUpdate, StoredUpdate
from tripod_flow.flows.finish import Finish
from tripod_flow.rules import binding, check
from tripod_flow.rules.authorization import Authorization, State
from tripod_flow.rules.check import Finding, Health
from tripod_flow.rules.transitions import Transition

SEED = 13
SHORT = settings(
    max_examples=6,
    stateful_step_count=30,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with World() as running:
        yield running


def test_whatever_the_order_the_rules_hold(world: World) -> None:
    figures = explore(world, SHORT, seed=SEED)
    assert figures.exchanges
    assert {"granted", "revoked"} <= figures.outcomes.keys() | figures.answers.keys()


def test_what_a_long_run_has_not_come_to_is_said() -> None:
    figures = ModelFigures()
    assert "an entry of outcomes: denied" in figures.missing()
    for kind, names in EXPECTED.items():
        getattr(figures, kind).update(names)
    assert figures.missing() == []


def test_an_app_that_keeps_nothing_has_no_connections(world: World) -> None:
    play = Machine(world, ModelFigures())
    play.open(app="nameless", store="none", kind=Kind.PLAIN)
    play.sign_in(user=0)
    play.check(user=0, wait=61)
    play.revoke(user=0)
    play.sign_in(user=0)
    play.teardown()


def claims_are_always_won(harness: Harness) -> None:
    update = harness.table.update

    def lenient(transition: Transition, held: Authorization | None = None) -> object:
        claims = transition.changes.get("state") is State.EXCHANGING
        return update(replace(transition, condition=_of_any_state(transition.condition)) if claims else transition, held)

    harness.table.update = lenient  # type: ignore[assignment,method-assign]  # broken on purpose


def _of_any_state(claim: ConditionBase) -> ConditionBase:
    """Return a claim's condition without the state: the browser that began it may claim it again."""
    expected, expires = claim.get_expression()["values"]
    _, browser = expected.get_expression()["values"]
    anybody: ConditionBase = Attr("request_secret").exists() & browser & expires
    return anybody


def any_grant_counts_as_the_newest(harness: Harness) -> None:
    update = harness.table.update_connection

    def lenient(transition: Transition) -> ConnectionUpdate:
        grants = "granted_at" in transition.changes
        return update(replace(transition, condition=Attr("pk").exists() | Attr("pk").not_exists()) if grants else transition)

    harness.table.update_connection = lenient  # type: ignore[method-assign]  # broken on purpose


def any_sealed_grant_counts_as_the_newest(harness: Harness) -> None:
    update = harness.table.update_with_connection

    def lenient(transition: Transition, connected: Transition) -> StoredUpdate:
        return update(transition, replace(connected, condition=Attr("pk").exists() | Attr("pk").not_exists()))

    harness.table.update_with_connection = lenient  # type: ignore[method-assign]  # broken on purpose


def a_disconnect_leaves_sealed_tokens(harness: Harness) -> None:
    update = harness.table.update_connection

    def leave(transition: Transition) -> ConnectionUpdate:
        changes = {name: value for name, value in transition.changes.items() if name != "sealed_tokens"}
        return update(replace(transition, changes=changes))

    harness.table.update_connection = leave  # type: ignore[method-assign]  # broken on purpose


def test_a_claim_that_two_can_win_is_found(world: World) -> None:
    play = Machine(world, ModelFigures(), claims_are_always_won)
    one = play.open(app="plain", store="secrets-manager", kind=Kind.PLAIN)
    play.interrupt(after=1, act=Interruption.COME_BACK, one=one, user=0)
    play.come_back(one, Who.RIGHT, right=True)
    with pytest.raises(AssertionError, match="exchanged tokens are lost"):
        play.teardown()


def test_a_browser_that_is_not_checked_is_found(world: World) -> None:
    play = Machine(world, ModelFigures())
    one = play.open(app="plain", store="secrets-manager", kind=Kind.PLAIN)
    play.come_back(one, Who.RIGHT, right=True)
    with patch.object(binding, "matches", lambda *_: True), pytest.raises(AssertionError, match="wrong browser"):
        play.come_back(one, Who.FORGED, right=True)
    play.teardown()


def test_a_consent_confirmed_after_a_disconnection_is_found(world: World) -> None:
    play = Machine(world, ModelFigures())
    play.open(app="plain", store="secrets-manager", kind=Kind.PLAIN)
    with patch.object(Finish, "_refuse_if_revoked", lambda *_: None), pytest.raises(AssertionError, match="had disconnected"):
        play.consent_then_disconnect(user=0)
    with suppress(AssertionError):  # what is found again at the end: a play must end, it has patched the log
        play.teardown()


def test_an_older_grant_that_wins_is_found(world: World) -> None:
    play = Machine(world, ModelFigures(), any_grant_counts_as_the_newest)
    play.open(app="renewing", store="secrets-manager", kind=Kind.PLAIN)
    play.sign_in_twice_at_once(user=0, after=2)
    with pytest.raises(AssertionError, match="an older grant has won"):
        play.teardown()


def test_an_older_sealed_grant_that_wins_is_found(world: World) -> None:
    play = Machine(world, ModelFigures(), any_sealed_grant_counts_as_the_newest)
    play.open(app="renewing", store="table", kind=Kind.PLAIN)
    play.sign_in_twice_at_once(user=0, after=1)
    with pytest.raises(AssertionError, match="an older grant has won"):
        play.teardown()


def test_sealed_tokens_that_outlive_a_disconnect_are_found(world: World) -> None:
    play = Machine(world, ModelFigures(), a_disconnect_leaves_sealed_tokens)
    play.open(app="plain", store="table", kind=Kind.PLAIN)
    play.sign_in(user=0)
    play.revoke(user=0)
    with pytest.raises(AssertionError, match="sealed tokens of a disconnected user"):
        play.teardown()


def test_an_answer_that_proves_nothing_and_is_believed_is_found(world: World) -> None:
    play = Machine(world, ModelFigures())
    play.open(app="plain", store="secrets-manager", kind=Kind.PLAIN)
    play.sign_in(user=0)
    play.provider_says_of_a_token(failures.V2_UNAUTHORIZED, times=1)
    with patch.object(check, "meaning", lambda _: Finding(Health.REFUSED, Cause.TOKEN_REVOKED)):
        play.check(user=0, wait=61)
    with pytest.raises(AssertionError, match="refused, and the provider has said '401 ' of"):
        play.teardown()


def test_a_check_of_another_grants_token_is_found(world: World) -> None:
    play = Machine(world, ModelFigures())
    play.open(app="renewing", store="secrets-manager", kind=Kind.PLAIN)
    play.sign_in(user=0)
    with patch.object(SecretReader, "version_of_user", lambda self, *whose: self.user(*whose[:2], fresh=True)):
        play.sign_in_twice_at_once(user=0, after=3, checked=1)
    with pytest.raises(AssertionError, match="refused, and the provider has said None"):
        play.teardown()


def test_a_restoration_that_is_not_told_is_found(world: World) -> None:
    play = Machine(world, ModelFigures())
    play.open(app="plain", store="table", kind=Kind.PLAIN)
    play.sign_in(user=0)
    play.provider_says_of_a_token(failures.REVOKED, times=1)
    play.check(user=0, wait=61)
    play.sign_in(user=0)
    with patch.object(check, "is_restored_by_grant", lambda _: False), pytest.raises(AssertionError, match="events differ"):
        play.teardown()
