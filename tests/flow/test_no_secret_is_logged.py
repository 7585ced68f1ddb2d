"""Everything that whole flows print, good and bad, with every logger at DEBUG, searched for every secret that was issued."""

import base64
import json
import textwrap
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, unquote

import pytest

from sandbox.aws.faults import AwsFaultKind
from sandbox.browser import JSON, Browser
from sandbox.provider import ProviderFault
from sandbox.repository import TEMPLATE
from sandbox.world import Sandbox
from tests.support.direct import begin, invoke, new_pair
from tests.support.leaks import leaks
from tests.support.sandbox_app import PARAMETERS, QUICK, SandboxApp, make_app

LOUD = textwrap.dedent(
    """
    import logging, runpy, sys
    logging.basicConfig(level=logging.DEBUG, stream=sys.stdout)
    real = runpy.run_path({real!r})["handler"]

    def handler(event, context):
        for name in ["", *logging.root.manager.loggerDict]:
            logging.getLogger(name).setLevel(logging.DEBUG)
        logging.getLogger("urllib3").debug("LOUD-BUT-GATED")
        logging.getLogger("anything").debug("LOUD-AND-HEARD")
        if {leak!r} and "oauth_verifier" in event.get("rawQueryString", ""):
            print(json.dumps(event["queryStringParameters"]["oauth_verifier"]))
        return real(event, context)
    """
).replace("import logging,", "import json, logging,")


def loud_sandbox(folder: Path, *, leak: bool) -> Sandbox:
    """Return a sandbox whose functions are the project's own, behind a handler that turns every logger up."""
    template = TEMPLATE.read_text()
    for name in ("start", "callback", "redeem", "revoke", "sign", "relay"):
        (folder / name).mkdir()
        real = str(TEMPLATE.parent / "functions" / name / "handler.py")
        (folder / name / "handler.py").write_text(LOUD.format(real=real, leak=leak))
        template = template.replace(f"CodeUri: functions/{name}/", f"CodeUri: {folder}/{name}/")
    (folder / "template.yaml").write_text(template)
    return Sandbox(template=folder / "template.yaml", parameters={**PARAMETERS, "LogLevel": "DEBUG"}, settings=QUICK)


@pytest.fixture
def loud(tmp_path: Path) -> Iterator[Sandbox]:
    with loud_sandbox(tmp_path, leak=False) as sandbox:
        yield sandbox


AWS_FAULTS: tuple[tuple[str, AwsFaultKind, str], ...] = (
    ("UpdateItem", "denied", '"exchanging"'),
    ("UpdateItem", "denied", '"granted"'),
    ("UpdateItem", "internal", "connection#"),
    ("TransactWriteItems", "denied", ""),
    ("PutItem", "denied", ""),
)


def play(app: SandboxApp, browsers: list[Browser]) -> None:
    """Play flows that end in every way."""

    def browser() -> Browser:
        browsers.append(app.browser())
        return browsers[-1]

    mine = browser()
    callback = app.come_back(mine)
    mine.get(callback)
    mine.get(callback, accept=JSON)
    browser().get(callback)
    mine.get(app.come_back(mine, cancel=True))
    for fault in (
        ProviderFault.SERVER_ERROR,
        ProviderFault.RESET_AFTER,
        ProviderFault.RUN_TOGETHER,
        ProviderFault.TIMEOUT,
        ProviderFault.BINARY,
        ProviderFault.NOT_AUTHENTICATED,
        ProviderFault.WRONG_VERIFIER,
    ):
        app.fault("access_token", fault, times=2)
        one = browser()
        callback = app.come_back(one)
        one.get(callback)
        one.get(callback)
    for fault in (
        ProviderFault.CALLBACK_NOT_APPROVED_XML,
        ProviderFault.RUN_TOGETHER,
        ProviderFault.GARBAGE,
        ProviderFault.UNCONFIRMED,
        ProviderFault.NOT_AUTHENTICATED,
    ):
        app.fault("request_token", fault, times=2)
        browser().start(app.name)
        browser().start(app.name)
    app = make_app(app.sandbox)  # no fault left
    aws = app.sandbox.aws_server
    for operation, kind, match in AWS_FAULTS:
        one = browser()
        callback = app.come_back(one) if operation != "PutItem" else ""
        armed = aws.fault("dynamodb", operation, kind, times=9, match=match)
        one.get(callback) if callback else one.start(app.name)
        assert armed.strikes
        aws.disarm()
    for operation in ("CreateSecret", "PutSecretValue"):
        app.user = app.sandbox.provider_server.add_user()
        one = browser()
        callback = app.come_back(one)
        aws.fault("secretsmanager", operation, "denied", times=9)
        one.get(callback)
        aws.disarm()
        one.get(callback)


