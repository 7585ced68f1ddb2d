"""The built functions in AWS's Runtime Interface Emulator: the whole flow on exactly what would be uploaded."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.aws.credentials import ACCESS_KEY, SECRET_KEY
from sandbox.browser import JSON, Browser
from sandbox.provider.state import USERS
from sandbox.provider.visitor import Visitor
from sandbox.repository import BUILT, ROOT
from sandbox.runtime import emulator
from sandbox.runtime.emulator import NotBuiltError, built_template
from sandbox.runtime.functions import Functions
from sandbox.runtime.logs import Logs
from sandbox.template.intrinsics import REGION
from sandbox.template.template import Function
from sandbox.world import Sandbox
from tests.support.catalogue_app import make_catalogue_app
from tests.support.direct import begin, invoke, new_pair
from tests.support.example_events import EVENTS, complete_answer
from tests.support.sandbox_app import SandboxApp, make_app
from tests.support.sandbox_process import ready, sandbox_process
from tests.support.waiting import eventually

PROBE = """
import os, sys, time
def handler(event, context):
    import boto3
    print("printed")
    if "sleep" in event: time.sleep(event["sleep"])
    if "end" in event: os._exit(event["end"])
    if "fail" in event: raise ValueError("failed as asked")
    return {"path": sys.path, "environment": dict(os.environ), "boto3": boto3.__file__, "prefix": sys.prefix}
