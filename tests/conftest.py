"""One sandbox for the whole run; each test has a provider name, an app and users of its own in it, so that they share no state."""

import secrets
from collections.abc import Iterator

import pytest

from sandbox.world import Sandbox
from tests.support.checks import with_identity
from tests.support.harness import Harness
from tests.support.reading import grant, reading
from tests.support.sandbox_app import PARAMETERS, QUICK, SandboxApp, empty, make_app
from tripod import process


@pytest.fixture(scope="session")
def shared() -> list[Sandbox]:
    """The sandboxes of the whole run, once a test has wanted them."""
    return []


@pytest.fixture(scope="module", autouse=True)
def _emptied(shared: list[Sandbox]) -> Iterator[None]:
    """Empty the tables when a module is done with: moto goes through all items at each look into the outbox, and the relay through what is owed."""
    yield
    for sandbox in shared:
        empty(sandbox)


@pytest.fixture(scope="session")
def sandbox(shared: list[Sandbox]) -> Iterator[Sandbox]:
    """Without the relay's stream: what is owed stays so until a test has it done."""
    with Sandbox(parameters=PARAMETERS, settings=QUICK, streams=False) as running:
        shared.append(running)
        yield running


@pytest.fixture(scope="session")
def alive(shared: list[Sandbox]) -> Iterator[Sandbox]:
    """With the relay's stream, as deployed; its schedule runs when a test says so."""
    with Sandbox(parameters=PARAMETERS, settings=QUICK) as running:
        shared.append(running)
        yield running


@pytest.fixture
def app(sandbox: Sandbox) -> SandboxApp:
    return make_app(sandbox)


@pytest.fixture
def unique() -> str:
    """Return a name that no other test has."""
    return f"t-{secrets.token_hex(6)}"


@pytest.fixture
def harness(app: SandboxApp) -> Harness:
    return Harness(app)


@pytest.fixture
def granted(app: SandboxApp) -> Iterator[SandboxApp]:
    """Return an app whose user is connected, and read in this process."""
    grant(app)
    with reading(app.sandbox):
        yield app


@pytest.fixture
def checked(app: SandboxApp) -> Iterator[SandboxApp]:
    """Return the same at a provider that says whose a token is."""
    grant(with_identity(app))
    with reading(app.sandbox), pytest.MonkeyPatch.context() as patch:
        patch.setattr(process, "_QUICK_TIMEOUT", 10)  # a busy machine's Lambda answers late, and a report would be given up
        yield app
