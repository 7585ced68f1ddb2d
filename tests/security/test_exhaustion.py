"""Attacks by amount: bodies without end, texts that keep a parser busy, PINs by the dozen, and the bill."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from docs import cost
from sandbox.browser import JSON, PAGE
from tests.support.aws_calls import aws_calls
from tests.support.pin import FORM, begin, post
from tests.support.sandbox_app import SandboxApp
from tests.support.translated import stack
from tripod_flow.rules.authorization import PIN_ATTEMPTS

SECURITY = Path(__file__).parents[2] / "SECURITY.md"
MEGABYTE = 1_000_000
DEPTH = 100_000
PROMPT = 2.0  # seconds: far more than any refusal takes, far less than what these inputs would cost if they were read


@pytest.mark.parametrize("kind", [FORM, JSON, "application/octet-stream", "text/plain", "multipart/form-data", ""])
@pytest.mark.parametrize(
    "body",
    [
        b"a" * MEGABYTE,
        b"\xff" * MEGABYTE,
        b"request_token=a&pin=" + b"1" * MEGABYTE,
        b"a=1&" * (MEGABYTE // 4),
        b'{"request_token": "a", "pin": "' + b"1" * MEGABYTE + b'"}',
    ],
    ids=["text", "bytes", "one field", "many fields", "one string"],
)
def test_oversized_body(app: SandboxApp, kind: str, body: bytes) -> None:
    began = time.monotonic()
    told = post(app, app.browser(), body, kind=kind)
    assert (told.status_code, told.json()["code"]) == (400, "bad_request")
    assert told.json()["detail"] == "The body is too long."
    assert len(told.content) < 1000
    assert time.monotonic() - began < PROMPT


@pytest.mark.parametrize(
    "body",
    [
        "[" * DEPTH,
        "[" * DEPTH + "]" * DEPTH,
        '{"pin":' * DEPTH + "1" + "}" * DEPTH,
        '{"request_token": ' + "[" * DEPTH,
        "[" * 8000,
        '{"pin":' * 1100,
        '{"pin":' * 1100 + "1" + "}" * 400,
        '{"pin": ' + "9" * 8000 + "}",  # beyond the digits that Python reads
        '{"pin": 1e999999}',
        '{"pin": -Infinity, "request_token": NaN}',
        '{"pin": "' + "\\ud800" * 1000 + '"}',
        "\ufeff{}",
    ],
    ids=lambda body: f"{body[:12]}{len(body)}",
)
def test_deeply_nested_body(app: SandboxApp, body: str) -> None:
    began = time.monotonic()
    told = post(app, app.browser(), body.encode(), kind=JSON)
    assert (told.status_code, told.json()["code"]) == (400, "bad_request")
    assert time.monotonic() - began < PROMPT


@pytest.mark.parametrize("path", ["start", "callback?oauth_token=a&oauth_verifier=b", "pin?request_token=a"])
def test_oversized_body_where_none_is_wanted(app: SandboxApp, path: str) -> None:
    answer = requests.get(
        f"{app.sandbox.api}/oauth/{app.name}/{path}", data=b"[" * MEGABYTE, headers={"Accept": JSON}, timeout=30
    )
    assert answer.status_code in (200, 404)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Accept", "text/html;q=" * 700),
        ("Accept", "," * 8000),
        ("Accept", ";" * 8000),
        ("Accept", "text/html;q=0." + "0" * 8000),
        ("Accept-Language", "de;q=" * 1600),
        ("Accept-Language", "de" + "-a" * 4000),
        ("Accept-Language", "," * 8000),
        ("Accept-Language", "de" + " " * 8000 + ";q=1"),
        ("Cookie", '"' * 8000),
        ("Cookie", 'a="' + "\\" * 8000),
        ("Cookie", "a" * 8000),
        ("Cookie", "a=" * 4000),
        ("Cookie", "a=Wed, " + " " * 8000),
        ("Cookie", "=;" * 4000),
        ("Content-Type", "a/" * 4000),
    ],
    ids=lambda text: text[:12],
)
def test_regular_expression_denial(app: SandboxApp, name: str, value: str) -> None:
    began = time.monotonic()
    answer = requests.get(
        f"{app.sandbox.api}/oauth/{app.name}/callback?denied=a", headers={"Accept": PAGE, name: value}, timeout=30
    )
    assert answer.status_code == 404
    assert time.monotonic() - began < PROMPT


def test_pin_guessing_in_parallel(app: SandboxApp) -> None:
    browser = app.browser()
    token, pin = begin(app, browser)
    wrong = [text for text in (f"{number:07}" for number in range(40)) if text != pin]

    def guess(text: str) -> requests.Response:
        return post(app, browser, {"request_token": token, "pin": text})

    with ThreadPoolExecutor(12) as crowd:
        told = list(crowd.map(guess, wrong[:12]))
    assert {answer.status_code for answer in told} <= {400, 409}
    assert len(app.calls("access_token")) <= PIN_ATTEMPTS
    for text in wrong[12:20]:
        guess(text)
    assert len(app.calls("access_token")) == PIN_ATTEMPTS
    with ThreadPoolExecutor(4) as crowd:
        late = list(crowd.map(guess, [pin] * 4))
    assert {answer.json()["code"] for answer in late} == {"verifier_rejected"}
    assert len(app.calls("access_token")) == PIN_ATTEMPTS == 5
    assert app.stored() is None


def logged(app: SandboxApp, since: int) -> tuple[int, list[dict[str, Any]]]:
    """Return how many bytes were logged since, and the metrics among them."""
    text = app.sandbox.logs.text[since:]
    return len(text.encode()), [json.loads(line) for line in text.splitlines() if '"_aws"' in line]


def dollars(*, provider: bool, warm: float, **units: int) -> float:
    """Return what 1,000 hostile requests cost, by docs/cost.py's prices; ``units`` are of one request."""
    seconds = warm + (cost.PROVIDER if provider else 0) + cost.COLD_SHARE * cost.COLD
    one = seconds * cost.MEMORY * cost.PRICES["GB-second"].dollars
    one += sum(
        cost.PRICES[name.replace("_", " ")].dollars * number for name, number in ({"invocation": 1, "api": 1} | units).items()
    )
    return 1_000 * (one + cost.LOG_BYTES / 2e9 * cost.PRICES["log"].dollars)


