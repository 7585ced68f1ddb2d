"""The outbox: what is still owed, since when, and whether the relay works it off."""

import math
import time
from collections.abc import Callable, Iterator
from typing import Any

from tripod import names
from tripod_cli.doctor.finding import Finding, warning, wrong
from tripod_cli.output import moment
from tripod_cli.stack import Stack

LATE = 300.0  # seconds after which the relay, which looks each minute, should have tried what is due
MOST = 200  # items that are looked into, the longest due first

# Of the tokens only the consumer key is asked for: that says that there are some, and is no secret.
_ASKED = "outbox_tries, pending_event, pending_events, deletion_pending, pending_tokens.consumer_key, to_seal"


def look(stack: Stack, now: Callable[[], float] = time.time) -> Iterator[Finding]:
    """Yield how many items are in the outbox, what they owe, and the oldest of them."""
    entries, at = sorted(stack.app.table.outbox(now=math.inf), key=lambda entry: entry.due), "outbox"
    if not entries:
        yield Finding(at, "empty: nothing is owed")
        return
    items = [item for entry in entries[:MOST] if (item := _item(stack, entry.pk))]
    since = min(entry.since for entry in entries)
    which = f"of {len(items)} of them " if len(items) < len(entries) else ""
    text = f"{len(entries)} owed, the oldest since {moment(since)}: {which}{_owed(items)}"
    late = sum(entry.due < now() - LATE for entry in entries)
    failed = [item for item in items if _number(item, "outbox_tries")]
    log = f"aws logs tail /aws/lambda/{stack.prefix}-relay --since 1h"
    if late:
        yield wrong(
            at,
            f"{text}. {late} should have been tried again by now: the relay does not run",
            f"Why not, says its log: {log}",
        )
    elif failed:
        tries = max(int(_number(item, "outbox_tries")) for item in failed)
        to_do = f"Why, says the relay's log: {log} --filter-pattern '\"not relayed\"' (docs/operating.md#outboxalarm)"
        yield warning(at, f"{text}. {len(failed)} failed before, up to {tries} times", to_do)
    else:
        yield Finding(at, f"{text}. None has failed")


def _item(stack: Stack, pk: str) -> dict[str, Any]:
    """Return what an item owes, without its tokens; empty where it has gone meanwhile."""
    asked = {"TableName": stack.settings.table, "Key": {"pk": {"S": pk}}, "ProjectionExpression": f"pk, {_ASKED}"}
    return dict(stack.client("dynamodb").get_item(**asked).get("Item", {}))


def _owed(items: list[dict[str, Any]]) -> str:
    counts = {
        "with tokens to store": sum("pending_tokens" in item or "to_seal" in item for item in items),
        "with an event to publish": sum("pending_event" in item or "pending_events" in item for item in items),
        "with a secret to delete": sum("deletion_pending" in item for item in items),
    }
    told = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    of = "connections" if all(item["pk"]["S"].startswith(names.CONNECTION) for item in items) else "sign-ins"
    return told or f"of {of}"


def _number(item: dict[str, Any], name: str) -> float:
    return float(item.get(name, {}).get("N", 0))
