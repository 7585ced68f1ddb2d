"""Time, crashes and contention: the real handshake on real conditional writes and a real provider, with a clock of our own."""

from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.browser import JSON
from sandbox.provider import ProviderFault
from tests.support.direct import new_pair
from tests.support.harness import Harness, Killed
from tests.support.sandbox_app import SandboxApp, make_app
from tripod.credentials import AccessToken
from tripod_flow.edges.deadline import Deadline
from tripod_flow.edges.provider_client import ExchangeResponse, ProviderClient
from tripod_flow.edges.token_response import TokenResponse
from tripod_flow.flows.start import StartRequest
from tripod_flow.flows.token_store import TokenStore
from tripod_flow.rules import authorization, errors, transitions
from tripod_flow.rules.authorization import Authorization, Identity, State


def dying(*, after: bool) -> type[ProviderClient]:
    """Return a client whose first exchange is the process's last act: just before or just after the provider made it."""

    class Dying(ProviderClient):
        died = False

        def access_token(self, *args: Any, **kwargs: Any) -> ExchangeResponse:
            if Dying.died:
                return super().access_token(*args, **kwargs)
            Dying.died = True
            if after:
                super().access_token(*args, **kwargs)
            raise Killed

    return Dying


def test_a_dead_holder_is_waited_for_and_then_taken_over(app: SandboxApp) -> None:
    harness = Harness(app, client_type=dying(after=False))
    token, verifier = harness.come_back()
    with pytest.raises(Killed):
        harness.callback(token, verifier)
    assert harness.record(token).state is State.EXCHANGING
    with pytest.raises(errors.InProgress):
        harness.callback(token, verifier)
    harness.clock.now += transitions.LEASE
    assert harness.callback(token, verifier).state is State.GRANTED
    assert app.stored()


def test_taken_over_after_an_exchange_whose_answer_died_with_its_holder_is_interrupted(app: SandboxApp) -> None:
    harness = Harness(app, client_type=dying(after=True))
    token, verifier = harness.come_back()
    with pytest.raises(Killed):
        harness.callback(token, verifier)
    harness.clock.now += transitions.LEASE + 1
    outcome = harness.callback(token, verifier)
    assert (outcome.state, outcome.error) == (State.FAILED, "interrupted")
    assert outcome.request_secret is None
    assert app.stored() is None


def test_a_slow_holder_cant_overwrite_its_successor(app: SandboxApp) -> None:
    successor = Harness(app)

    class Slow(ProviderClient):
        def access_token(self, *args: Any, **kwargs: Any) -> ExchangeResponse:
            successor.clock.now += transitions.LEASE + 1
            outcomes.append(successor.callback(token, verifier))
            return ExchangeResponse(
                AccessToken(oauth_token="late-token", oauth_token_secret="late-secret", consumer_key=app.consumer.key),
                Identity("666", None),
            )

    outcomes: list[Authorization] = []
    harness = Harness(app, clock=successor.clock, client_type=Slow)
    token, verifier = harness.come_back()
    successor.cookies = harness.cookies
    late = harness.callback(token, verifier)
    assert late.user_id == outcomes[0].user_id == app.user.user_id
    stored = app.stored()
    assert stored
    assert stored["oauth_token"] != "late-token"


def test_an_expired_claim_cant_be_made_even_if_the_holder_died(app: SandboxApp) -> None:
    harness = Harness(app, client_type=dying(after=False))
    token, verifier = harness.come_back()
    with pytest.raises(Killed):
        harness.callback(token, verifier)
    harness.clock.now += authorization.REQUEST_TOKEN_LIFETIME
    with pytest.raises(errors.Expired):
        harness.callback(token, verifier)


def test_an_identity_still_to_be_asked_for_is_finished_however_late(app: SandboxApp) -> None:
    nameless = make_app(app.sandbox, user_id_field=None, screen_name_field=None)
    harness = Harness(nameless)
    token, verifier = harness.come_back()
    nameless.fault("identity", ProviderFault.SERVER_ERROR)
    with pytest.raises(errors.ProviderUnavailable):
        harness.callback(token, verifier)
    kept = harness.record(token)
    assert (kept.state, kept.claim_id, kept.ttl) == (State.EXCHANGED, None, None)
    assert kept.outbox is not None
    assert kept.request_secret is None
    harness.clock.now += 3000
    assert harness.callback(token, verifier).user_id == nameless.user.user_id
    assert nameless.stored()


@pytest.fixture
def disarmed(app: SandboxApp) -> Iterator[None]:
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
    app: SandboxApp, service: str, operation: str, match: str, kind: Any
) -> None:
    browser = app.browser()
    callback = app.come_back(browser)
    fault = app.sandbox.aws_server.fault(service, operation, kind, times=3, match=match.format(name=app.name))
    assert browser.get(callback, accept=JSON).json()["outcome"] == "granted"
    assert fault.strikes
    owed = app.authorization(callback)
    assert "pending_tokens" in owed
    assert "ttl" not in owed
    assert owed["outbox"]["S"] in "01234567"
    app.sandbox.aws_server.disarm()
    assert browser.get(callback, accept=JSON).json()["outcome"] == "granted"
    assert "pending_tokens" not in app.authorization(callback)
    assert app.stored()
    assert len(app.calls("access_token")) == 1
    app.relay(app.authorization(callback)["pk"]["S"])
    settled = app.authorization(callback)
    assert "outbox" not in settled
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
def test_a_write_whose_answer_is_lost_is_made_once(app: SandboxApp, service: str, operation: str, match: str) -> None:
    browser = app.browser()
    callback = app.come_back(browser)
    fault = app.sandbox.aws_server.fault(service, operation, "lost", match=match)
    assert browser.get(callback, accept=JSON).json()["outcome"] == "granted"
    assert fault.strikes == 1
    assert len(app.calls("access_token")) == 1
    assert app.stored()
    assert "pending_tokens" not in app.authorization(callback)