"""


@pytest.fixture
def app(built: Sandbox) -> SandboxApp:
    return make_app(built)


def test_a_whole_sign_in_is_stored_told_and_revoked(app: SandboxApp) -> None:
    secret, challenge = new_pair(app.name)
    browser = app.browser()
    told = browser.get(app.come_back(browser, challenge=challenge), accept=JSON).json()
    assert (told["outcome"], told["user_id"]) == ("granted", app.user.user_id)
    stored = app.stored()
    assert stored is not None
    assert stored["screen_name"] == app.user.screen_name
    assert invoke(app, "redeem", ticket=told["ticket"], secret=secret)["user_id"] == app.user.user_id
    denied = browser.get(app.come_back(browser, cancel=True), accept=JSON)
    assert denied.json()["code"] == "denied"
    assert invoke(app, "revoke", provider=app.name, user_id=app.user.user_id)["invalidated"] is True
    app.sandbox.settle()
    assert sorted(app.told()) == ["authorization.denied", "authorization.granted", "connection.revoked"]


def test_tokens_are_sealed_and_the_provider_asked_about_them(built: Sandbox) -> None:
    app = make_app(built, secret={"store": "table"})
    browser = app.browser()
    assert browser.get(app.come_back(browser), accept=JSON).json()["outcome"] == "granted"
    assert "sealed_tokens" in (app.connection() or {})
    assert invoke(app, "revoke", provider=app.name, user_id=app.user.user_id)["invalidated"] is True
    assert "sealed_tokens" not in (app.connection() or {})


@pytest.mark.parametrize("play", ["wikimedia", "launchpad", "netsuite"])  # a JWT; a form, without a verifier; HMAC-SHA256
def test_a_provider_of_the_catalogue_is_served(built: Sandbox, play: str) -> None:
    app = make_catalogue_app(built, play)
    browser = app.browser()
    assert browser.get(app.come_back(browser), accept=JSON).json()["user_id"] == app.user_id


def test_a_page_and_a_pin_and_a_direct_authorization(app: SandboxApp) -> None:
    browser = app.browser(language="de")
    page = browser.get(app.come_back(browser))
    assert (page.headers["content-type"], page.headers["content-language"]) == ("text/html; charset=utf-8", "de")
    assert "Konto verbunden" in page.text
    secret, challenge = new_pair(app.name)
    begun = begin(app, challenge=challenge, subject="42")
    ticket = app.browser().get(app.consent(begun["authorize_url"]), accept=JSON).json()["ticket"]
    assert invoke(app, "redeem", ticket=ticket, secret=secret)["subject"] == "42"


def test_what_is_owed_is_stored_by_the_sweep(app: SandboxApp) -> None:
    app.sandbox.aws_server.fault("secretsmanager", "CreateSecret", "denied", times=1)
    browser = app.browser()
    with app.sandbox.streams_lost():
        assert browser.get(app.come_back(browser), accept=JSON).json()["outcome"] == "granted"
    assert app.stored() is None
    app.sweep()
    assert app.stored() is not None


@pytest.mark.parametrize("path", EVENTS, ids=lambda path: path.stem)
def test_an_example_event_gets_a_complete_answer(built: Sandbox, path: Path) -> None:
    complete_answer(built, path)


def test_the_posting_example_runs_with_the_public_layer_alone(built: Sandbox) -> None:
    secret = json.loads(built.client("secretsmanager").get_secret_value(SecretId=f"{built.prefix}/consumer/x")["SecretString"])
    server = built.provider_server
    x = SandboxApp(built, "x", server.consumer(secret["consumer_key"]), server.add_user())
    browser = x.browser()
    browser.get(x.come_back(browser))
    told = run("post", built, {"user_id": x.user.user_id, "text": "héllo & + world"}, X_API=built.provider)
    assert told == {"screen_name": x.user.screen_name, "posted": 201}


def function(folder: Path, *, layers: tuple[Path, ...] = (), timeout: float = 3, **environment: str) -> Function:
    arn = f"arn:aws:lambda:{REGION}:123456789012:function:probe"
    return Function("Probe", "probe", arn, folder, "handler.handler", timeout, 512, environment, layers, (), (), "", {})


def run(example: str, world: Sandbox, event: dict[str, Any], **environment: str) -> dict[str, Any]:
    """Run an example under the emulator, with the public layer beside it and nothing else."""
    functions = Functions(Logs(), emulated=True)
    described = function(ROOT / "examples" / example / "function", layers=(BUILT / "TripodLayer",), timeout=20, **environment)
    settings = {
        "TRIPOD_PREFIX": world.prefix,
        "TRIPOD_LOOPBACK_HTTP": "true",
        "AWS_ENDPOINT_URL": world.aws,
        "AWS_ENDPOINT_URL_LAMBDA": world.lambda_,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_SESSION_TOKEN": "of-the-example",
    }
    functions.add([described], settings)
    try:
        outcome = functions.invoke("probe", event)
    finally:
        functions.stop()
    assert outcome.error is None, outcome.payload
    return dict(outcome.payload)


@pytest.fixture
def probe(tmp_path: Path) -> Iterator[Functions]:
    (tmp_path / "handler.py").write_text(PROBE)
    functions = Functions(Logs(), emulated=True)
    functions.add([function(tmp_path, layers=(BUILT / "TripodLayer",), timeout=5, COLOUR="green")], {})
    yield functions
    functions.stop()


def test_a_function_sees_its_layers_and_lambdas_runtime_and_nothing_installed_here(probe: Functions, tmp_path: Path) -> None:
    seen = probe.invoke("probe", {}).payload
    places = [place for place in seen["path"] if not place.startswith(f"{seen['prefix']}/lib/python3")]
    standard = {f"{seen['prefix']}/lib/{name}" for name in ("python3.13", "python313.zip", "python3.13/lib-dynload")}
    ours = [str(tmp_path), str(BUILT / "TripodLayer/python"), str(emulator.RUNTIME)]
    assert [place for place in places if place in ours][-3:] == ours
    assert {place for place in seen["path"] if place not in ours} <= standard | {""}
    assert seen["boto3"].startswith(str(emulator.RUNTIME))
    assert not [value for value in seen["environment"].values() if ".venv" in value]
    rest = {name for name in seen["environment"] if not name.startswith(("AWS_", "LAMBDA_", "_HANDLER"))}
    assert rest <= {"COLOUR", "HOME", "LANG", "PATH", "TZ", "PYTHONPATH", "PWD", "SHLVL", "_", "OLDPWD"}


def test_failures_are_told_as_lambda_tells_them(probe: Functions) -> None:
    failed = probe.invoke("probe", {"fail": True})
    assert (failed.error, failed.payload["errorType"], failed.payload["errorMessage"]) == (
        "Unhandled",
        "ValueError",
        "failed as asked",
    )
    assert "printed" in failed.log
    assert probe.invoke("probe", {"end": 3}).payload["errorType"] == "Runtime.ExitError"
    assert probe.invoke("probe", {"sleep": 30}).timed_out
    assert probe.invoke("probe", {}).error is None


def test_without_a_build_one_line_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(emulator, "ROOT", tmp_path)
    monkeypatch.setattr(emulator, "BUILT", tmp_path / "nowhere")
    with pytest.raises(NotBuiltError, match=r"template.yaml is missing: run `make build` first"):
        built_template()


def emulators(url: str) -> list[str]:
    """Return the command lines of the living emulators that were told of an AWS endpoint."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit() and url in (process / "environ").read_text():
                found.append((process / "cmdline").read_text())
        except OSError:
            continue
    return [line for line in found if "lambda-rie" in line or "awslambdaric" in line]


@pytest.mark.parametrize("kill", [False, True], ids=["asked to end", "killed"])
def test_the_command_serves_a_sign_in_and_leaves_no_process(kill: bool) -> None:
    with sandbox_process("--built") as process:
        values = ready(process)
        with_user = Browser(values["api"])
        begun = with_user.get(f"{values['api']}/oauth/x/start")
        visitor = Visitor(USERS[0])
        ended = with_user.get(visitor.authorize(begun.headers["location"]), accept=JSON)
        visitor.close()
        assert ended.json()["outcome"] == "granted"
        assert emulators(values["aws"])
        process.kill() if kill else process.terminate()
        process.communicate(timeout=10)
    assert eventually(lambda: not emulators(values["aws"]))


def test_the_interpreter_is_lambdas() -> None:
    version = subprocess.run([emulator.python(), "--version"], capture_output=True, text=True, check=True).stdout
    assert version.startswith("Python 3.13"), sys.version
