"""The table: whether it is there, with its indexes, its stream, the expiry of old records, and its backups."""

from collections.abc import Iterator

from tripod_cli.doctor import functions
from tripod_cli.doctor.finding import Finding, warning, wrong
from tripod_cli.stack import Stack

INDEXES = {"outbox", "connections", "refused", "subjects"}
EXPIRY = "ttl"  # the attribute


def look(stack: Stack) -> Iterator[Finding]:
    """Yield how the table is, its indexes and its stream."""
    client, name = stack.client("dynamodb"), stack.settings.table
    at = f"table {name}"
    try:
        found = client.describe_table(TableName=name)["Table"]
    except client.exceptions.ResourceNotFoundException:
        yield wrong(
            at, "there is no such table: nothing works, and who is connected is lost", "Restore it from a backup under this name"
        )
        return
    if found["TableStatus"] not in ("ACTIVE", "UPDATING"):
        encryption = found.get("SSEDescription", {}).get("InaccessibleEncryptionDateTime")
        why = ": its KMS key can't be used" if encryption else ""
        yield wrong(
            at, f"its state is {found['TableStatus']}{why}", "Make its key usable again: docs/operating.md#the-key-of-the-tokens"
        )
        return
    there = {one["IndexName"]: one["IndexStatus"] for one in found.get("GlobalSecondaryIndexes", [])}
    if missing := sorted(INDEXES - there.keys()):
        yield wrong(at, f"it has no index {', '.join(missing)}", functions.AGAIN)
    if building := sorted(index for index in INDEXES & there.keys() if there[index] != "ACTIVE"):
        yield warning(
            at, f"its index {', '.join(building)} is being built", "Look again in some minutes: until then lists are incomplete"
        )
    if not found.get("StreamSpecification", {}).get("StreamEnabled"):
        yield wrong(at, "it has no stream, which wakes the relay", functions.AGAIN)
    elif not missing and not building:
        yield Finding(at, f"{found['TableStatus'].lower()}, with {len(INDEXES)} indexes and its stream")


def expiry(stack: Stack) -> Iterator[Finding]:
    """Yield whether old authorizations are deleted."""
    name = stack.settings.table
    described = stack.client("dynamodb").describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    at = f"expiry of table {name}"
    if described.get("TimeToLiveStatus") in ("ENABLED", "ENABLING") and described.get("AttributeName", EXPIRY) == EXPIRY:
        yield Finding(at, "on")
    else:
        yield warning(at, "off: sign-ins that are long over stay in the table", functions.AGAIN)


def backups(stack: Stack) -> Iterator[Finding]:
    """Yield whether the table can be restored to any point in time."""
    name = stack.settings.table
    described = stack.client("dynamodb").describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    at = f"backups of table {name}"
    if described.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus") == "ENABLED":
        yield Finding(at, "point-in-time recovery is on")
    else:
        yield warning(at, "point-in-time recovery is off", functions.AGAIN)
