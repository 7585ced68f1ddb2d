"""Where a secret could come out by accident: tracebacks, ``repr``, metrics, the table's stream."""

import io
import json
import traceback
from typing import Any

import pytest
from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError

from sandbox.browser import JSON
from sandbox.provider import ProviderFault
from tests.support.direct import invoke, new_pair
from tests.support.harness import Harness
from tests.support.http_event import event
from tests.support.leaks import leaks
from tests.support.sandbox_app import SandboxApp
from tripod_flow.app import App
from tripod_flow.edges import telemetry
from tripod_flow.edges.provider_client import ExchangeResponse, ProviderClient
from tripod_flow.edges.token_response import TokenResponse
from tripod_flow.flows.exchange import Exchange
from tripod_flow.flows.start import BegunAuthorization, StartRequest
from tripod_flow.rules.authorization import Authorization


def issued(app: SandboxApp) -> set[str]:
    """Return the secrets of this app that the provider has given out, its consumer key (which is public) not among them."""
    found = set(app.sandbox.provider_server.issued(app.consumer.key)) - {app.consumer.key}
    assert found
    return found


class LambdaContextStub:
    aws_request_id = "r-1"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 20_000


def test_secrets_in_repr(app: SandboxApp) -> None:
    harness = Harness(app)
    secret, challenge = new_pair(app.name)
    begun: list[BegunAuthorization] = []
    real = harness.start.begin
    harness.start.begin = lambda *rest, **named: begun.append(real(*rest, **named)) or begun[-1]  # type: ignore[method-assign, func-returns-value]  # watched
    seen: list[Authorization] = []
    exchange = Exchange.exchange
    responses: list[ExchangeResponse] = []
    access_token = ProviderClient.access_token
    requested: list[TokenResponse] = []
    request_token = ProviderClient.request_token
    with pytest.MonkeyPatch.context() as patch:

        def issued_to(*arguments: Any, **named: Any) -> TokenResponse:
            requested.append(request_token(*arguments, **named))
            return requested[-1]

        patch.setattr(ProviderClient, "request_token", issued_to)
        token, verifier = harness.come_back(challenge=challenge)
    seen.append(harness.record(token))
    with pytest.MonkeyPatch.context() as patch:

        def watched(flow: Exchange, held: Authorization, with_verifier: str, *brought: Any) -> Authorization:
            decided = exchange(flow, held, with_verifier, *brought)
            seen.extend((held, decided))
            return decided

        def answered(*arguments: Any, **named: Any) -> ExchangeResponse:
            responses.append(access_token(*arguments, **named))
            return responses[-1]

        patch.setattr(Exchange, "exchange", watched)
        patch.setattr(ProviderClient, "access_token", answered)
        came = harness.finish.callback(app.name, token, verifier, harness.cookies)
    assert seen[0].request_secret
    assert seen[-1].pending_tokens
    assert came.ticket
    assert requested
    shown = repr((requested, responses, begun, seen, came, seen[-1].user_tokens(), app.consumer.key))
    keys = {key.partition(".")[2] for key in harness.cookies.values()}
    assert not leaks(shown, issued(app) | keys | {came.ticket.rpartition(".")[2], secret, verifier})


@pytest.mark.parametrize("leg", ["request_token", "access_token"])
@pytest.mark.parametrize(
    "fault",
    [
        ProviderFault.SERVER_ERROR,
        ProviderFault.BINARY,
        ProviderFault.TRUNCATED,
        ProviderFault.NOT_AUTHENTICATED,
        ProviderFault.GARBAGE,
    ],
)
def test_secrets_in_tracebacks_of_a_failed_leg(app: SandboxApp, leg: str, fault: ProviderFault) -> None:
    harness = Harness(app)
    token, verifier = harness.come_back() if leg == "access_token" else ("", "")
    app.fault(leg, fault, times=2)  # type: ignore[arg-type]  # one of Leg's words
    told = ""
    try:
        if leg == "access_token":
            came = harness.finish.callback(app.name, token, verifier, harness.cookies)
            told = repr(came.record)
        else:
            harness.start.begin(StartRequest(app.name), callback_url="https://api.example/callback")
    except Exception as error:  # noqa: BLE001  # whatever it is, its text is looked at
        told = "".join(traceback.format_exception(error))
    assert told
    assert not leaks(told, issued(app) | set(harness.cookies.values()))


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch, unique: str) -> io.StringIO:
    """Take what is logged in this process; metrics are left out, because their namespace stands in the function's environment."""
    stream = io.StringIO()
    logger = Logger(service=unique, stream=stream)
    monkeypatch.setattr(telemetry, "log", lambda: logger)
    monkeypatch.setattr(telemetry, "flush", lambda: None)
    return stream


