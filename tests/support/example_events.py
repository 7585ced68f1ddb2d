"""The events of ``events/``, and what each is answered with."""

import json
from pathlib import Path

from sandbox.repository import TEMPLATE
from sandbox.world import Sandbox

EVENTS = sorted((TEMPLATE.parent / "events").glob("*.json"))

STATUSES = {
    "start-browser": {302},
    "start-json": {200},
    "start-sign-in": {302},
    "start-return-to": {400},  # the sandbox's allow-list has another entry
    "start-bad-request": {400},
    "callback-granted": {404},  # no authorization of this made-up token was begun
    "callback-granted-json": {404},
    "callback-denied": {404},
    "callback-wrong-browser": {404},
    "callback-bad-request": {400},
    "callback-pin": {404},
    "callback-pin-page": {404},
    "callback-pin-form": {404},
    "start-direct": {400},  # return_to, as above
    "start-direct-pin": {200},
    "redeem": {403},
    "sign": {400},  # the sandbox's provider is not at this host
    "revoke-route": {404},
    "revoke-direct": {404},
    "check": {404},
}


def complete_answer(sandbox: Sandbox, path: Path) -> None:
    """Send an event to its function, and assert what comes back."""
    function = f"{sandbox.prefix}-{path.stem.partition('-')[0]}"
    if alias := "routeKey" in json.loads(path.read_text()) and sandbox.functions.function(function).alias:
        function = f"{function}:{alias}"  # as API Gateway invokes it
    answer = sandbox.client("lambda").invoke(FunctionName=function, Payload=path.read_bytes())
    told = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, told
    if function.endswith("-relay"):
        assert told is None
        return
    if "statusCode" in told:
        assert set(told) == {"statusCode", "headers", "cookies", "body"}
    assert told.get("statusCode", told.get("status", 200)) in STATUSES[path.stem]
