"""Interleavings of grants, revocations and the relay: in the end the secret is what came last, and nothing is owed."""

import json
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pytest
from botocore.exceptions import ClientError

from sandbox.provider import Fault
from tests.conftest import App, make_app
from tests.flow.test_tickets import new_pair
from tests.house import House
from tripod.credentials import UserTokens
from tripod_flow import connection, errors, progress, relay
from tripod_flow.authorization import Authorization, State
from tripod_flow.vault import TokenVault


class Killed(BaseException):
    """The process is gone, in the middle of what it did."""


def acting(method: str, act: Callable[[], None], *, after: bool = False) -> type[TokenVault]:
    """Return a writer in whose first call of ``method`` something else happens, just before it or just after."""

    class Interrupted(TokenVault):
        acted = False

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        first, Interrupted.acted = not Interrupted.acted, True
        if first and not after:
            act()
        result = getattr(TokenVault, method)(self, *args, **kwargs)
        if first and after:
            act()
        return result

    setattr(Interrupted, method, call)
    return Interrupted


def die() -> None:
    raise Killed


def pk(app: App) -> str:
    return connection.key(app.name, app.user.user_id)


def grant(house: House, *, anew: bool = True) -> Authorization:
    """Let the user grant, with other tokens than before where ``anew``."""
    app = house.app
    if anew:
        app.sandbox.provider_server.revoke(app.consumer.key, app.user)
    house.clock.now += 1
    return house.callback(*house.come_back())


def tidy(house: House, *records: Authorization) -> None:
    """Let leases end, and the relay do what is owed."""
    house.clock.now += relay.LEASE + 1
    house.relay.relay([*(record.pk for record in records), pk(house.app)], lambda: True)


def current(app: App) -> str | None:
    """Return the access token that readers get; None where the secret is deleted."""
    client = app.sandbox.client("secretsmanager")
    try:
        return str(json.loads(client.get_secret_value(SecretId=app.secret_name)["SecretString"])["oauth_token"])
    except (client.exceptions.InvalidRequestException, client.exceptions.ResourceNotFoundException):
        return None


def token_of(record: Authorization) -> str:
    assert record.unstored
    return record.unstored["oauth_token"]


def assert_nothing_is_owed(app: App) -> None:
    found = app.item(pk(app))
    assert found is not None
    assert not found.keys() & {"owed", "unerased", "unsent_at"}


def test_a_deletion_that_dies_under_a_new_grant_is_put_right(app: App) -> None:
    house = House(app)
    house.callback(*house.come_back())
    new: list[Authorization] = []

    class Dying(TokenVault):
        def delete(self, provider: str, user_id: str) -> None:
            new.append(grant(house, anew=False))
            super().delete(provider, user_id)
            raise Killed

    house.clock.now += 1
    with pytest.raises(Killed):
        House(app, clock=house.clock, writer_type=Dying).revocation.revoke(app.name, app.user.user_id)
    assert current(app) is None
    tidy(house, *new)
    assert current(app) == token_of(new[0])
    assert_nothing_is_owed(app)


def test_an_old_grant_that_is_written_last_and_dies_is_put_right(app: App) -> None:
    house = House(app)
    new: list[Authorization] = []

    class Late(TokenVault):
        def store(self, tokens: UserTokens, *, expected: bool) -> None:
            if not new:
                new.append(grant(house))
                super().store(tokens, expected=expected)
                raise Killed
            super().store(tokens, expected=expected)

    slow = House(app, clock=house.clock, writer_type=Late)
    token, verifier = slow.come_back()
    with pytest.raises(Killed):
        slow.callback(token, verifier)
    assert current(app) != token_of(new[0])
    tidy(house, house.record(token), *new)
    assert current(app) == token_of(new[0])
    assert house.record(token).unstored is None
    assert_nothing_is_owed(app)


@pytest.mark.parametrize("after", [False, True])
def test_a_revocation_while_tokens_are_stored_wins_and_reaches_the_provider(app: App, after: bool) -> None:
    house = House(app)
    house.callback(*house.come_back())

    def disconnect() -> None:
        house.clock.now += 1
        house.revocation.revoke(app.name, app.user.user_id)

    app.sandbox.provider_server.revoke(app.consumer.key, app.user)
    house.clock.now += 1
    slow = House(app, clock=house.clock, writer_type=acting("store", disconnect, after=after))
    record = slow.callback(*slow.come_back())
    tidy(house, record)
    assert current(app) is None
    assert house.record(record.request_token).unstored is None
    assert_nothing_is_owed(app)
    assert app.calls("invalidate_token")[-1].status in (200, 401)
    with pytest.raises(LookupError):  # the provider knows of no grant any more
        app.sandbox.provider_server.revoke(app.consumer.key, app.user)


