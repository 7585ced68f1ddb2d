"""The KMS keys that the stack uses: one that is disabled takes what it encrypts with it."""

from collections.abc import Iterator

from tripod_cli.doctor.finding import Finding, warning, wrong
from tripod_cli.stack import Stack

RUNBOOK = "docs/operating.md#the-key-of-the-tokens"


def look(stack: Stack) -> Iterator[Finding]:
    """Yield the state of each key that the functions' settings name."""
    settings = stack.settings
    keys = list(dict.fromkeys(filter(None, (settings.token_key, settings.kms_key))))
    if not keys:
        yield Finding("KMS key", "none of its own: AWS's keys encrypt the table and the secrets")
    for key in keys:
        yield from _look_at(stack, key)


def rotation(stack: Stack) -> Iterator[Finding]:
    """Yield whether KMS rotates the key that seals tokens."""
    key = stack.settings.token_key
    if not key:
        return
    client = stack.client("kms")
    try:
        is_rotated = client.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"]
    except (client.exceptions.KMSInvalidStateException, client.exceptions.NotFoundException):
        return  # its state was said
    except client.exceptions.UnsupportedOperationException:  # imported material, which nobody can rotate
        return
    at = f"rotation of KMS key {_id(key)}"
    if is_rotated:
        yield Finding(at, "on")
    else:
        yield warning(at, "off", f"aws kms enable-key-rotation --key-id {_id(key)}")


def _look_at(stack: Stack, key: str) -> Iterator[Finding]:
    client, at = stack.client("kms"), f"KMS key {_id(key)}"
    try:
        found = client.describe_key(KeyId=key)["KeyMetadata"]
    except client.exceptions.NotFoundException:
        yield wrong(at, "there is no such key any more: what it sealed is lost", f"Its users must sign in again: {RUNBOOK}")
        return
    state = found["KeyState"]
    if state == "Enabled":
        yield Finding(at, "enabled")
    elif state == "Disabled":
        yield wrong(at, "disabled: nothing that it encrypts can be read or stored", f"aws kms enable-key --key-id {_id(key)}")
    elif state == "PendingDeletion":
        ends = f"{found['DeletionDate']:%Y-%m-%d}" if "DeletionDate" in found else "soon"
        text = f"its deletion is scheduled for {ends}: what it sealed is lost then"
        yield wrong(at, text, f"aws kms cancel-key-deletion --key-id {_id(key)}, then aws kms enable-key --key-id {_id(key)}")
    else:
        yield wrong(at, f"its state is {state}", RUNBOOK)


def _id(key: str) -> str:
    return key.rpartition("/")[2]