def test_denial_of_wallet_by_starts(app: SandboxApp) -> None:
    app.browser().start(app.name)
    since, printed = len(app.sandbox.aws_server.calls), len(app.sandbox.logs.text)
    for _ in range(10):
        app.browser().start(app.name)
    assert aws_calls(app, since) == {"dynamodb write": 10}
    size, _ = logged(app, printed)
    assert size / 10 + 300 < cost.LOG_BYTES / 2  # the access log's line is the rest
    assert dollars(provider=True, warm=cost.WARM["start"], write=1) == pytest.approx(cost.attack())
    assert f"1,000 hostile starts cost ${cost.attack():.3f}" in " ".join(SECURITY.read_text().split())


def test_denial_of_wallet_by_made_up_providers(app: SandboxApp) -> None:
    since, printed = len(app.sandbox.aws_server.calls), len(app.sandbox.logs.text)
    for number in range(10):
        app.browser().start(f"{app.name}-{number}")
    assert aws_calls(app, since) == {"secretsmanager GetSecretValue": 10}
    assert not app.calls("request_token")
    size, metrics = logged(app, printed)
    assert size / 10 + 300 < cost.LOG_BYTES / 2
    kinds = {json.dumps(line["_aws"]["CloudWatchMetrics"]) for line in metrics}
    assert len(kinds) == 1  # no metric of the caller's making: each would cost $0.30 a month
    assert app.name not in "".join(kinds)
    figure = dollars(provider=False, warm=cost.WARM["start"], secret_call=1)
    assert f"under made-up names of providers ${figure:.3f}" in " ".join(SECURITY.read_text().split())


def test_denial_of_wallet_by_callbacks(app: SandboxApp) -> None:
    app.browser().start(app.name)
    since = len(app.sandbox.aws_server.calls)
    for number in range(10):
        assert app.browser().get(f"/oauth/{app.name}/callback?oauth_token=t{number}&oauth_verifier=v").status_code == 404
    assert 10 <= sum(aws_calls(app, since).values()) <= 11  # a refused write is a write; and the consumer secret, once
    assert not app.calls("access_token")
    figure = dollars(provider=False, warm=cost.WARM["callback"], write=1)
    assert f"1,000 hostile callbacks ${figure:.3f}" in " ".join(SECURITY.read_text().split())


def test_denial_of_wallet_has_a_ceiling_a_day() -> None:
    rate = int(stack().one("HttpApiApiGatewayDefaultStage")["DefaultRouteSettings"]["ThrottlingRateLimit"])
    others = [route for route, one in stack().routes().items() if not one.get("security") and not route.endswith("/start")]
    assert len(others) == 3
    callback = dollars(provider=False, warm=cost.WARM["callback"], write=1)
    made_up = dollars(provider=False, warm=cost.WARM["start"], secret_call=1)
    a_day = 86.4 * rate * (max(cost.attack(), made_up) + len(others) * callback)  # thousands of seconds
    assert f"at most ${a_day:.0f} a day" in " ".join(SECURITY.read_text().split())
