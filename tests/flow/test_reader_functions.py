"""Tickets, disconnecting and the list of users, against functions that return what a test tells them to."""

import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import tripod
from sandbox.world import Sandbox
from tests.support.reading import reading
from tripod import ConsumerNotFound, TicketRejected, TokenNotFound, TripodUnavailable, UserTokens, names, process, tickets

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Parameters:
  Prefix: {Type: String, Default: told}
Globals:
  Function: {Handler: handler.handler, Timeout: 5, CodeUri: told/}
Resources:
  Redeem: {Type: AWS::Serverless::Function, Properties: {FunctionName: !Sub "${Prefix}-redeem"}}
  Revoke: {Type: AWS::Serverless::Function, Properties: {FunctionName: !Sub "${Prefix}-revoke"}}
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions:
        - {AttributeName: pk, AttributeType: S}
        - {AttributeName: connected_to, AttributeType: S}
        - {AttributeName: user_id, AttributeType: S}
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      GlobalSecondaryIndexes:
        - IndexName: connections
          KeySchema: [{AttributeName: connected_to, KeyType: HASH}, {AttributeName: user_id, KeyType: RANGE}]
          Projection: {ProjectionType: INCLUDE, NonKeyAttributes: [provider, screen_name, subject, granted_at]}
  Name:
    Type: AWS::SSM::Parameter
    Properties: {Name: !Sub "/${Prefix}/table", Type: String, Value: !Ref Table}
"""

# Returns the JSON that is given as the ticket, or as the user id.
TOLD = """
import json
def handler(event, context):
    assert set(event) in ({"ticket", "secret"}, {"provider", "user_id"})
    answer = json.loads(event.get("ticket") or event["user_id"])
    if answer == "raise":
        raise LookupError(event.get("secret"))
    return answer
