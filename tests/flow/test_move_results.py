"""What a move says of each user: who waits, who fails and why; how fast it goes, and what it leaves behind."""

import ast
import json
import time
from collections.abc import Iterator
from functools import partial
from unittest.mock import patch

import pytest
from botocore.exceptions import (
    ClientError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
    UnauthorizedSSOTokenError,
)

import tripod
from sandbox.repository import ROOT
from sandbox.world import Sandbox
from tests.support.direct import begin, invoke, new_pair, ticket_in
from tests.support.grants import assert_nothing_is_owed, current
from tests.support.harness import Harness
from tests.support.moving import Calls, is_sealed, move, results, run, settle, sign_in, valid
from tests.support.reading import reading
from tests.support.repeats import at_once
from tests.support.sandbox_app import RETURN_TO, SandboxApp, make_app
from tripod import process
from tripod_flow.edges.roster import Roster
from tripod_flow.flows.move import Moved, MoveResult, NotReady
from tripod_flow.rules import connection

WAYS = ["table", "secrets-manager"]
FROM = {"table": "secrets-manager", "secrets-manager": "table"}


@pytest.fixture
def harness(sandbox: Sandbox) -> Iterator[Harness]:
    with reading(sandbox):
        yield Harness(make_app(sandbox, renews=True))


def read(app: SandboxApp) -> str:
    return tripod.user_tokens(app.name, user_id=app.user.user_id).oauth_token


def only(moved: list[Moved]) -> tuple[MoveResult, str]:
    (one,) = moved
    return one.result, one.reason


@pytest.mark.parametrize("to", WAYS)
def test_who_has_disconnected_is_not_moved(harness: Harness, to: str) -> None:
    sign_in(harness, FROM[to], then="moving")
    harness.clock.now += 1
    harness.revocation.revoke(harness.app.name, harness.app.user.user_id)
    with patch.object(Roster, "connected", return_value=iter([harness.app.user.user_id])):  # as a moment ago
        assert results(run(harness, to))[0] is MoveResult.GONE
    assert current(harness.app) is None


