"""What several modules of the flows' tests begin with."""

from collections.abc import Iterator

import pytest

from tests.support.checks import with_identity
from tests.support.harness import Harness
from tests.support.reading import grant, reading
from tests.support.sandbox_app import SandboxApp


@pytest.fixture
def harness(app: SandboxApp) -> Harness:
    return Harness(app)


@pytest.fixture
def granted(app: SandboxApp) -> Iterator[SandboxApp]:
    grant(app)
    with reading(app.sandbox):
        yield app


@pytest.fixture
def checked(app: SandboxApp) -> Iterator[SandboxApp]:
    grant(with_identity(app))
    with reading(app.sandbox):
        yield app
