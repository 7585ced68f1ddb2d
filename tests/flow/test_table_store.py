"""Users' tokens sealed in the table: every way in, every reader, every way out."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

import tripod
from sandbox.browser import JSON
from sandbox.provider import ProviderFault
from sandbox.world import Sandbox
from tests.support.direct import begin, invoke, new_pair, ticket_in
from tests.support.harness import Harness
from tests.support.pin import begin as begin_pin
from tests.support.pin import post
from tests.support.reading import reading, session, who
from tests.support.sandbox_app import RETURN_TO, SandboxApp, make_app
from tripod import process


@pytest.fixture
def app(sandbox: Sandbox) -> SandboxApp:
    return make_app(sandbox, secret={"store": "table"})


@pytest.fixture
def reader(app: SandboxApp) -> Iterator[SandboxApp]:
    with reading(app.sandbox):
        yield app


def connect(app: SandboxApp) -> None:
    browser = app.browser()
    assert browser.get(app.come_back(browser), accept=JSON).json()["outcome"] == "granted"


def sealed(app: SandboxApp) -> bytes | None:
    found = app.connection() or {}
    return bytes(found["sealed_tokens"]["B"]) if "sealed_tokens" in found else None


def token(app: SandboxApp) -> str:
    return tripod.user_tokens(app.name, user_id=app.user.user_id).oauth_token


def kept(app: SandboxApp) -> str:
    """Return everything that the table holds of the app, as text."""
    pages = app.sandbox.client("dynamodb").get_paginator("scan").paginate(TableName=app.sandbox.table)
    return "\n".join(repr(item) for page in pages for item in page["Items"] if app.name in item["pk"]["S"])


def assert_kept_nowhere_else(app: SandboxApp) -> None:
    valid = app.sandbox.provider_server.valid_token(app.consumer.key, app.user)
    assert valid
    assert valid not in kept(app)
    assert app.stored() is None


def test_a_grant_is_sealed_and_committed_with_its_connection(reader: SandboxApp) -> None:
    browser = reader.browser()
    callback = reader.come_back(browser)
    before = len(reader.sandbox.aws_server.calls)
    browser.get(callback)
    made = [call for call in reader.sandbox.aws_server.calls[before:] if call.caller.endswith("-callback")]
    assert [call.operation for call in made if call.operation != "GetSecretValue"] == [
        "UpdateItem",
        "Encrypt",
        "TransactWriteItems",
    ]
    assert token(reader) == reader.sandbox.provider_server.valid_token(reader.consumer.key, reader.user)
    assert_kept_nowhere_else(reader)
    reader.sweep()
    assert reader.told() == ["authorization.granted"]
    assert "outbox" not in reader.authorization(callback)


def test_a_session_signs_with_what_was_sealed(reader: SandboxApp) -> None:
    connect(reader)
    with session(reader) as user:
        assert who(reader, user).json()["id_str"] == reader.user.user_id
    (listed,) = tripod.users(reader.name)
    assert listed.user_id == reader.user.user_id


def test_tokens_are_opened_once_in_five_minutes(reader: SandboxApp) -> None:
    connect(reader)
    before = len(reader.sandbox.aws_server.called("kms", "Decrypt"))
    assert token(reader) == token(reader)
    assert len(reader.sandbox.aws_server.called("kms", "Decrypt")) == before + 1


def test_a_consent_is_sealed_until_the_app_redeems_it(reader: SandboxApp) -> None:
    secret, challenge = new_pair(reader.name, RETURN_TO)
    begun = begin(reader, subject="customer 42", challenge=challenge, return_to=RETURN_TO)
    location = reader.browser().get(reader.consent(begun["authorize_url"])).headers["location"]
    assert sealed(reader) is None
    assert_kept_nowhere_else(reader)
    assert invoke(reader, "redeem", ticket=ticket_in(location), secret=secret)["user_id"] == reader.user.user_id
    assert token(reader)
    assert_kept_nowhere_else(reader)


def test_a_pins_grant_is_sealed(reader: SandboxApp) -> None:
    browser = reader.browser()
    request_token, pin = begin_pin(reader, browser)
    assert post(reader, browser, {"request_token": request_token, "pin": pin}).json()["outcome"] == "granted"
    assert token(reader)
    assert_kept_nowhere_else(reader)


def test_a_user_whom_the_token_answer_does_not_name_is_asked_for_before_anything_is_kept(sandbox: Sandbox) -> None:
    app = make_app(sandbox, secret={"store": "table"}, user_id_field=None, screen_name_field=None)
    connect(app)
    assert_kept_nowhere_else(app)
    with reading(sandbox):
        assert token(app)


def test_a_disconnect_ends_reading_at_once_and_the_token_at_the_provider(reader: SandboxApp) -> None:
    connect(reader)
    token(reader)
    tripod.disconnect(reader.name, user_id=reader.user.user_id)
    assert sealed(reader) is None
    assert reader.sandbox.provider_server.valid_token(reader.consumer.key, reader.user) is None
    with pytest.raises(tripod.TokenRevoked):
        token(reader)
    with pytest.raises(tripod.TokenNotFound):
        tripod.disconnect(reader.name, user_id=reader.user.user_id)
    for _ in range(2):
        reader.sweep()
    assert "outbox" not in (reader.connection() or {})
    connect(reader)
    process.forget()
    assert token(reader)


def test_a_token_that_the_provider_could_not_be_asked_about_stays_sealed(reader: SandboxApp) -> None:
    connect(reader)
    valid = reader.sandbox.provider_server.valid_token(reader.consumer.key, reader.user)
    reader.fault("invalidate_token", ProviderFault.SERVER_ERROR, times=1)
    answer = invoke(reader, "revoke", provider=reader.name, user_id=reader.user.user_id)
    assert answer["invalidated"] == "pending"
    assert valid
    assert valid not in kept(reader)
    reader.sweep()
    assert reader.sandbox.provider_server.valid_token(reader.consumer.key, reader.user) is None


@pytest.mark.parametrize("service", ["kms", "dynamodb"])
def test_what_can_not_be_sealed_or_committed_at_once_is_not_lost(reader: SandboxApp, service: str) -> None:
    operation = {"kms": "Encrypt", "dynamodb": "TransactWriteItems"}[service]
    about = reader.name if service == "dynamodb" else ""
    reader.sandbox.aws_server.fault(service, operation, "denied", times=1, match=about)
    connect(reader)
    reader.sandbox.aws_server.disarm()
    reader.sweep()
    assert token(reader) == reader.sandbox.provider_server.valid_token(reader.consumer.key, reader.user)
    assert_kept_nowhere_else(reader)


def test_a_consent_that_could_not_be_sealed_is_sealed_once_the_app_has_redeemed_it(reader: SandboxApp) -> None:
    secret, challenge = new_pair(reader.name, RETURN_TO)
    begun = begin(reader, subject="customer 42", challenge=challenge, return_to=RETURN_TO)
    reader.sandbox.aws_server.fault("kms", "Encrypt", "denied", times=1, match=reader.name)
    location = reader.browser().get(reader.consent(begun["authorize_url"])).headers["location"]
    assert invoke(reader, "redeem", ticket=ticket_in(location), secret=secret)["user_id"] == reader.user.user_id
    reader.sweep()
    assert token(reader) == reader.sandbox.provider_server.valid_token(reader.consumer.key, reader.user)
    assert_kept_nowhere_else(reader)
    assert reader.told() == ["authorization.granted"]


def test_the_newest_grant_is_what_readers_get(sandbox: Sandbox) -> None:
    app = make_app(sandbox, secret={"store": "table"}, renews=True)
    with reading(sandbox):
        for _ in range(3):
            connect(app)
            process.forget()
            assert token(app) == sandbox.provider_server.valid_token(app.consumer.key, app.user)


def test_sealed_tokens_open_for_their_own_user_and_provider_alone(reader: SandboxApp) -> None:
    connect(reader)
    stolen, other = sealed(reader), make_app(reader.sandbox, secret={"store": "table"})
    stranger = reader.sandbox.provider_server.add_user()
    for name, user_id in ((reader.name, stranger.user_id), (other.name, reader.user.user_id)):
        item: dict[str, Any] = {"pk": {"S": f"connection#{name}#{user_id}"}, "sealed_tokens": {"B": stolen}}
        reader.sandbox.client("dynamodb").put_item(TableName=reader.sandbox.table, Item=item)
        with pytest.raises(tripod.MalformedSecret, match="another user's, provider's or stack's"):
            tripod.user_tokens(name, user_id=user_id)


def test_without_a_key_the_store_is_not_configured() -> None:
    with Sandbox(parameters={"TokenKey": "off"}, streams=False) as keyless:
        app = make_app(keyless, secret={"store": "table"})
        answer = app.browser().start(app.name, accept=JSON)
        assert (answer.status_code, answer.json()["code"]) == (500, "not_configured")
        assert any("TokenKey" in line for line in keyless.logs.lines)


def test_tokens_that_were_kept_as_a_secret_are_read_until_a_new_grant_seals_others(sandbox: Sandbox) -> None:
    app = make_app(sandbox)
    connect(app)
    app.change_consumer(store="moving")
    with reading(sandbox):
        first = token(app)
        assert app.stored()
        moved = make_sealed(app)
        process.forget()
        assert token(app) == first
        assert moved not in json.dumps(app.stored() or {})


def make_sealed(app: SandboxApp) -> str:
    """Let the table have the user's tokens, and no secret, as a move does."""
    from tripod.credentials import UserTokens  # noqa: PLC0415
    from tripod_flow.edges.token_sealer import TokenSealer  # noqa: PLC0415

    sealer = TokenSealer(lambda: app.sandbox.client("kms"), app.sandbox.prefix, app.sandbox.token_key)
    content = sealer.seal(UserTokens.from_json(json.dumps(app.stored()))).ciphertext
    app.sandbox.client("dynamodb").update_item(
        TableName=app.sandbox.table,
        Key={"pk": {"S": app.connection_key}},
        UpdateExpression="SET sealed_tokens = :sealed",
        ExpressionAttributeValues={":sealed": {"B": content}},
    )
    app.sandbox.client("secretsmanager").delete_secret(SecretId=app.secret_name, ForceDeleteWithoutRecovery=True)
    return content.hex()