@pytest.mark.usefixtures("disarmed")
def test_a_start_whose_answer_from_the_table_is_lost_is_begun_once(app: SandboxApp) -> None:
    fault = app.sandbox.aws_server.fault("dynamodb", "PutItem", "lost", match=app.name)
    browser = app.browser()
    assert browser.get(app.come_back(browser)).status_code == 200
    assert fault.strikes == 1


@pytest.mark.usefixtures("disarmed")
def test_a_commit_that_fails_tells_the_user_to_start_again(app: SandboxApp) -> None:
    browser = app.browser()
    callback = app.come_back(browser)
    app.sandbox.aws_server.fault("dynamodb", "UpdateItem", "denied", times=3, match='"granted"')
    assert browser.get(callback, accept=JSON).json()["code"] == "interrupted"
    app.sandbox.aws_server.disarm()
    assert browser.get(callback, accept=JSON).json()["code"] == "interrupted"
    assert browser.get(app.come_back(browser)).status_code == 200


@pytest.mark.usefixtures("disarmed")
def test_a_consumer_secret_that_cant_be_read_afresh_gives_the_claim_back(app: SandboxApp) -> None:
    browser = app.browser()
    browser.get(app.come_back(browser, cancel=True))
    callback = app.come_back(browser)
    app.fault("access_token", ProviderFault.NOT_AUTHENTICATED)
    app.sandbox.aws_server.fault("secretsmanager", "GetSecretValue", "denied", times=3, match=app.name)
    assert browser.get(callback, accept=JSON).json()["code"] == "internal"
    app.sandbox.aws_server.disarm()
    assert browser.get(callback, accept=JSON).json()["outcome"] == "granted"


def test_a_refusal_after_a_server_error_is_no_proof(app: SandboxApp) -> None:
    browser = app.browser()
    callback = app.come_back(browser)
    app.fault("access_token", ProviderFault.ERROR_AFTER)
    app.fault("access_token", ProviderFault.SERVER_ERROR)
    assert browser.get(callback, accept=JSON).json()["code"] == "provider_unavailable"
    assert browser.get(callback, accept=JSON).json()["code"] == "interrupted"


@pytest.mark.usefixtures("disarmed")
def test_with_no_time_left_to_store_the_user_is_answered_and_the_relay_stores(app: SandboxApp) -> None:
    harness = Harness(app)
    deadline = Deadline()
    deadline.set(4000)
    flows = harness.flows
    token_store = TokenStore(flows.table, flows.secret_writer, flows.token_sealer, harness.clock, deadline=deadline)
    token, verifier = harness.come_back()
    app.sandbox.aws_server.fault("secretsmanager", "CreateSecret", "denied", times=1, match=app.name)
    record = harness.callback(token, verifier)
    app.sandbox.aws_server.disarm()
    token_store.try_to_store(record)
    assert app.stored() is None
    app.relay(record.pk)
    assert app.stored()


@pytest.mark.usefixtures("disarmed")
def test_aws_out_of_reach_before_the_exchange_is_a_fixed_text_and_a_reload_helps(app: SandboxApp) -> None:
    browser = app.browser()
    callback = app.come_back(browser)
    app.sandbox.aws_server.fault("dynamodb", "UpdateItem", "denied", times=3, match='"exchanging"')
    answer = browser.get(callback, accept=JSON)
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "AccessDenied" not in answer.text
    app.sandbox.aws_server.disarm()
    assert browser.get(callback).status_code == 200


def test_a_request_token_that_is_issued_twice_replaces_no_authorization(app: SandboxApp) -> None:
    class Repeating(ProviderClient):
        def request_token(self, *_: Any, **__: Any) -> TokenResponse:
            return TokenResponse("t", "s", {"oauth_callback_confirmed": ["true"]})

    harness = Harness(app, client_type=Repeating)

    def begin() -> None:
        harness.start.begin(StartRequest(app.name), callback_url="https://api.example/callback")

    begin()
    first = harness.record("t")
    with pytest.raises(errors.ProviderUnavailable):
        begin()
    assert harness.record("t") == first


def test_sign_in_only_keeps_no_tokens_even_where_the_identity_cant_be_had(app: SandboxApp) -> None:
    nameless = make_app(app.sandbox, secret={"store": "none"}, user_id_field=None, screen_name_field=None)
    harness = Harness(nameless)
    token, verifier = harness.come_back()
    nameless.fault("identity", ProviderFault.SERVER_ERROR)
    assert harness.callback(token, verifier).error == "interrupted"
    assert harness.record(token).pending_tokens is None
    again = harness.callback(*harness.come_back())
    assert (again.user_id, again.pending_tokens) == (nameless.user.user_id, None)


def test_an_unconfirmed_exchange_is_erased_after_ten_minutes_too(app: SandboxApp) -> None:
    nameless = make_app(app.sandbox, user_id_field=None, screen_name_field=None)
    harness = Harness(nameless)
    _, challenge = new_pair(app.name)
    token, verifier = harness.come_back(browser=False, challenge=challenge)
    nameless.fault("identity", ProviderFault.SERVER_ERROR, times=9)
    with pytest.raises(errors.ProviderUnavailable):
        harness.finish.callback(nameless.name, token, verifier, {})
    assert harness.record(token).state is State.EXCHANGED
    harness.clock.now += transitions.CONFIRMATION_LIFETIME
    harness.relay.relay([harness.record(token).pk], lambda: True)
    assert (harness.record(token).state, harness.record(token).pending_tokens) == (State.FAILED, None)
