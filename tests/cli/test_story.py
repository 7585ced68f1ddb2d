"""docs/first-day.md, done as it says: a newcomer's first day, by the commands alone, in one sandbox."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from sandbox.__main__ import PARAMETERS
from sandbox.browser import Browser
from sandbox.provider.state import USERS
from sandbox.provider.visitor import Visitor
from sandbox.repository import ROOT
from sandbox.world import Sandbox
from tests.support.command import tripod

PAGE = (ROOT / "docs" / "first-day.md").read_text()
COMMANDS = (ROOT / "docs" / "command.md").read_text()
ADA = USERS[0]
WIDTH = "120"

# What differs from one day to the next.
DIFFERENT = {
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ": "2026-11-27T09:00:00Z",
    r"http://127\.0\.0\.1:\d+": "http://127.0.0.1:8765",
    r"http://localhost:\d+": "http://localhost:8767",
    r"…\w{4}": "…ab12",
    r"[\w+/]{15}=": "AJCbQj3MohcH2DU=",
    r"\b\d{12}\b": "123456789012",
    r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b": "1b2c3d4e-1111-2222-3333-444455556666",
    r"at localhost:\d+": "at localhost:8767",
    r"^\d+ findings": "27 findings",
    r" +$": "",
}


IAM_NAMES = {"monitoring": "cloudwatch"}  # where it is not the one that requests are signed for
NEEDS_NOTHING = {"sts:GetCallerIdentity"}


@dataclass
class Told:
    """The page's commands, each with what it shows, in their order; those that were run are gone."""

    sandbox: Sandbox
    left: list[tuple[str, str]] = field(default_factory=lambda: steps(PAGE))
    shown: str = ""

    def run(self, command: str, *, typed: str = "", exit_code: int = 0) -> None:
        """Run the page's next command, which is this one, and see that it shows what the page says."""
        (told, expected), begun = self.left.pop(0), len(self.sandbox.aws_server.calls)
        assert told == command
        ran = tripod(self.sandbox, *shlex.split(command)[1:], typed=typed, terminal=True, environ={"COLUMNS": WIDTH})
        assert is_shown(same(expected), same(ran.shown)), ran.shown
        assert ran.exit_code == exit_code
        self.shown += ran.shown
        called = {
            f"{IAM_NAMES.get(call.service, call.service)}:{call.operation}"
            for call in self.sandbox.aws_server.calls[begun:]
            if not call.caller
        }
        assert called <= allowed(command), "docs/command.md says what a command needs"


def steps(page: str) -> list[tuple[str, str]]:
    """Return the commands of a page that are tripod's, and what each shows."""
    blocks = re.findall(r"^```console\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    told = [step.split("\n", 1) for block in blocks for step in re.split(r"^\$ ", block, flags=re.MULTILINE) if step]
    return [(command, shown) for command, shown in told if command.startswith("tripod ")]


def same(text: str) -> str:
    """Return a text without what differs from one day to the next."""
    for pattern, instead in DIFFERENT.items():
        text = re.sub(pattern, instead, text, flags=re.MULTILINE)
    return text


def is_shown(expected: str, shown: str) -> bool:
    """Return whether a text is as expected, in which a line of three dots stands for any lines."""
    parts = [re.escape(part) for part in re.split(r"^…\n", expected, flags=re.MULTILINE)]
    return re.fullmatch("(?:.*\n)*?".join(parts), shown) is not None


def allowed(command: str) -> set[str]:
    """Return the actions that docs/command.md names for a command: in the table, or in the policy of its section."""
    section, table = COMMANDS.partition("## What must my credentials allow?")[::2]
    rows = re.findall(r"^\| (?:`([a-z ]+)`)? ?\| (.*?) \|", table, re.MULTILINE)
    name = ""
    found: dict[str, set[str]] = {}
    for named, actions in rows:
        name = named or name
        found[name] = found.get(name, set()) | set(re.findall(r"`(\w+:\w+)`", actions))
    name = next(name for name in found if command.startswith(f"tripod {name}"))
    policy = section.partition(f"## {name}\n")[2].partition("\n## ")[0]
    return found[name] | set(re.findall(r'"(\w+:\w+)"', policy)) | NEEDS_NOTHING


@pytest.fixture(scope="module")
def told() -> Iterator[Told]:
    with Sandbox(parameters=PARAMETERS) as sandbox:
        yield Told(sandbox)


def sign_in(sandbox: Sandbox) -> str:
    """Sign in as ada, in a browser, and return the last page."""
    browser, ada = Browser(sandbox.api), Visitor(ADA)
    try:
        begun = browser.start()
        return browser.get(ada.authorize(begun.headers["location"])).text if begun.status_code == 302 else begun.text
    finally:
        ada.close()


def test_a_newcomers_first_day(told: Told) -> None:
    app = told.sandbox.app
    assert app is not None
    told.run("tripod consumer set x", typed=f"{app.key}\nmistyped\n")
    assert "X refused this app" in sign_in(told.sandbox)
    told.run("tripod failures --since 1h")
    told.run("tripod doctor", exit_code=1)
    told.run("tripod consumer set x", typed=f"{app.key}\n{app.secret}\n")
    told.run("tripod doctor")
    told.run("tripod consumer show x")
    assert "You are connected" in sign_in(told.sandbox)
    told.sandbox.settle()
    told.run("tripod users x")
    told.run(f"tripod show x {ADA.user_id}")
    told.run(f"tripod check x {ADA.user_id}")
    told.run(f"tripod disconnect x {ADA.user_id}", typed="y\n")
    told.sandbox.settle()
    told.run("tripod users x")
    assert told.left == []
    assert app.key not in told.shown
    assert app.secret not in told.shown
    assert ADA.password in PAGE
