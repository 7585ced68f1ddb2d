"""Time, crashes and contention: the real handshake on real conditional writes and a real provider, with a clock of our own."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sandbox.browser import JSON
from sandbox.provider import Fault
from tests.conftest import App, make_app
from tests.house import T0, House
from tripod.credentials import UserTokens
from tripod_flow import authorization, errors, legs, progress, provider
from tripod_flow.authorization import Authorization, State
from tripod_flow.custody import Custody
from tripod_flow.deadline import Deadline
from tripod_flow.legs import Legs, TokenAnswer
from tripod_flow.vault import TokenVault


class Killed(BaseException):
    """The process is gone, in the middle of what it did."""


@pytest.fixture
def house(app: App) -> House:
    return House(app)


def dying(*, after: bool) -> type[Legs]:
    """Return legs whose first exchange is the process's last act: just before or just after the provider made it."""

    class Dying(Legs):
        died = False

        def access_token(self, *args: Any, **kwargs: Any) -> TokenAnswer:
            if Dying.died:
                return super().access_token(*args, **kwargs)
            Dying.died = True
            if after:
                super().access_token(*args, **kwargs)
            raise Killed

    return Dying


def test_after_ten_minutes_it_is_too_late_and_within_the_hour_one_is_told_so(house: House) -> None:
    token, verifier = house.come_back()
    before = house.record(token)
    house.clock.now += authorization.REQUEST_TOKEN_LIFETIME
    with pytest.raises(errors.Expired):
        house.callback(token, verifier)
    with pytest.raises(errors.Expired):
        house.deny(token)
    assert house.record(token) == before
    assert before.ttl == int(T0) + 3600
    assert not house.app.calls("access_token")


def test_just_before_it_is_not_too_late(house: House) -> None:
    token, verifier = house.come_back()
    house.clock.now += authorization.REQUEST_TOKEN_LIFETIME - 1
    assert house.callback(token, verifier).state is State.GRANTED
    house.clock.now += 3000
    assert house.callback(token, verifier).state is State.GRANTED


def test_an_outcome_comes_before_expiry_and_the_browser_before_the_outcome(house: House) -> None:
    token, _ = house.come_back(cancel=True)
    house.deny(token)
    house.clock.now += 3000
    assert house.deny(token).state is State.DENIED
    with pytest.raises(errors.WrongBrowser):
        house.handshake.deny(house.app.name, token, {})


def test_a_dead_holder_is_waited_for_and_then_taken_over(app: App) -> None:
    house = House(app, legs_type=dying(after=False))
    token, verifier = house.come_back()
    with pytest.raises(Killed):
        house.callback(token, verifier)
    assert house.record(token).state is State.EXCHANGING
    with pytest.raises(errors.InProgress):
        house.callback(token, verifier)
    house.clock.now += progress.LEASE
    assert house.callback(token, verifier).state is State.GRANTED
    assert app.stored()


def test_taken_over_after_an_exchange_whose_answer_died_with_its_holder_is_interrupted(app: App) -> None:
    house = House(app, legs_type=dying(after=True))
    token, verifier = house.come_back()
    with pytest.raises(Killed):
        house.callback(token, verifier)
    house.clock.now += progress.LEASE + 1
    outcome = house.callback(token, verifier)
    assert (outcome.state, outcome.error) == (State.FAILED, "interrupted")
    assert outcome.request_secret is None
    assert app.stored() is None


def test_a_slow_holder_cant_overwrite_its_successor(app: App) -> None:
    successor = House(app)

    class Slow(Legs):
        def access_token(self, *args: Any, **kwargs: Any) -> TokenAnswer:
            successor.clock.now += progress.LEASE + 1
            outcomes.append(successor.callback(token, verifier))
            return TokenAnswer("late-token", "late-secret", {"user_id": "666"})

    outcomes: list[Authorization] = []
    house = House(app, clock=successor.clock, legs_type=Slow)
    token, verifier = house.come_back()
    successor.cookies = house.cookies
    late = house.callback(token, verifier)
    assert late.user_id == outcomes[0].user_id == app.user.user_id
    stored = app.stored()
    assert stored
    assert stored["oauth_token"] != "late-token"


def test_an_expired_claim_cant_be_made_even_if_the_holder_died(app: App) -> None:
    house = House(app, legs_type=dying(after=False))
    token, verifier = house.come_back()
    with pytest.raises(Killed):
        house.callback(token, verifier)
    house.clock.now += authorization.REQUEST_TOKEN_LIFETIME
    with pytest.raises(errors.Expired):
        house.callback(token, verifier)


