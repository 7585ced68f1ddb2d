"""What `make build` has built, in Lambda's own runtime."""

from collections.abc import Iterator

import pytest

from sandbox.world import Sandbox
from tests.support.sandbox_app import PARAMETERS, QUICK


@pytest.fixture(scope="package")
def built() -> Iterator[Sandbox]:
    """With the relay's stream, as deployed."""
    with Sandbox(parameters=PARAMETERS, settings=QUICK, built=True) as running:
        yield running