def test_after_a_disconnect_that_a_request_meets_the_same_process_hands_out_nothing(reader: SandboxApp) -> None:
    connect(reader)
    with session(reader) as user:
        assert who(reader, user).status_code == 200
        invoke(reader, "revoke", provider=reader.name, user_id=reader.user.user_id)
        with pytest.raises(tripod.TokenRevoked):
            who(reader, user)
    with pytest.raises(tripod.TokenRevoked):
        token(reader)


def test_a_reader_that_knows_the_earlier_store_finds_the_tokens_where_they_are_by_now(sandbox: Sandbox) -> None:
    app = make_app(sandbox, renews=True)
    connect(app)
    with reading(sandbox), session(app) as user:
        assert who(app, user).status_code == 200
        app.change_consumer(store="table")
        sandbox.functions.invoke(f"{sandbox.prefix}-relay", {"Records": []})
        seal_a_new_grant(app)
        assert who(app, user).json()["id_str"] == app.user.user_id


def seal_a_new_grant(app: SandboxApp) -> None:
    """Sign the user in once more, by an app of the same consumer whose store is read afresh."""
    harness = Harness(app)
    harness.callback(*harness.come_back())
    assert sealed(app)


def test_a_disconnected_users_token_is_invalidated_though_it_could_not_be_sealed(reader: SandboxApp) -> None:
    reader.sandbox.aws_server.fault("kms", "Encrypt", "denied", times=50, match=reader.user.user_id)
    connect(reader)
    assert invoke(reader, "revoke", provider=reader.name, user_id=reader.user.user_id)["code"] == "token_not_found"  # not yet
    for _ in range(3):
        reader.sweep()
    reader.sandbox.aws_server.disarm()
    assert reader.sandbox.provider_server.valid_token(reader.consumer.key, reader.user) is None
    assert "oauth_token" not in kept(reader)


def test_a_user_who_can_not_be_asked_for_now_loses_no_grant(sandbox: Sandbox) -> None:
    app = make_app(sandbox, secret={"store": "table"}, user_id_field=None, screen_name_field=None)
    browser = app.browser()
    callback = app.come_back(browser)
    app.fault("identity", ProviderFault.SERVER_ERROR, times=2)
    assert browser.get(callback, accept=JSON).json()["code"] == "provider_unavailable"
    assert browser.get(callback, accept=JSON).json()["outcome"] == "granted"
    assert_kept_nowhere_else(app)
