"""The examples, run as they are: in a process of their own, with only the reader layer beside them."""

import json
import os
import subprocess
import sys
import time
from typing import Any

import pytest
from moto.ses.models import ses_backends

import tripod
from sandbox.browser import JSON, Browser
from sandbox.gateway.event import GatewayRequest, to_event
from sandbox.provider.visitor import Visitor
from sandbox.repository import TEMPLATE
from sandbox.template.intrinsics import REGION
from sandbox.template.template import Route
from sandbox.world import Sandbox
from tests.support.direct import begin, new_pair, ticket_in
from tests.support.reading import LAYER, reading
from tests.support.sandbox_app import RETURN_TO, SandboxApp
from tests.support.waiting import eventually

ROOT = TEMPLATE.parent
APP = RETURN_TO.removesuffix("/done")


def process(sandbox: Sandbox, example: str, payload: dict[str, Any], **more: str) -> "subprocess.CompletedProcess[str]":
    """Run an example's handler in a process of its own, as Lambda would."""
    folders = os.pathsep.join((str(ROOT / "examples" / example / "function"), str(LAYER)))
    code = "import json, sys; from handler import handler; print(json.dumps(handler(json.load(sys.stdin), None)))"
    return subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps(payload),
        env={"PATH": os.environ["PATH"], "PYTHONPATH": folders, **sandbox.environment(), **more},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def run(sandbox: Sandbox, example: str, payload: dict[str, Any], **more: str) -> Any:
    """Return what an example's handler answers."""
    finished = process(sandbox, example, payload, **more)
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout)


@pytest.fixture
def x(sandbox: Sandbox) -> SandboxApp:
    """Return the sandbox's provider ``x`` with a user of this test's own."""
    content = sandbox.client("secretsmanager").get_secret_value(SecretId=f"{sandbox.prefix}/consumer/x")["SecretString"]
    secret = json.loads(content)
    server = sandbox.provider_server
    consumer = server.consumer(secret["consumer_key"])
    return SandboxApp(sandbox, "x", consumer, server.add_user())


def test_the_posting_example_posts_for_a_user_and_says_when_it_may_not(x: SandboxApp) -> None:
    payload = {"user_id": x.user.user_id, "text": "héllo & + world"}
    assert "not signed in" in run(x.sandbox, "post", payload)["error"]
    browser = x.browser()
    browser.get(x.come_back(browser))
    told = run(x.sandbox, "post", payload)
    assert told == {"screen_name": x.user.screen_name, "posted": 201}
    posts = x.sandbox.provider_server.posts(x.consumer.key)
    assert [post.text for post in posts if post.user_id == x.user.user_id] == [payload["text"]]
    x.sandbox.provider_server.revoke(x.consumer.key, x.user)  # in X's own settings: API v2 doesn't say that it was that
    assert "no longer accepts" in run(x.sandbox, "post", payload)["error"]
    with reading(x.sandbox):
        tripod.disconnect("x", user_id=x.user.user_id)
    assert "disconnected" in run(x.sandbox, "post", payload)["error"]


def visit(sandbox: Sandbox, target: str, cookies: dict[str, str]) -> Any:
    """Let a browser visit the sign-in example."""
    headers = [("Cookie", "; ".join(f"{name}={value}" for name, value in cookies.items()))] if cookies else []
    request = GatewayRequest("GET", target, "HTTP/1.1", headers, b"", "127.0.0.1", 3000)
    route = Route("GET", target.partition("?")[0])
    return run(sandbox, "sign_in", to_event(request, route, {}, sandbox.aws_server.account), APP_URL=APP)


def test_the_sign_in_example_knows_who_signed_in_and_only_in_the_browser_that_did(x: SandboxApp) -> None:
    assert "/sign-in" in visit(x.sandbox, "/", {})["body"]
    begun = visit(x.sandbox, "/sign-in", {})
    cookies = dict([begun["cookies"][0].partition(";")[0].split("=", 1)])
    browser = Browser(x.sandbox.api)
    started = browser.get(begun["headers"]["location"])
    visitor = Visitor(x.user)
    back = browser.get(visitor.authorize(started.headers["location"])).headers["location"]
    visitor.close()
    assert back.startswith(f"{APP}/done?outcome=granted")
    target = back.removeprefix(APP)
    stranger = visit(x.sandbox, target, {"__Host-session": "somebody-elses-secret"})
    assert (stranger["statusCode"], "sign in again" in stranger["body"]) == (403, True)
    assert visit(x.sandbox, target, {})["statusCode"] == 403
    assert f"Hello @{x.user.screen_name}" in visit(x.sandbox, target, cookies)["body"]
    assert "Not signed in" in visit(x.sandbox, "/done?outcome=denied&provider=x", cookies)["body"]