def test_a_disconnect_counts_for_a_grant_that_is_still_owed(app: App) -> None:
    house = House(app)
    house.callback(*house.come_back())
    app.sandbox.aws_server.fault("secretsmanager", "PutSecretValue", "denied", times=1, match=app.name)
    owed = grant(house)
    house.clock.now += 30
    house.revocation.revoke(app.name, app.user.user_id)
    tidy(house, owed)
    assert current(app) is None
    assert house.record(owed.request_token).unstored is None
    with pytest.raises(LookupError):
        app.sandbox.provider_server.revoke(app.consumer.key, app.user)


def test_a_secret_that_was_restored_by_hand_can_be_revoked_again(app: App) -> None:
    house = House(app)
    house.callback(*house.come_back())
    house.revocation.revoke(app.name, app.user.user_id)
    app.sandbox.client("secretsmanager").restore_secret(SecretId=app.secret_name)
    assert current(app)
    house.revocation.revoke(app.name, app.user.user_id)
    assert current(app) is None


def test_a_user_who_comes_back_while_the_secret_is_deleted_keeps_the_new_tokens(app: App) -> None:
    house = House(app)
    house.callback(*house.come_back())
    new: list[Authorization] = []
    slow = House(app, clock=house.clock, writer_type=acting("delete", lambda: new.append(grant(house, anew=False))))
    house.clock.now += 1
    slow.revocation.revoke(app.name, app.user.user_id)
    assert current(app) == token_of(new[0])
    house.relay.relay([pk(app)], lambda: True)
    assert_nothing_is_owed(app)


def test_three_grants_that_cross_end_with_the_newest(app: App) -> None:
    house = House(app)
    records: list[Authorization] = []
    reader = House(app, clock=house.clock)
    restoring = acting("restore", lambda: records.append(grant(reader)))

    class Crossing(restoring):  # type: ignore[misc,valid-type]  # made above
        stored = False

        def store(self, tokens: UserTokens, *, expected: bool) -> None:
            if not Crossing.stored:
                Crossing.stored = True
                records.append(grant(reader))
            super().store(tokens, expected=expected)

    slow = House(app, clock=house.clock, writer_type=Crossing)
    slow.callback(*slow.come_back())
    assert len(records) == 2
    assert current(app) == token_of(records[1])


def revoked_events(app: App) -> list[dict[str, Any]]:
    return [
        event.detail
        for event in app.sandbox.events
        if event.detail_type == "connection.revoked" and event.detail["provider"] == app.name
    ]


def test_each_revocation_is_told_however_quickly_they_follow(app: App) -> None:
    house = House(app)
    house.callback(*house.come_back())
    for _ in range(2):
        house.clock.now += 1
        house.revocation.revoke(app.name, app.user.user_id)
        grant(house, anew=False)
    house.relay.relay([pk(app)], lambda: True)
    assert len({event["id"] for event in revoked_events(app)}) == 2


def test_a_revocation_during_the_telling_of_another_is_told_too(app: App) -> None:
    house = House(app)
    house.callback(*house.come_back())
    house.clock.now += 1
    house.revocation.revoke(app.name, app.user.user_id)
    publish = house.bus.publish

    def slowly(events: Any) -> None:
        publish(events)
        if len(revoked_events(app)) == 1:
            grant(house, anew=False)
            house.clock.now += 1
            house.revocation.revoke(app.name, app.user.user_id)

    house.bus.publish = slowly  # type: ignore[method-assign]
    house.relay.relay([pk(app)], lambda: True)
    assert len({event["id"] for event in revoked_events(app)}) == 2
    assert_nothing_is_owed(app)


