"""The stack's alarms: which ring, and whether they tell anybody."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tripod_cli.doctor import functions
from tripod_cli.doctor.finding import Finding, warning, wrong
from tripod_cli.output import moment
from tripod_cli.stack import Stack


def look(stack: Stack) -> Iterator[Finding]:
    """Yield each alarm that rings, and whether all of them have somebody to tell.

    An alarm's name begins with the CloudFormation stack's, which may be any: the stack's are known by what they watch.
    """
    pages = stack.client("cloudwatch").get_paginator("describe_alarms").paginate(AlarmTypes=["MetricAlarm"])
    found = [one for page in pages for one in page["MetricAlarms"] if _watches(one, stack.prefix)]
    if not found:
        yield warning("alarms", "there is none that watches this stack", functions.AGAIN)
        return
    ringing = [one for one in found if one["StateValue"] == "ALARM"]
    for one in ringing:
        yield _rings(one)
    if not ringing:
        yield Finding("alarms", f"{len(found)} watch this stack, and none rings")
    mute = [one["AlarmName"] for one in found if not one.get("AlarmActions") or not one.get("ActionsEnabled", True)]
    if mute:
        which = f"all {len(found)}" if len(mute) == len(found) else ", ".join(mute)
        to_do = "Set the stack's parameter AlarmTopicArn, and deploy: docs/parameters.md"
        yield warning("whom alarms tell", f"nobody: {which} ring in CloudWatch only", to_do)
    else:
        told = sorted({topic.rpartition(":")[2] for one in found for topic in one["AlarmActions"]})
        yield Finding("whom alarms tell", ", ".join(told))


def _rings(one: Mapping[str, Any]) -> Finding:
    description = one.get("AlarmDescription") or ""
    runbook = re.search(r"docs/operating\.md#[a-z0-9-]+", description)
    since = one.get("StateTransitionedTimestamp") or one["StateUpdatedTimestamp"]
    means, _, mend = re.sub(r" \(docs/[^)]*\)$", "", description).partition(". ")
    to_do = f"{mend or 'See what it watches'} ({runbook[0] if runbook else 'docs/operating.md#watch'})"
    return wrong(f"alarm {one['AlarmName']}", f"it rings since {moment(since.timestamp())}. {means}", to_do)


def _watches(one: Mapping[str, Any], prefix: str) -> bool:
    """Return True if one of an alarm's metrics is this stack's: in its namespace, or of its functions or queue."""
    watched = json.dumps([one.get("Namespace"), one.get("Dimensions"), one.get("Metrics")], default=str)
    names = [f"{prefix}-{name}" for name in (*functions.NAMES, "dead-letters")]
    return any(f'"{name}"' in watched for name in (f"Tripod/{prefix}", *names))