def test_the_reader_signs_requests_in_a_process_of_its_own(x: SandboxApp) -> None:
    browser = x.browser()
    assert browser.get(x.come_back(browser), accept=JSON).json()["outcome"] == "granted"
    told = run(x.sandbox, "post", {"user_id": x.user.user_id, "text": "again"})
    assert told["screen_name"] == x.user.screen_name


def test_the_reconnecting_example_mails_the_apps_own_user_once_a_link_to_sign_in_again(x: SandboxApp) -> None:
    secret, challenge = new_pair("x", RETURN_TO)
    begun = begin(x, challenge=challenge, subject="customer 42", return_to=RETURN_TO)
    back = x.browser().get(x.consent(begun["authorize_url"])).headers["location"]
    with reading(x.sandbox):
        tripod.redeem(ticket_in(back), secret)
        x.sandbox.provider_server.revoke(x.consumer.key, x.user)
        assert tripod.check("x", user_id=x.user.user_id).state == "refused"
    x.relay(x.connection_key)
    assert eventually(lambda: [one for one in x.events() if one.detail_type == "connection.refused"])
    [refused] = [
        one.detail for one in x.events() if (one.detail_type, one.detail["user_id"]) == ("connection.refused", x.user.user_id)
    ]
    dynamodb, ses, table = x.sandbox.client("dynamodb"), x.sandbox.client("sesv2"), f"users-{x.user.user_id}"
    key = {"AttributeName": "id", "KeyType": "HASH"}
    attributes = [{"AttributeName": "id", "AttributeType": "S"}]
    dynamodb.create_table(TableName=table, KeySchema=[key], AttributeDefinitions=attributes, BillingMode="PAY_PER_REQUEST")
    ses.create_email_identity(EmailIdentity="app@example.com")
    named = {"USERS_TABLE": table, "MAIL_FROM": "app@example.com"}
    event = {"source": "tripod", "detail-type": "connection.refused", "detail": refused}

    def remind(**other: str | None) -> Any:
        return run(x.sandbox, "reconnect", event | {"detail": refused | other}, **named)

    def fails(error: str, **other: str | None) -> None:
        finished = process(x.sandbox, "reconnect", event | {"detail": refused | other}, **named)
        assert finished.returncode != 0
        assert error in finished.stderr.splitlines()[-1]

    def a_minute_passes() -> None:
        user = {"id": {"S": "customer 42"}}
        (until,) = dynamodb.get_item(TableName=table, Key=user, ProjectionExpression="reminding_until")["Item"].values()
        assert float(until["N"]) < time.time() + 60
        past = {":past": {"N": "1"}}
        dynamodb.update_item(
            TableName=table, Key=user, UpdateExpression="SET reminding_until = :past", ExpressionAttributeValues=past
        )

    def mails() -> list[str]:
        return [one.body for one in ses_backends[x.sandbox.aws_server.account][REGION].sent_messages]

    before = len(mails())
    assert remind() is None  # nobody of ours
    dynamodb.put_item(TableName=table, Item={"id": {"S": "customer 42"}, "email": {"S": "ada@example.com"}})
    x.sandbox.aws_server.fault("ses", "*", "denied")
    fails("AccessDenied")  # Lambda calls again
    fails("Claimed")  # as another call that comes meanwhile, and as where a process has died
    assert len(mails()) == before
    a_minute_passes()
    assert remind() == "ada@example.com"
    assert remind() is None  # the same event again
    assert remind(id="another", screen_name=None) == "ada@example.com"
    assert remind(subject=None) is None
    start = f"{x.sandbox.api}/oauth/x/start"
    assert mails()[before:] == [
        f"We can no longer post for @{x.user.screen_name}. Connect again: {start}?screen_name={x.user.screen_name}\n",
        f"We can no longer post for you. Connect again: {start}\n",
    ]
