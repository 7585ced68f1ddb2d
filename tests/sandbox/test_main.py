import json
import os
import signal
import socket
import time
from pathlib import Path

import boto3
import pytest
import requests

from sandbox.browser import Browser
from sandbox.provider import Visitor
from sandbox.provider.records import User
from tests.support.sandbox_process import ready, sandbox_process
from tests.support.waiting import eventually


def group(leader: int) -> list[int]:
    """Return the processes of a process group that are no zombies."""
    members = []
    for entry in Path("/proc").iterdir():
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split() if entry.name.isdigit() else []
        except (FileNotFoundError, ProcessLookupError):
            continue
        if fields and fields[0] != "Z" and int(fields[2]) == leader:
            members.append(int(entry.name))
    return members


def test_one_line_says_ready_and_sigterm_ends_everything_at_once() -> None:
    with sandbox_process() as process:
        values = ready(process)
        assert list(values) == ["api", "aws", "provider", "lambda", "table", "prefix"]
        response = requests.get(f"{values['api']}/oauth/x/start", headers={"Accept": "application/json"}, timeout=20)
        assert response.status_code == 200
        assert len(group(process.pid)) > 2
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=5)
        assert time.monotonic() - began < 1
        assert (process.returncode, output) == (0, "")
        assert group(process.pid) == []


def test_what_is_published_is_told_on_standard_error() -> None:
    with sandbox_process() as process:
        values = ready(process)
        events = boto3.client(
            "events", region_name="us-east-1", endpoint_url=values["aws"], aws_access_key_id="AKIAX", aws_secret_access_key="x"
        )
        events.put_events(Entries=[{"Source": "tests", "DetailType": "told", "Detail": '{"n": 1}'}])
        events.close()
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=5)
    (line,) = [line for line in errors.splitlines() if line.startswith("event ")]
    event = json.loads(line.removeprefix("event "))
    assert (event["bus"], event["source"], event["detail-type"], event["detail"]) == ("default", "tests", "told", {"n": 1})


def test_ctrl_c_to_the_whole_group_ends_it_cleanly() -> None:
    with sandbox_process() as process:
        values = ready(process)
        requests.get(f"{values['api']}/oauth/x/start", timeout=20)
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=5)
        assert process.returncode == 0
        assert "Traceback" not in errors
        assert group(process.pid) == []


@pytest.mark.parametrize("after", [0.2, 0.7, 1.2])
def test_a_signal_while_starting_leaves_no_process(after: float) -> None:
    with sandbox_process() as process:
        time.sleep(after)  # the moment is the subject: anywhere in the start
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=5)
        assert process.returncode in {0, -signal.SIGTERM}, errors  # the latter before Python's first line
        assert "Traceback" not in errors
        assert eventually(lambda: not group(process.pid), 0.1)


def test_no_process_survives_a_kill() -> None:
    with sandbox_process() as process:
        ready(process)
        process.kill()
        process.communicate(timeout=5)
        assert eventually(lambda: not group(process.pid))


def test_a_port_that_is_taken_is_one_line_and_exit_code_2() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with sandbox_process("--aws-port", str(port)) as process:
            output, errors = process.communicate(timeout=10)
    assert process.returncode == 2
    assert (output, errors.splitlines()) == ("", [f"sandbox: port {port} is taken by another program"])


def test_it_plays_another_provider_beside_x_and_says_where_to_sign_in() -> None:
    with sandbox_process("--provider", "flickr") as process:
        values = ready(process)
        page = requests.get(values["api"], timeout=20).text
        for way in ("/oauth/flickr/start", "/oauth/x/start", "Sign in with Flickr"):
            assert way in page
        response = requests.get(f"{values['api']}/oauth/x/start", headers={"Accept": "application/json"}, timeout=20)
        assert response.status_code == 200
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=5)
    assert f"Open {values['api']}/oauth/flickr/start and sign in" in errors
    assert "as ada, password " in errors


def test_a_provider_that_it_cannot_play_is_an_error() -> None:
    with sandbox_process("--provider", "nosuch") as process:
        _, errors = process.communicate(timeout=10)
    assert process.returncode == 2
    assert "invalid choice: 'nosuch'" in errors


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--consumer-key", "k"), "belong together"),
        (("--colour", "red"), "a colour is # and six hexadecimal digits"),
        (("--app-name", "n" * 61), "60 characters at most"),
    ],
)
def test_a_wrong_argument_is_an_error(arguments: tuple[str, ...], said: str) -> None:
    with sandbox_process(*arguments) as process:
        _, errors = process.communicate(timeout=10)
    assert process.returncode == 2
    assert said in errors


def test_a_provider_that_it_plays_can_be_signed_in_to() -> None:
    with sandbox_process("--provider", "flickr") as process:
        values = ready(process)
        browser = Browser(values["api"])
        begun = browser.start("flickr")
        visitor = Visitor(User("2244994945", "ada", "Ada", "engine-1843"))
        page = browser.get(visitor.authorize(begun.headers["location"]))
        visitor.close()
        assert (page.status_code, "@ada" in page.text) == (200, True)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=5)