def play_the_rest(app: SandboxApp) -> set[str]:
    """Play tickets, direct invocations, PINs, signatures and revocations, good and bad; returns the tickets, session secrets and a signature."""
    secret, challenge = new_pair(app.name)
    browser = app.browser()
    ticket = browser.get(app.come_back(browser, challenge=challenge), accept=JSON).json()["ticket"]
    invoke(app, "redeem", ticket=ticket, secret="wrong")
    invoke(app, "redeem", ticket=ticket, secret=secret)
    invoke(app, "redeem", ticket=ticket + "x", secret=secret)
    begun = begin(app, challenge=challenge, subject="42")
    direct = app.browser().get(app.consent(begun["authorize_url"]), accept=JSON).json()["ticket"]
    for operation in ("GetItem", "UpdateItem"):
        app.sandbox.aws_server.fault("dynamodb", operation, "denied", times=3)
        invoke(app, "redeem", ticket=direct, secret=secret)
        app.sandbox.aws_server.disarm()
    invoke(app, "redeem", ticket=direct, secret=secret)
    pin = begin(app, subject="42", pin=True)
    hand_in = {"provider": app.name, "request_token": pin["request_token"], "subject": "42"}
    right = app.consent(pin["authorize_url"])
    invoke(app, "callback", **hand_in, pin="0000000")
    invoke(app, "callback", **hand_in, pin=right)
    url = f"{app.sandbox.provider}/1.1/statuses/update.json?a=%C3%A9"
    asked = {"provider": app.name, "user_id": app.user.user_id, "method": "POST", "url": url}
    header = invoke(app, "sign", **asked, form={"status": "s"})["authorization"]
    for wrong in ({"url": f"{url}#"}, {"user_id": "0"}, {"form": {"oauth_token": "t"}}):
        invoke(app, "sign", **asked | wrong)
    app.sandbox.aws_server.fault("secretsmanager", "GetSecretValue", "denied", times=3)
    invoke(app, "sign", **asked)
    app.sandbox.aws_server.disarm()
    app.fault("invalidate_token", ProviderFault.RUN_TOGETHER)
    invoke(app, "revoke", provider=app.name, user_id=app.user.user_id)
    app.fault("invalidate_token", ProviderFault.SERVER_ERROR)
    for operation in ("GetSecretValue", "DeleteSecret"):
        app.sandbox.aws_server.fault("secretsmanager", operation, "denied", times=3)
        invoke(app, "revoke", provider=app.name, user_id=app.user.user_id)
        app.sandbox.aws_server.disarm()
    invoke(app, "revoke", provider=app.name, user_id=app.user.user_id)
    app.sandbox.settle()
    app.sweep()
    signature = unquote(header.partition('oauth_signature="')[2].partition('"')[0])
    return {ticket.rpartition(".")[2], direct.rpartition(".")[2], secret, signature}


def test_no_secret_verifier_or_cookie_is_printed_at_any_level(loud: Sandbox) -> None:
    app = make_app(loud)
    browsers: list[Browser] = []
    play(app, browsers)
    others = play_the_rest(make_app(loud))
    cookies = {value.partition(".")[2] for browser in browsers for value in browser.cookies.values()}
    secrets = {*loud.provider_server.issued(), *cookies, *others}
    assert len(secrets) > 40
    assert "LOUD-AND-HEARD" in loud.logs.text
    assert "LOUD-BUT-GATED" not in loud.logs.text
    assert not leaks(loud.logs.text, secrets)


def test_a_planted_leak_is_found(tmp_path: Path) -> None:
    with loud_sandbox(tmp_path, leak=True) as sandbox:
        app = make_app(sandbox)
        browser = app.browser()
        browser.get(app.come_back(browser))
        assert leaks(sandbox.logs.text, set(sandbox.provider_server.issued(app.consumer.key)))


@pytest.mark.parametrize("prefix", ["", "a", "ab"])
def test_the_search_knows_every_form(prefix: str) -> None:
    secret = 'k/+ "é' + "x" * 20
    encoded = base64.b64encode((prefix + secret + "tail").encode()).decode()
    for text in (secret, quote(secret, safe=""), json.dumps({"a": secret}), encoded, encoded.replace("+", "-").replace("/", "_")):
        assert leaks(f"before {text} after", {secret}), text