"""

SIGN_IN = {"provider": "x", "user_id": "7", "screen_name": "jo", "subject": None}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    folder = tmp_path_factory.mktemp("told")
    (folder / "told").mkdir()
    (folder / "told" / "handler.py").write_text(TOLD)
    (folder / "template.yaml").write_text(TEMPLATE)
    with Sandbox(template=folder / "template.yaml") as sandbox:
        yield sandbox


@pytest.fixture(autouse=True)
def _read(told: Sandbox) -> Iterator[None]:
    with reading(told):
        yield


def problem(code: object, **more: object) -> dict[str, object]:
    return {"type": "urn:tripod:problem", "title": "No", "status": 400, "detail": "s3cret", "code": code, **more}


def test_a_ticket_tells_who_signed_in() -> None:
    told = tripod.redeem(json.dumps(SIGN_IN), tickets.new_secret())
    assert (told.provider, told.user_id, told.screen_name, told.subject) == ("x", "7", "jo", None)
    assert tripod.redeem(json.dumps(SIGN_IN | {"subject": "u-1", "request_id": "r"}), "s").subject == "u-1"


@pytest.mark.parametrize("code", ["ticket_rejected", "bad_request"])
def test_a_rejected_ticket_proves_nothing_and_is_not_quoted(code: str) -> None:
    with pytest.raises(TicketRejected) as caught:
        tripod.redeem(json.dumps(problem(code)), "s3cret")
    assert "s3cret" not in repr(caught.value)


@pytest.mark.parametrize("text", ["", "x" * 5000, None, 7, b"ticket"])
def test_what_can_not_be_a_ticket_is_rejected_without_a_call(text: Any) -> None:
    for ticket, secret in ((text, "secret"), (json.dumps(SIGN_IN), text)):
        with pytest.raises(TicketRejected):
            tripod.redeem(ticket, secret)
    assert not process.this()._clients


@pytest.mark.parametrize(
    "answer",
    [
        "raise", None, [], "text", 7, {}, {"provider": "x"}, {**SIGN_IN, "user_id": 7}, {**SIGN_IN, "user_id": ""},
        {**SIGN_IN, "subject": {}}, problem("s3cret!"), problem(7), problem(None),
    ],
)  # fmt: skip
def test_an_answer_that_is_none_is_told_as_such_and_not_quoted(answer: object) -> None:
    with pytest.raises(TripodUnavailable, match="told-redeem") as caught:
        tripod.redeem(json.dumps(answer), "s3cret")
    assert caught.value.code == "internal"
    assert "s3cret" not in repr(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_other_problems_bear_their_code_and_when_to_try_again() -> None:
    with pytest.raises(TripodUnavailable) as caught:
        tripod.redeem(json.dumps(problem("provider_unavailable", retry_after=5)), "secret")
    assert (caught.value.code, caught.value.retry_after) == ("provider_unavailable", 5)
    with pytest.raises(TripodUnavailable) as caught:
        tripod.disconnect("x", user_id=json.dumps(problem("not_configured", retry_after="soon")))
    assert (caught.value.code, caught.value.retry_after) == ("not_configured", None)


def test_disconnecting_forgets_the_users_tokens(told: Sandbox) -> None:
    user_id = json.dumps({"outcome": "revoked", "provider": "x", "user_id": "7"})
    reader, client = process.this().secret_reader, told.client("secretsmanager")
    name = names.user_secret("told", "x", user_id)
    client.create_secret(
        Name=name,
        SecretString=UserTokens(
            provider="x", user_id=user_id, screen_name=None, oauth_token="t", oauth_token_secret="s", consumer_key="k"
        ).to_json(),
    )
    reader.user("x", user_id)
    tripod.disconnect("x", user_id=user_id)
    reader.user("x", user_id)
    assert len(told.aws_server.called("secretsmanager", "GetSecretValue", name)) == 2


def test_disconnecting_says_what_was_not_found_by_its_secrets_name() -> None:
    with pytest.raises(TokenNotFound, match="told/user/x/=7B"):
        tripod.disconnect("x", user_id=json.dumps(problem("token_not_found")))
    with pytest.raises(ConsumerNotFound, match="told/consumer/x"):
        tripod.disconnect("x", user_id=json.dumps(problem("unknown_provider")))
    with pytest.raises(TripodUnavailable, match="told-revoke"):
        tripod.disconnect("x", user_id=json.dumps({"outcome": "granted"}))


def test_users_are_read_page_by_page_as_they_are_needed(told: Sandbox) -> None:
    client = told.client("dynamodb")
    count = 30  # of 40 KB each: more than a page's 1 MB
    for number in range(count):
        item = {
            "pk": {"S": f"connection#y#{number:02}"}, "connected_to": {"S": "y"}, "user_id": {"S": f"{number:02}"},
            "provider": {"S": "y"}, "screen_name": {"S": "jo" * 20_000}, "granted_at": {"N": "1767225600.5"},
        }  # fmt: skip
        client.put_item(TableName=told.table, Item=item)
    found = tripod.users("y")
    assert not told.aws_server.called("dynamodb", "Query")
    assert [one.user_id for one in itertools.islice(found, 3)] == ["00", "01", "02"]
    assert len(told.aws_server.called("dynamodb", "Query")) == 1
    rest = list(found)
    assert len(rest) == count - 3
    assert len(told.aws_server.called("dynamodb", "Query")) == 2
    assert (rest[0].provider, rest[0].subject, rest[0].granted_at) == ("y", None, 1767225600.5)
    list(tripod.users("y"))
    assert len(told.aws_server.called("ssm", "GetParameter")) == 1


def test_without_a_stack_the_parameter_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIPOD_PREFIX", "other")
    process.forget()
    with pytest.raises(TripodUnavailable, match="/other/table") as caught:
        next(tripod.users("x"))
    assert caught.value.code == "not_configured"


@pytest.mark.parametrize("call", [lambda: tripod.redeem("ticket", "s3cret"), lambda: tripod.disconnect("x", user_id="7")])
def test_without_a_stack_the_function_that_is_missing_is_named(
    call: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIPOD_PREFIX", "other")
    process.forget()
    with pytest.raises(TripodUnavailable, match=r"no function other-re\w+: .*TRIPOD_PREFIX") as caught:
        call()
    assert caught.value.code == "not_configured"
    assert "s3cret" not in repr(caught.value)
    assert caught.value.__suppress_context__
