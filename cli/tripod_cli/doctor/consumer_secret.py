"""A consumer secret: whether it is there, can be read, says what it should, and whether the functions can use it too."""

import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from tripod import names
from tripod.secret_reader import LIFETIME
from tripod_cli import failure
from tripod_cli.consumer_secrets import ConsumerSecrets
from tripod_cli.doctor import pasted
from tripod_cli.doctor.finding import Finding, warning, wrong
from tripod_cli.stack import Stack
from tripod_flow.rules.errors import NotConfigured, UnknownProvider

_PLACES = {
    "secrets-manager": "Secrets Manager",
    "table": "the table",
    "moving": "Secrets Manager, while they are moved",
    "none": "no place (sign-in only)",
}
FORM = "docs/providers.md says what belongs into it"


def providers(stack: Stack) -> list[str]:
    """Return the providers of which there is a consumer secret, deleted ones too, and names that no provider can have."""
    return [kept.provider for kept in ConsumerSecrets(stack).named()]


def none(stack: Stack) -> Finding:
    """Return the finding of a stack without a consumer secret."""
    to_do = "Set the app's consumer key and secret: tripod consumer set x (README.md#deploy-to-aws)"
    return wrong("consumer secrets", f"there is none below {names.consumer_secret(stack.prefix, '')}", to_do)


def look(stack: Stack, provider: str, now: Callable[[], float] = time.time) -> Iterator[Finding]:
    """Yield how the consumer secret of ``provider`` is."""
    client, name = stack.client("secretsmanager"), names.consumer_secret(stack.prefix, provider)
    at = f"consumer secret {name}"
    if not names.is_provider(provider):
        yield wrong(at, "no provider can have this name", "Name it in lower-case letters, digits and hyphens, 32 at most")
        return
    try:
        described = client.describe_secret(SecretId=name)
    except client.exceptions.ResourceNotFoundException:
        yield wrong(
            at,
            "there is no such secret",
            f"Set the app's consumer key and secret: tripod consumer set {provider}. Or correct --provider",
        )
        return
    if "DeletedDate" in described:
        yield wrong(at, "it is scheduled for deletion", f"aws secretsmanager restore-secret --secret-id {name}")
        return
    yield from _key(stack, at, described)
    try:
        value = client.get_secret_value(SecretId=name)
    except client.exceptions.ResourceNotFoundException:
        yield wrong(at, "it has no value", f"Put the app's consumer key and secret into it: tripod consumer set {provider}")
        return
    except ClientError as error:
        if failure.is_denied(error):
            raise
        code = error.response["Error"]["Code"]
        yield wrong(at, f"it can't be decrypted ({code})", "Is its KMS key enabled? aws kms describe-key says so")
        return
    yield from _content(stack, at, provider, value)
    changed = described.get("LastChangedDate")
    if changed and now() - changed.timestamp() < LIFETIME:
        yield Finding(at, "changed just now: the functions use what is new within five minutes")


def _key(stack: Stack, at: str, described: dict[str, Any]) -> Iterator[Finding]:
    """Yield a finding where the secret is under a key that the functions may not use."""
    key, ours = described.get("KmsKeyId", ""), stack.settings.kms_key
    if not key or "alias/aws/" in key or key in (ours, ours.rpartition("/")[2]):
        return
    found = stack.client("kms").describe_key(KeyId=key)["KeyMetadata"]
    if found["KeyManager"] != "AWS" and found["Arn"] != ours:
        text = f"it is encrypted with {found['Arn']}, which is not the stack's KmsKeyArn: the functions may not use that key"
        yield warning(
            at, text, "Deploy with KmsKeyArn set to it, or create the secret anew without --kms-key-id (docs/account.md)"
        )


def _content(stack: Stack, at: str, provider: str, value: dict[str, Any]) -> Iterator[Finding]:
    """Yield what the secret says, in the words of start's log where that is wrong, and what is odd about it."""
    text = value.get("SecretString", "")
    try:
        definition, consumer = stack.app.consumers.find(provider, fresh=True)
    except (NotConfigured, UnknownProvider) as error:
        said = str(error).removeprefix(f"the secret {names.consumer_secret(stack.prefix, provider)} is malformed: ")
        if said == "it is not JSON":
            said = f"{said}: {pasted.why_not_json(text)}"
        yield wrong(at, said, _to_do(said))
        return
    oddities = list(pasted.oddities(text, consumer))
    for found, to_do in oddities:
        yield warning(at, found, to_do)
    if not oddities:
        host = urlsplit(definition.request_token_url).netloc
        yield Finding(at, f"{definition.name or 'the provider'} at {host}, tokens kept in {_PLACES[consumer.store]}")


def _to_do(said: str) -> str:
    if "TokenKey" in said:
        return 'Deploy with TokenKey on, or take "store" out of the secret: docs/stores.md'
    return f"Correct it: {FORM}. The functions use it within five minutes, without a deployment"