def fail(*_: object) -> Any:
    """Fail as a defect does: with an exception whose text, and that of its cause, quotes what it was given."""
    answer = {"Error": {"Code": "ValidationException", "Message": "s3cret-message"}}
    raise ClientError(answer, "PutItem") from KeyError("s3cret-inner")  # type: ignore[arg-type]  # as much of it as is read


def test_secrets_in_tracebacks_of_a_defect(log: io.StringIO, capfd: pytest.CaptureFixture[str]) -> None:
    told = App().respond(event("oauth_token=s3cret-token&oauth_verifier=s3cret-verifier"), LambdaContextStub(), fail)
    printed = capfd.readouterr()
    assert (told["statusCode"], json.loads(told["body"])["code"]) == (500, "internal")
    assert "ValidationException" in log.getvalue()  # so that the operator can see what it was
    assert "s3cret" not in json.dumps(told) + log.getvalue() + printed.out + printed.err


def test_secrets_in_tracebacks_of_a_direct_invocation(log: io.StringIO, capfd: pytest.CaptureFixture[str]) -> None:
    told = App().respond_directly({"ticket": "s3cret-ticket", "secret": "s3cret"}, LambdaContextStub(), fail)
    printed = capfd.readouterr()
    assert told["code"] == "internal"
    assert "ValidationException" in log.getvalue()
    assert "s3cret" not in json.dumps(told) + log.getvalue() + printed.out + printed.err


def test_secrets_in_metrics(app: SandboxApp) -> None:
    since = len(app.sandbox.logs.text)
    secret, challenge = new_pair(app.name)
    browser = app.browser()
    ticket = browser.get(app.come_back(browser, challenge=challenge), accept=JSON).json()["ticket"]
    invoke(app, "redeem", ticket=ticket, secret=secret)
    app.browser().get(app.come_back(browser), accept=JSON)
    app.browser().start("nobody")
    metrics = [json.loads(line) for line in app.sandbox.logs.text[since:].splitlines() if '"_aws"' in line]
    assert len(metrics) >= 5
    for line in metrics:
        described = line.pop("_aws")["CloudWatchMetrics"]
        names = {one["Name"] for each in described for one in each["Metrics"]}
        assert all(each["Dimensions"] == [["service"]] for each in described)
        assert line.pop("service") in ("start", "callback", "redeem")
        assert line.keys() == names
        assert all(isinstance(number, int | float) for values in line.values() for number in values)


def test_secrets_in_stream_records(app: SandboxApp) -> None:
    browser = app.browser()
    callback = app.come_back(browser, challenge=new_pair(app.name)[1])
    ticket = browser.get(callback, accept=JSON).json()["ticket"]
    other = app.come_back(browser, cancel=True)
    browser.get(other)
    streams = app.sandbox.client("dynamodbstreams")
    (stream,) = streams.list_streams(TableName=app.sandbox.table)["Streams"]
    found = streams.describe_stream(StreamArn=stream["StreamArn"])["StreamDescription"]
    assert found["StreamViewType"] == "KEYS_ONLY"
    records: list[dict[str, Any]] = []
    for shard in found["Shards"]:
        place = streams.get_shard_iterator(
            StreamArn=stream["StreamArn"], ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        while (page := streams.get_records(ShardIterator=place))["Records"]:  # a page has 1,000 at most, of all tests
            records += [one for one in page["Records"] if app.name in str(one)]
            place = page["NextShardIterator"]
    assert len(records) > 4
    assert all(record["dynamodb"].keys() & {"NewImage", "OldImage"} == set() for record in records)
    assert {tuple(record["dynamodb"]["Keys"]) for record in records} == {("pk",)}
    keys = {key.partition(".")[2] for key in browser.cookies.values()}
    assert not leaks(json.dumps(records, default=str), issued(app) | keys | {ticket.rpartition(".")[2]})
