"""docs/tutorial.md, done as it says: its files, in processes of their own, which reach the sandbox by what `make serve` prints."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest
import requests

from sandbox.browser import Browser
from sandbox.loopback import free_port
from sandbox.provider.state import USERS
from sandbox.provider.visitor import Visitor
from sandbox.repository import ROOT
from tests.support.sandbox_process import ready, sandbox_process
from tests.support.waiting import eventually

PAGE = (ROOT / "docs" / "tutorial.md").read_text()
FILES = dict(re.findall(r"^Save this as `(\w+\.py)`.*?^```python\n(.*?)^```$", PAGE, re.M | re.S))
ADA, GRACE, KATHERINE = USERS

Environment = dict[str, str]


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run the sandbox, and return what it says on standard error."""
    folder = tmp_path_factory.mktemp("sandbox")
    with (folder / "printed").open("w+") as errors, sandbox_process(stderr=errors) as process:
        ready(process)
        assert eventually(lambda: "Ctrl-C" in (folder / "printed").read_text())
        yield (folder / "printed").read_text()
        process.terminate()
        process.communicate(timeout=5)


@pytest.fixture(scope="module")
def terminal(printed: str) -> Environment:
    """Return the environment of a terminal in which the printed lines were pasted."""
    lines = "\n".join(line for line in printed.splitlines() if line.startswith(("unset ", "export ")))
    before = {"PATH": os.environ["PATH"], "AWS_PROFILE": "nobody", "AWS_SESSION_TOKEN": "old"}
    told = subprocess.run(["sh", "-c", f"{lines}\nenv -0"], env=before, capture_output=True, text=True, check=True).stdout
    return dict(line.split("=", 1) for line in told.split("\0") if line)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tutorial")
    for name, code in FILES.items():
        (folder / name).write_text(code)
    return folder


@pytest.fixture(scope="module")
def flask(folder: Path, terminal: Environment) -> Iterator[str]:
    """Run app.py as the page says, on a free port, and return its address."""
    port = free_port()
    command = [sys.executable, "-m", "flask", "run", "--port", str(port)]
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(command, cwd=folder, env=terminal, stdout=log, stderr=subprocess.STDOUT) as process,
    ):
        assert eventually(lambda: f":{port}" in (folder / "log").read_text() or process.poll() is not None, 30)
        yield f"http://127.0.0.1:{port}"
        process.terminate()


def authorize(user: object, url: str) -> str:
    visitor = Visitor(user)  # type: ignore[arg-type]
    try:
        return visitor.authorize(url)
    finally:
        visitor.close()


def sign_in(flask: str, terminal: Environment) -> requests.Session:
    """Sign in to the app as grace, and return her browser."""
    profile, tripod = requests.Session(), Browser(terminal["TRIPOD_URL"])
    begun = profile.get(f"{flask}/sign-in", allow_redirects=False, timeout=20).headers["location"]
    callback = authorize(GRACE, tripod.get(begun).headers["location"])
    back = tripod.get(callback).headers["location"]
    assert back.startswith(f"{flask}/done?outcome=granted")
    assert "Not signed in" in requests.get(back, timeout=20).text  # in another's browser
    assert "Hello Grace Hopper" in profile.get(back, timeout=20).text
    return profile


def press(terminal: Environment, *about: str) -> None:
    """Press the one button of the sandbox's page whose form has all these values."""
    page = requests.get(terminal["TRIPOD_URL"], timeout=20).text
    forms = [dict(re.findall(r'name="(\w+)" value="([^"]*)"', form)) for form in re.findall("<form.*?</form>", page)]
    (fields,) = (form for form in forms if set(about) <= set(form.values()))
    assert requests.post(terminal["TRIPOD_URL"], fields, timeout=20).ok


AWS = """
import boto3, json, os
boto3.client("sts").get_caller_identity()
table = boto3.client("ssm").get_parameter(Name="/tripod/table")["Parameter"]["Value"]
boto3.client("dynamodb").describe_table(TableName=table)
boto3.client("kms").list_keys()
boto3.client("secretsmanager").describe_secret(SecretId="tripod/consumer/x")
functions = boto3.client("lambda")
for function, event in (("redeem", {"ticket": "t", "secret": "s"}), ("revoke", {"provider": "x", "user_id": "1"})):
    print(json.load(functions.invoke(FunctionName="tripod-" + function, Payload=json.dumps(event))["Payload"])["code"])
from tripod import app_session
with app_session("x") as app:
    print(app.get(os.environ["X_API"] + "/1.1/application/rate_limit_status.json", timeout=5).status_code)
"""


def test_another_process_reaches_every_service_and_function(terminal: Environment) -> None:
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN"} & terminal.keys()
    said = subprocess.run([sys.executable, "-c", AWS], env=terminal, capture_output=True, text=True, timeout=60, check=False)
    assert (said.stdout.split(), said.stderr) == (["ticket_rejected", "token_not_found", "200"], "")


def test_the_script_connects_a_user_by_pin_and_asks_x_who_they_are(folder: Path, terminal: Environment) -> None:
    command = [sys.executable, "-u", "me.py"]
    with subprocess.Popen(
        command, cwd=folder, env=terminal, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as script:
        url = _last_line(script.stdout)
        said, errors = script.communicate(f"{authorize(ADA, url)}\n", timeout=30)
    assert (script.returncode, errors) == (0, "")
    shown = "{'id': '2244994945', 'name': 'Ada Lovelace', 'username': 'ada'}"
    assert said.removeprefix("PIN: ").strip() == shown
    assert shown in PAGE


def test_the_script_says_why_it_can_not(folder: Path, terminal: Environment) -> None:
    said = subprocess.run(
        [sys.executable, "me.py"],
        cwd=folder,
        env=terminal,
        input="0000000\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert said.returncode == 1
    assert "Traceback" not in said.stderr
    assert said.stderr.strip()


def test_the_app_signs_in_and_notices_what_the_pages_buttons_do(flask: str, terminal: Environment) -> None:
    assert "Sign in with X" in requests.get(flask, timeout=20).text
    profile = sign_in(flask, terminal)
    press(terminal, "revoke", GRACE.user_id)
    assert "X no longer lets us in" in profile.get(flask, timeout=20).text
    profile = sign_in(flask, terminal)
    press(terminal, "disconnect", GRACE.user_id)
    assert "You are no longer connected" in profile.get(flask, timeout=20).text


@pytest.mark.parametrize("where", ["in a terminal of its own", "in the sandbox's"])
def test_the_apps_unit_test_passes_without_the_sandbox(folder: Path, terminal: Environment, where: str) -> None:
    env = terminal if where == "in the sandbox's" else {"PATH": os.environ["PATH"]}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_app.py"]
    said = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert said.returncode == 0, said.stdout
    assert re.search(r"^\d+ passed", said.stdout, re.M)


def test_the_page_shows_what_the_sandbox_prints(printed: str, terminal: Environment) -> None:
    address = terminal["TRIPOD_URL"]
    assert f"Open {address}/ and sign in" in printed
    for line in re.findall(r"^(?:  as .*|A script .*|unset .*)$", PAGE, re.M):
        assert line in printed
    for user in (ADA, GRACE):
        assert user.password in PAGE
    (pinned,) = re.findall(r"Flask==[0-9.]+", PAGE)
    assert pinned in (ROOT / "requirements-dev.txt").read_text()


def _last_line(output: IO[str] | None) -> str:
    assert output is not None
    output.readline()
    return output.readline().strip()