def test_a_consent_before_a_disconnect_does_not_connect_again(app: App) -> None:
    house = House(app)
    house.callback(*house.come_back())
    secret, challenge = new_pair()
    came = house.handshake.callback(app.name, *house.come_back(browser=False, challenge=challenge, subject="42"), {})
    house.clock.now += 1
    house.revocation.revoke(app.name, app.user.user_id)
    house.clock.now += 1
    assert came.ticket
    with pytest.raises(errors.TicketRejected):
        house.handshake.redeem(came.ticket, secret)
    assert current(app) is None


def disconnected_in_part(house: House) -> None:
    """Connect the app's user, and disconnect them but for the secret, which AWS refuses to delete."""
    house.callback(*house.come_back())
    house.clock.now += 1
    house.app.sandbox.aws_server.fault("secretsmanager", "DeleteSecret", "denied", times=1, match=house.app.name)
    with pytest.raises(ClientError):
        house.revocation.revoke(house.app.name, house.app.user.user_id)
    house.clock.now += 1


def test_a_disconnect_that_is_repeated_counts_for_what_was_consented_to_meanwhile(app: App) -> None:
    house = House(app)
    disconnected_in_part(house)
    secret, challenge = new_pair()
    came = house.handshake.callback(app.name, *house.come_back(browser=False, challenge=challenge, subject="42"), {})
    house.clock.now += 1
    house.revocation.revoke(app.name, app.user.user_id)
    assert came.ticket
    with pytest.raises(errors.TicketRejected):
        house.handshake.redeem(came.ticket, secret)
    assert current(app) is None


def test_a_disconnect_that_is_repeated_counts_for_what_was_granted_meanwhile(app: App) -> None:
    house = House(app)
    disconnected_in_part(house)
    with patch.object(house.custody, "try_to_keep", lambda _: False):  # out of time: it stays owed
        owed = house.callback(*house.come_back())
    house.clock.now += 1
    house.revocation.revoke(app.name, app.user.user_id)
    house.clock.now += progress.LEASE
    tidy(house, owed)
    assert current(app) is None
    assert [event["time"] > (owed.granted_at or 0) for event in revoked_events(app)] == [False, True]
    assert_nothing_is_owed(app)


def test_sign_in_only_keeps_no_tokens_even_where_the_identity_cant_be_had(app: App) -> None:
    nameless = make_app(app.sandbox, secret={"store": False}, user_id_field=None, screen_name_field=None)
    house = House(nameless)
    token, verifier = house.come_back()
    nameless.fault("identity", Fault.SERVER_ERROR)
    assert house.callback(token, verifier).error == "interrupted"
    assert house.record(token).unstored is None
    again = house.callback(*house.come_back())
    assert (again.user_id, again.unstored) == (nameless.user.user_id, None)


def test_an_unconfirmed_exchange_is_erased_after_ten_minutes_too(app: App) -> None:
    nameless = make_app(app.sandbox, user_id_field=None, screen_name_field=None)
    house = House(nameless)
    _, challenge = new_pair()
    token, verifier = house.come_back(browser=False, challenge=challenge)
    nameless.fault("identity", Fault.SERVER_ERROR, times=9)
    with pytest.raises(errors.ProviderUnavailable):
        house.handshake.callback(nameless.name, token, verifier, {})
    assert house.record(token).state is State.EXCHANGED
    house.clock.now += progress.CONFIRMATION_LIFETIME
    house.relay.relay([house.record(token).pk], lambda: True)
    assert (house.record(token).state, house.record(token).unstored) == (State.FAILED, None)


def test_another_apps_token_is_deleted_and_not_called_invalidated(app: App) -> None:
    house = House(app)
    house.callback(*house.come_back())
    other = app.sandbox.provider_server.register()
    client, name = app.sandbox.client("secretsmanager"), f"{app.sandbox.prefix}/consumer/{app.name}"
    content = json.loads(client.get_secret_value(SecretId=name)["SecretString"])
    content |= {"consumer_key": other.key, "consumer_secret": other.secret}
    client.put_secret_value(SecretId=name, SecretString=json.dumps(content))
    assert House(app, clock=house.clock).revocation.revoke(app.name, app.user.user_id) is False
    assert current(app) is None


def test_a_secret_that_cant_be_read_can_be_revoked_all_the_same(app: App) -> None:
    house = House(app)
    house.callback(*house.come_back())
    app.sandbox.client("secretsmanager").put_secret_value(SecretId=app.secret_name, SecretString="junk")
    assert house.revocation.revoke(app.name, app.user.user_id) is False
    assert current(app) is None
