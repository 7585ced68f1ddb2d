"""Interleavings of grants, revocations and the relay: in the end the secret is what came last, and nothing is owed."""

from unittest.mock import patch

import pytest

from tests.support.grants import acting, assert_nothing_is_owed, current, grant, tidy, token_of
from tests.support.harness import Harness, Killed
from tests.support.sandbox_app import SandboxApp
from tripod.credentials import UserTokens
from tripod_flow.edges.secret_writer import SecretWriter
from tripod_flow.rules import transitions
from tripod_flow.rules.authorization import Authorization


def test_a_deletion_that_dies_under_a_new_grant_is_put_right(app: SandboxApp) -> None:
    harness = Harness(app)
    harness.callback(*harness.come_back())
    new: list[Authorization] = []

    class Dying(SecretWriter):
        def delete(self, provider: str, user_id: str) -> None:
            new.append(grant(harness, anew=False))
            super().delete(provider, user_id)
            raise Killed

    harness.clock.now += 1
    with pytest.raises(Killed):
        Harness(app, clock=harness.clock, writer_type=Dying).revocation.revoke(app.name, app.user.user_id)
    assert current(app) is None
    tidy(harness, *new)
    assert current(app) == token_of(new[0])
    assert_nothing_is_owed(app)


def test_a_connection_says_what_its_secret_contains_before_it_does(app: SandboxApp) -> None:
    named: list[str | None] = []

    class Watched(SecretWriter):
        def store(self, tokens: UserTokens, *, expected: bool) -> None:
            found = harness.table.connection(app.connection_key)
            named.append(found.secret_version if found else None)
            super().store(tokens, expected=expected)

    harness = Harness(app, writer_type=Watched)
    harness.callback(*harness.come_back())
    version = app.sandbox.client("secretsmanager").get_secret_value(SecretId=app.secret_name)["VersionId"]
    assert named == [version]


def test_an_old_grant_that_is_written_last_and_dies_is_put_right(app: SandboxApp) -> None:
    harness = Harness(app)
    new: list[Authorization] = []

    class Late(SecretWriter):
        def store(self, tokens: UserTokens, *, expected: bool) -> None:
            if not new:
                new.append(grant(harness))
                super().store(tokens, expected=expected)
                raise Killed
            super().store(tokens, expected=expected)

    slow = Harness(app, clock=harness.clock, writer_type=Late)
    token, verifier = slow.come_back()
    with pytest.raises(Killed):
        slow.callback(token, verifier)
    assert current(app) != token_of(new[0])
    tidy(harness, harness.record(token), *new)
    assert current(app) == token_of(new[0])
    assert harness.record(token).pending_tokens is None
    assert_nothing_is_owed(app)


def test_three_grants_that_cross_end_with_the_newest(app: SandboxApp) -> None:
    harness = Harness(app)
    records: list[Authorization] = []
    reader = Harness(app, clock=harness.clock)
    restoring = acting("restore", lambda: records.append(grant(reader)))

    class Crossing(restoring):  # type: ignore[misc,valid-type]  # made above
        stored = False

        def store(self, tokens: UserTokens, *, expected: bool) -> None:
            if not Crossing.stored:
                Crossing.stored = True
                records.append(grant(reader))
            super().store(tokens, expected=expected)

    slow = Harness(app, clock=harness.clock, writer_type=Crossing)
    slow.callback(*slow.come_back())
    assert len(records) == 2
    assert current(app) == token_of(records[1])


def test_an_old_grant_that_is_overtaken_while_it_is_stored_does_not_win(app: SandboxApp) -> None:
    newer = Harness(app)
    harness = Harness(app, clock=newer.clock, writer_type=acting("store", lambda: newest.append(grant(newer))))
    newest: list[Authorization] = []
    old = harness.callback(*harness.come_back())
    stored = app.stored()
    assert stored
    assert stored["oauth_token"] == token_of(newest[0]) != token_of(old)
    assert harness.record(old.request_token).pending_tokens is None


def test_a_newer_grant_while_the_one_before_is_put_back_is_the_secrets(app: SandboxApp) -> None:
    harness = Harness(app)
    with patch.object(harness.token_store, "try_to_store", lambda _: None):
        late = harness.callback(*harness.come_back())
    grant(harness)
    newest: list[Authorization] = []
    relaying = Harness(app, clock=harness.clock, writer_type=acting("restore", lambda: newest.append(grant(harness))))
    harness.clock.now += transitions.LEASE
    relaying.relay.relay([late.pk], lambda: True)
    assert current(app) == token_of(newest[0])


def test_an_old_grant_that_is_stored_late_is_dropped(app: SandboxApp) -> None:
    class Down(SecretWriter):
        def store(self, tokens: UserTokens, *, expected: bool) -> None:
            raise app.sandbox.client("secretsmanager").exceptions.InternalServiceError({"Error": {"Code": "x"}}, "CreateSecret")

    harness = Harness(app, writer_type=Down)
    old = harness.callback(*harness.come_back())
    assert app.stored() is None
    later = Harness(app, clock=harness.clock)
    new = grant(later)
    later.token_store.store(harness.record(old.request_token))
    stored = app.stored()
    assert stored
    assert stored["oauth_token"] == token_of(new)
    assert harness.record(old.request_token).pending_tokens is None
    harness.clock.now += 60
    harness.relay.relay([old.pk], lambda: True)
    assert harness.record(old.request_token).outbox is None
