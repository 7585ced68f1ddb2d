"""Count an app's calls to AWS."""

from collections import Counter

from tests.support.sandbox_app import SandboxApp

WRITES = {"PutItem", "UpdateItem", "TransactWriteItems", "DeleteItem", "BatchWriteItem"}


def aws_calls(app: SandboxApp, since: int) -> Counter[str]:
    """Count this app's AWS calls since the log had ``since`` of them, by service and whether they write."""
    counted: Counter[str] = Counter()
    for call in app.sandbox.aws_server.calls[since:]:
        if app.name in call.resource:
            counted[f"{call.service} {'write' if call.operation in WRITES else call.operation}"] += 1
    return counted
