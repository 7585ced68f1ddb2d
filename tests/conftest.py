"""One sandbox for the whole run; each test has a provider name, an app and users of its own in it, so that they share no state."""

import secrets
from collections.abc import Iterator

import pytest

from sandbox.world import Sandbox
from tests.support.sandbox_app import PARAMETERS, QUICK, SandboxApp, make_app


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """Without the relay's stream: what is owed stays so until a test has it done."""
    with Sandbox(parameters=PARAMETERS, settings=QUICK, streams=False) as running:
        yield running


@pytest.fixture(scope="session")
def alive() -> Iterator[Sandbox]:
    """With the relay's stream, as deployed; its schedule runs when a test says so."""
    with Sandbox(parameters=PARAMETERS, settings=QUICK) as running:
        yield running


@pytest.fixture
def app(sandbox: Sandbox) -> SandboxApp:
    return make_app(sandbox)


@pytest.fixture
def unique() -> str:
    """Return a name that no other test has."""
    return f"t-{secrets.token_hex(6)}"
