"""The fuzz's short form; ``python -m tests.fuzz`` is the long one."""

import logging
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from unittest.mock import patch

import pytest
from botocore.exceptions import EndpointConnectionError
from hypothesis import HealthCheck, Phase, given, settings

from tests.fuzz.events import events
from tests.fuzz.target import Defect, FuzzFigures, Handler, Target, defects_of, running
from tripod_flow.edges import telemetry
from tripod_flow.edges.token_sealer import TokenSealer
from tripod_flow.flows.exchange import Exchange
from tripod_flow.flows.finish import Finish
from tripod_flow.flows.revocation import Revocation
from tripod_flow.flows.token_store import TokenStore

INPUTS = {
    "start": 250,
    "callback": 330,
    "revoke": 100,
    "redeem": 280,
    "sign": 60,
    "check": 40,
    "relay": 50,
}  # 1,110; the cheap one gets more

# How many of these come through at least: to a redirect or page, an exchange, a proof, a revocation, an event.
COME_THROUGH = {
    "start": {"start 200": 10, "start 302": 5, "start 303": 1, "start done": 10},
    "callback": {"callback 200": 30, "callback 303": 3, "callback done": 3},
    "revoke": {"revoke 200": 3, "revoke done": 3},
    "redeem": {"redeem done": 20},
    "sign": {"sign done": 5},
    "check": {"check done": 5},
    "relay": {"relay relayed": 5},
}

pytestmark = [
    pytest.mark.timeout(method="thread"),  # the handlers' clients use the alarm themselves
    pytest.mark.filterwarnings("ignore:Generating overly large repr"),  # of an event that found a defect
]


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    with running() as loaded:
        yield loaded


def fuzz(target: Target, function: str, inputs: int, handler: Handler | None = None) -> FuzzFigures:
    target.figures = FuzzFigures()
    short = settings(
        max_examples=inputs,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )

    @short
    @given(events(function))
    def run(event: Any) -> None:
        target.check(function, event, handler)

    for defect in defects_of(run):
        raise defect
    return target.figures


@pytest.mark.parametrize("function", INPUTS)
def test_whatever_the_event_there_is_an_answer(target: Target, function: str) -> None:
    figures = fuzz(target, function, INPUTS[function])
    assert figures.inputs[function] >= INPUTS[function]
    assert figures.answers.total() > figures.inputs[function] / 2
    assert not [answer for answer, least in COME_THROUGH[function].items() if figures.answers[answer] < least], figures.answers
    assert target.in_the_clear() == []


@pytest.mark.parametrize("function", ["start", "callback", "revoke", "redeem", "sign", "check"])
def test_a_log_line_is_written_even_of_half_a_character(target: Target, function: str) -> None:
    target.figures = FuzzFigures()
    target.check(function, {"provider": "\ud800"})


def test_a_log_line_that_is_lost_is_found(target: Target) -> None:
    to_stdout = telemetry.log().handlers[0]

    def handler(event: Any, context: Any) -> Any:
        to_stdout.handle(logging.makeLogRecord({"msg": "\ud800"}))
        return target.handlers["start"](event, context)

    with (
        patch.object(to_stdout, "format", logging.LogRecord.getMessage),
        pytest.raises(Defect, match="a log line is lost"),
    ):
        target.check("start", {"provider": "x"}, handler)


def test_a_header_that_must_be_there_is_found(target: Target) -> None:
    def handler(event: Any, context: Any) -> Any:
        if isinstance(event, dict) and isinstance(event.get("headers"), dict):
            event["headers"]["accept"]
        return target.handlers["start"](event, context)

    with pytest.raises(Defect, match="KeyError leaves"):
        fuzz(target, "start", 200, handler)


def test_a_value_that_breaks_a_header_is_found(target: Target) -> None:
    def handler(event: Any, context: Any) -> Any:
        answer = target.handlers["start"](event, context)
        if "statusCode" in answer and isinstance(query := event.get("queryStringParameters"), dict):
            answer["headers"]["location"] = "/?" + "&".join(str(value) for value in query.values())
        return answer

    with pytest.raises(Defect, match="the header 'location' can't be sent"):
        fuzz(target, "start", 400, handler)


@pytest.mark.parametrize(("body", "flaw"), [(b"bytes", "not JSON"), (Decimal(1), "not JSON"), (None, "the body is no string")])
def test_a_body_that_is_no_string_is_found(target: Target, body: Any, flaw: str) -> None:
    def handler(event: Any, context: Any) -> Any:
        answer = target.handlers["callback"](event, context)
        return {**answer, "body": body} if answer.get("statusCode") == 404 else answer

    with pytest.raises(Defect, match=flaw):
        fuzz(target, "callback", 400, handler)


@pytest.mark.parametrize(
    ("function", "broken"),
    [
        ("callback", (Exchange, "exchange")),
        ("callback", (TokenStore, "try_to_store")),
        ("callback", (TokenSealer, "seal")),
        ("redeem", (TokenStore, "_connect_sealed")),
        ("redeem", (Finish, "_refuse_if_revoked")),
        ("revoke", (Revocation, "invalidate_pending")),
    ],
)
def test_a_crash_behind_the_table_is_found(target: Target, function: str, broken: tuple[type, str]) -> None:
    with patch.object(*broken, side_effect=ValueError), pytest.raises(Defect, match="internal"):
        fuzz(target, function, INPUTS[function])


def test_a_token_in_the_clear_is_found(target: Target) -> None:
    with patch.object(TokenSealer, "seal", side_effect=EndpointConnectionError(endpoint_url="https://kms.example")):
        fuzz(target, "callback", INPUTS["callback"])
    assert target.in_the_clear() != []