@pytest.mark.parametrize("to", WAYS)
def test_who_is_just_signing_in_waits_for_the_next_move(harness: Harness, to: str) -> None:
    sign_in(harness, FROM[to])
    harness.app.change_consumer(store="moving")
    again = Harness(harness.app, clock=harness.clock)
    harness.clock.now += 1
    with patch.object(again.token_store, "_mark_stored", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        again.callback(*again.come_back())
    assert only(run(harness, to)) == (MoveResult.WAITING, "a sign-in is being stored")


@pytest.mark.parametrize("to", WAYS)
def test_who_was_moved_a_moment_ago_goes_back_once_the_relay_has_looked(harness: Harness, to: str) -> None:
    sign_in(harness, FROM[to], then="moving")
    assert results(run(harness, to)) == [MoveResult.MOVED]
    result, reason = only(run(harness, FROM[to]))
    assert result is MoveResult.WAITING
    assert "relay" in reason
    settle(harness)
    assert results(run(harness, FROM[to])) == [MoveResult.MOVED]
    assert read(harness.app) == valid(harness.app)


@pytest.mark.parametrize("content", ["{", "other"])
def test_a_secret_that_is_not_the_connections_stays_as_it_is(harness: Harness, content: str) -> None:
    sign_in(harness, "secrets-manager", then="moving")
    stored = harness.app.stored() or {}
    kept = json.dumps({**stored, "user_id": "8"}) if content == "other" else content
    client = harness.app.sandbox.client("secretsmanager")
    version = (harness.app.connection() or {})["secret_version"]["S"]
    client.delete_secret(SecretId=harness.app.secret_name, ForceDeleteWithoutRecovery=True)
    client.create_secret(Name=harness.app.secret_name, ClientRequestToken=version, SecretString=kept)
    result, reason = only(run(harness, "table"))
    assert result is MoveResult.FAILED
    assert "another user" in reason or "malformed" in reason
    assert stored["oauth_token"] not in reason
    assert not is_sealed(harness.app)
    assert not harness.app.is_deleted()


def test_tokens_that_are_too_long_stay_where_they_are_read(sandbox: Sandbox) -> None:
    with reading(sandbox):
        harness = Harness(make_app(sandbox, secret={}))
        sign_in(harness, "secrets-manager", then="moving")
        with patch("tripod_flow.edges.token_sealer.MAX_PLAINTEXT", 10):
            assert only(run(harness, "table")) == (MoveResult.FAILED, "more than 10 bytes")
        assert read(harness.app) == valid(harness.app)


@pytest.mark.parametrize(
    ("to", "service", "operation"),
    [
        ("table", "kms", "Encrypt"),
        ("table", "secretsmanager", "GetSecretValue"),
        ("secrets-manager", "kms", "Decrypt"),
        ("secrets-manager", "secretsmanager", "CreateSecret"),
    ],
)
def test_what_aws_throttles_is_waited_out_and_what_it_refuses_is_told(
    harness: Harness, to: str, service: str, operation: str
) -> None:
    sign_in(harness, FROM[to], then="moving")
    match, server = "" if service == "kms" else harness.app.secret_name, harness.app.sandbox.aws_server
    server.fault(service, operation, "denied", times=1, match=match)
    assert only(run(harness, to)) == (MoveResult.FAILED, f"{operation}: AccessDeniedException")
    settle(harness)
    before = harness.clock.now
    server.fault(service, operation, "throttled", times=10, match=match)
    with at_once(harness.app.sandbox.client(service)):  # the move's own waiting is by the harness's clock
        assert results(run(harness, to)) == [MoveResult.MOVED]
    server.disarm()
    assert harness.clock.now > before + 5
    assert read(harness.app) == valid(harness.app)


@pytest.mark.parametrize(
    "ended",
    [
        UnauthorizedSSOTokenError(),
        NoCredentialsError(),
        CredentialRetrievalError(provider="sso", error_msg=""),
        ClientError({"Error": {"Code": "ExpiredTokenException"}, "ResponseMetadata": {"HTTPStatusCode": 400}}, "GetItem"),  # type: ignore[typeddict-item]
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_move_ends_at_once_where_the_operators_sign_in_has_ended(harness: Harness, ended: Exception) -> None:
    sign_in(harness, "secrets-manager", then="moving")
    before = harness.clock.now

    def end(_: int, name: str) -> None:
        if name == "encrypt":
            raise ended

    with pytest.raises(type(ended)):
        run(harness, "table", Calls(before=end))
    assert harness.clock.now == before


@pytest.mark.parametrize("lost", [EndpointConnectionError(endpoint_url=""), ReadTimeoutError(endpoint_url="")], ids=repr)
def test_a_network_that_fails_for_a_while_is_waited_out(harness: Harness, lost: Exception) -> None:
    sign_in(harness, "secrets-manager", then="moving")
    before, failures = harness.clock.now, [lost, lost]

    def fail(_: int, name: str) -> None:
        if name == "encrypt" and failures:
            raise failures.pop()

    assert results(run(harness, "table", Calls(before=fail))) == [MoveResult.MOVED]
    assert harness.clock.now >= before + 15


@pytest.mark.parametrize("to", WAYS)
def test_a_move_that_was_suspended_writes_no_more_and_leaves_it_to_the_relay(harness: Harness, to: str) -> None:
    sign_in(harness, FROM[to], then="moving")

    def suspended(_: int, name: str) -> None:
        if name == ("update_item" if to == "table" else "describe_secret"):
            harness.clock.now += connection.WRITING

    calls = Calls(after=suspended)
    list(run(harness, to, calls))
    assert not {"delete_secret", "create_secret", "update_secret_version_stage"} & set(calls.made)
    settle(harness)
    assert is_sealed(harness.app)
    assert read(harness.app) == valid(harness.app)
    assert_nothing_is_owed(harness.app)


def test_a_secret_that_was_left_beside_sealed_tokens_is_cleared(harness: Harness) -> None:
    sign_in(harness, "secrets-manager", then="table")
    sign_in(harness, "table")  # whoever signs in anew leaves the secret there
    assert harness.app.stored()
    assert results(run(harness, "table")) == [MoveResult.THERE, MoveResult.CLEARED]
    assert harness.app.is_deleted()
    assert read(harness.app) == valid(harness.app)
    settle(harness)
    assert results(run(harness, "table")) == [MoveResult.THERE]


def test_at_most_so_many_are_moved_in_a_second(harness: Harness) -> None:
    app = harness.app
    for _ in range(3):
        app.user = app.sandbox.provider_server.add_user()
        sign_in(harness, "secrets-manager", then="moving")
    before = harness.clock.now
    assert results(run(harness, "table", rate=0.5)) == [MoveResult.MOVED] * 3
    assert harness.clock.now - before == pytest.approx(6.0)
    before = harness.clock.now
    assert results(run(harness, "table", rate=0.5)) == [MoveResult.THERE] * 3
    assert harness.clock.now == before
    with pytest.raises(ValueError, match="above 0"):
        run(harness, "table", rate=0)


@pytest.mark.parametrize("then", ["secrets-manager", "none", "moving", "table"])
def test_nothing_is_moved_before_every_reader_looks_into_the_table(harness: Harness, then: str) -> None:
    sign_in(harness, "secrets-manager", then=then)
    harness.clock.now = time.time()
    looks = then in ("moving", "table")
    with pytest.raises(NotReady) as caught:
        run(harness, "table")
    assert caught.value.seconds == (pytest.approx(300, abs=5) if looks else None)
    harness.clock.now += 301
    if looks:
        assert results(run(harness, "table")) == [MoveResult.MOVED]
    else:
        with pytest.raises(NotReady):
            run(harness, "table")
        assert not is_sealed(harness.app)


def test_who_interrupts_between_two_users_has_moved_the_first(harness: Harness) -> None:
    app = harness.app
    for _ in range(2):
        app.user = app.sandbox.provider_server.add_user()
        sign_in(harness, "secrets-manager", then="moving")
    moves = move(harness).to_table(app.name, rate=1000)
    assert next(moves).result is MoveResult.MOVED
    moves.close()  # type: ignore[attr-defined]  # it is a generator
    assert sorted(results(run(harness, "table"))) == [MoveResult.THERE, MoveResult.MOVED]


def test_consents_that_wait_for_their_ticket_are_counted_as_still_to_be_sealed(sandbox: Sandbox) -> None:
    app = make_app(sandbox, secret={"store": "table"})
    secret, challenge = new_pair(app.name, RETURN_TO)
    begun = begin(app, subject="42", challenge=challenge, return_to=RETURN_TO)
    location = app.browser().get(app.consent(begun["authorize_url"])).headers["location"]
    moves = move(Harness(app))
    assert moves.unsettled(app.name) == 1
    assert invoke(app, "redeem", ticket=ticket_in(location), secret=secret)["user_id"]
    assert moves.unsettled(app.name) == 0


@pytest.mark.parametrize("to", WAYS)
def test_a_reader_who_looks_while_the_tokens_are_moved_has_them(harness: Harness, to: str) -> None:
    app = harness.app
    sign_in(harness, FROM[to], then="moving")
    this = process.this()
    look, once = this._sealed_tokens, [partial(run, harness, to)]

    def overtaken(provider: str, user_id: str) -> object:
        found = look(provider, user_id)
        if once:
            once.pop()()
        return found

    with patch.object(this, "_sealed_tokens", overtaken):
        assert read(app) == valid(app)
    assert not once


@pytest.mark.parametrize("to", WAYS)
def test_whoever_has_an_older_consumer_secret_in_memory_reads_on(harness: Harness, to: str) -> None:
    app = harness.app
    sign_in(harness, FROM[to], then="moving")
    reader = process.this().secret_reader
    assert reader.consumer(app.name).store == "moving"
    app.change_consumer(store="table" if to == "table" else "moving")
    run(harness, to)
    assert reader.consumer(app.name).store == "moving"
    assert read(app) == valid(app)


def test_no_function_imports_what_moves_tokens_in_bulk() -> None:
    imported: set[str] = set()
    for path in [*(ROOT / "functions").rglob("*.py"), *(ROOT / "layers/flow/tripod_flow").rglob("*.py")]:
        if path.stem in ("move", "moving", "roster", "moved_secrets", "importing", "exporting"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                imported |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
            elif isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
    flows = {f"tripod_flow.flows.{name}" for name in ("move", "importing", "exporting")}
    beside = {
        f"tripod_flow.{name}"
        for name in ("rules.moving", "rules.importing", "edges.roster", "edges.moved_secrets", "edges.token_row")
    }
    assert not imported & (flows | beside)