def test_an_identity_still_to_be_asked_for_is_finished_however_late(app: App) -> None:
    nameless = make_app(app.sandbox, user_id_field=None, screen_name_field=None)
    house = House(nameless)
    token, verifier = house.come_back()
    nameless.fault("identity", Fault.SERVER_ERROR)
    with pytest.raises(errors.ProviderUnavailable):
        house.callback(token, verifier)
    kept = house.record(token)
    assert (kept.state, kept.claim_id, kept.ttl) == (State.EXCHANGED, None, None)
    assert kept.owed is not None
    assert kept.request_secret is None
    house.clock.now += 3000
    assert house.callback(token, verifier).user_id == nameless.user.user_id
    assert nameless.stored()


@pytest.fixture
def disarmed(app: App) -> Iterator[None]:
    yield
    app.sandbox.aws_server.disarm()


@pytest.mark.usefixtures("disarmed")
@pytest.mark.parametrize(
    ("service", "operation", "match"),
    [
        ("dynamodb", "UpdateItem", "connection#{name}"),
        ("secretsmanager", "CreateSecret", "{name}"),
        ("dynamodb", "TransactWriteItems", "{name}"),
    ],
)
@pytest.mark.parametrize("kind", ["throttled", "denied", "internal", "reset"])
def test_what_fails_after_the_commit_is_success_to_the_user_and_finished_by_a_reload(
    app: App, service: str, operation: str, match: str, kind: Any
) -> None:
    browser = app.browser()
    callback = app.come_back(browser)
    fault = app.sandbox.aws_server.fault(service, operation, kind, times=3, match=match.format(name=app.name))
    assert browser.get(callback, accept=JSON).json()["outcome"] == "granted"
    assert fault.strikes
    owed = app.authorization(callback)
    assert "unstored" in owed
    assert "ttl" not in owed
    assert owed["owed"]["S"] in "01234567"
    app.sandbox.aws_server.disarm()
    assert browser.get(callback, accept=JSON).json()["outcome"] == "granted"
    assert "unstored" not in app.authorization(callback)
    assert app.stored()
    assert len(app.calls("access_token")) == 1
    app.relay(app.authorization(callback)["pk"]["S"])
    settled = app.authorization(callback)
    assert "owed" not in settled
    assert "ttl" in settled


@pytest.mark.usefixtures("disarmed")
@pytest.mark.parametrize(
    ("service", "operation", "match"),
    [
        ("dynamodb", "UpdateItem", '"exchanging"'),
        ("dynamodb", "UpdateItem", '"granted"'),
        ("dynamodb", "UpdateItem", "connection#"),
        ("secretsmanager", "CreateSecret", ""),
        ("dynamodb", "TransactWriteItems", ""),
    ],
)
def test_a_write_whose_answer_is_lost_is_made_once(app: App, service: str, operation: str, match: str) -> None:
    browser = app.browser()
    callback = app.come_back(browser)
    fault = app.sandbox.aws_server.fault(service, operation, "lost", match=match)
    assert browser.get(callback, accept=JSON).json()["outcome"] == "granted"
    assert fault.strikes == 1
    assert len(app.calls("access_token")) == 1
    assert app.stored()
    assert "unstored" not in app.authorization(callback)


@pytest.mark.usefixtures("disarmed")
def test_a_start_whose_answer_from_the_table_is_lost_is_begun_once(app: App) -> None:
    fault = app.sandbox.aws_server.fault("dynamodb", "PutItem", "lost", match=app.name)
    browser = app.browser()
    assert browser.get(app.come_back(browser)).status_code == 200
    assert fault.strikes == 1


@pytest.mark.usefixtures("disarmed")
def test_a_commit_that_fails_tells_the_user_to_start_again(app: App) -> None:
    browser = app.browser()
    callback = app.come_back(browser)
    app.sandbox.aws_server.fault("dynamodb", "UpdateItem", "denied", times=3, match='"granted"')
    assert browser.get(callback, accept=JSON).json()["code"] == "interrupted"
    app.sandbox.aws_server.disarm()
    assert browser.get(callback, accept=JSON).json()["code"] == "interrupted"
    assert browser.get(app.come_back(browser)).status_code == 200


@pytest.mark.usefixtures("disarmed")
def test_a_consumer_secret_that_cant_be_read_afresh_gives_the_claim_back(app: App) -> None:
    browser = app.browser()
    browser.get(app.come_back(browser, cancel=True))
    callback = app.come_back(browser)
    app.fault("access_token", Fault.NOT_AUTHENTICATED)
    app.sandbox.aws_server.fault("secretsmanager", "GetSecretValue", "denied", times=3, match=app.name)
    assert browser.get(callback, accept=JSON).json()["code"] == "internal"
    app.sandbox.aws_server.disarm()
    assert browser.get(callback, accept=JSON).json()["outcome"] == "granted"


