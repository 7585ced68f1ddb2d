"""The events of ``events/``, as ``sam local invoke -e`` sends them: each gets a complete answer."""

import json
from pathlib import Path

import pytest

from sandbox.world import Sandbox
from tests.support.example_events import EVENTS, complete_answer


@pytest.mark.parametrize("path", EVENTS, ids=lambda path: path.stem)
def test_an_example_event_gets_a_complete_answer(sandbox: Sandbox, path: Path) -> None:
    complete_answer(sandbox, path)


def test_every_route_of_the_template_has_an_event(sandbox: Sandbox) -> None:
    routes = {route.key for function in sandbox.template.functions() for route in function.routes}
    assert routes == {json.loads(path.read_text()).get("routeKey") for path in EVENTS} - {None}