def test_a_refusal_after_a_server_error_is_no_proof(app: App) -> None:
    browser = app.browser()
    callback = app.come_back(browser)
    app.fault("access_token", Fault.ERROR_AFTER)
    app.fault("access_token", Fault.SERVER_ERROR)
    assert browser.get(callback, accept=JSON).json()["code"] == "provider_unavailable"
    assert browser.get(callback, accept=JSON).json()["code"] == "interrupted"


def test_what_a_provider_says_that_cant_be_kept_is_not_taken() -> None:
    assert legs.identity_in(TokenAnswer("t", "s", {"user_id": "é" * 200}), provider.X) is None
    assert legs.identity_in(TokenAnswer("t", "s", {"user_id": ""}), provider.X) is None
    for name in ("a" * 300, "a\u0000", "\ud800", ""):
        assert legs.identity_in(TokenAnswer("t", "s", {"user_id": "1", "screen_name": name}), provider.X) == legs.Identity(
            "1", None
        )


@pytest.mark.usefixtures("disarmed")
def test_with_no_time_left_to_store_the_user_is_answered_and_the_relay_stores(app: App) -> None:
    house = House(app)
    deadline = Deadline()
    deadline.set(4000)
    custody = Custody(house.table, house.writer, house.clock, deadline)
    token, verifier = house.come_back()
    app.sandbox.aws_server.fault("secretsmanager", "CreateSecret", "denied", times=1, match=app.name)
    record = house.callback(token, verifier)
    app.sandbox.aws_server.disarm()
    assert not custody.try_to_keep(record)
    app.relay(record.pk)
    assert app.stored()


@pytest.mark.usefixtures("disarmed")
def test_aws_out_of_reach_before_the_exchange_is_a_fixed_text_and_a_reload_helps(app: App) -> None:
    browser = app.browser()
    callback = app.come_back(browser)
    app.sandbox.aws_server.fault("dynamodb", "UpdateItem", "denied", times=3, match='"exchanging"')
    answer = browser.get(callback, accept=JSON)
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "AccessDenied" not in answer.text
    app.sandbox.aws_server.disarm()
    assert browser.get(callback).status_code == 200


def interrupted_by(act: Callable[[], None]) -> type[TokenVault]:
    """Return a writer before whose first write ``act`` happens: somebody is quicker."""

    class Stalling(TokenVault):
        stalled = False

        def store(self, tokens: UserTokens, *, expected: bool) -> None:
            if not Stalling.stalled:
                Stalling.stalled = True
                act()
            super().store(tokens, expected=expected)

    return Stalling


def grant(house: House, revoked: bool = True) -> Authorization:
    """Grant anew, with other tokens than before."""
    app = house.app
    if revoked:
        app.sandbox.provider_server.revoke(app.consumer.key, app.user)
    house.clock.now += 1
    return house.callback(*house.come_back())


def test_an_old_grant_that_is_overtaken_while_it_is_stored_does_not_win(app: App) -> None:
    newer = House(app)
    house = House(app, clock=newer.clock, writer_type=interrupted_by(lambda: newest.append(grant(newer))))
    newest: list[Authorization] = []
    old = house.callback(*house.come_back())
    stored = app.stored()
    assert stored
    assert old.unstored
    assert newest[0].unstored
    assert stored["oauth_token"] == newest[0].unstored["oauth_token"] != old.unstored["oauth_token"]
    assert house.record(old.request_token).unstored is None


def test_an_old_grant_that_is_stored_late_is_dropped(app: App) -> None:
    class Down(TokenVault):
        def store(self, tokens: UserTokens, *, expected: bool) -> None:
            raise app.sandbox.client("secretsmanager").exceptions.InternalServiceError({"Error": {"Code": "x"}}, "CreateSecret")

    house = House(app, writer_type=Down)
    old = house.callback(*house.come_back())
    assert app.stored() is None
    later = House(app, clock=house.clock)
    new = grant(later)
    later.custody.keep(house.record(old.request_token))
    stored = app.stored()
    assert stored
    assert new.unstored
    assert stored["oauth_token"] == new.unstored["oauth_token"]
    assert house.record(old.request_token).unstored is None
    house.relay.relay([old.pk], lambda: True)
    assert house.record(old.request_token).owed is None
