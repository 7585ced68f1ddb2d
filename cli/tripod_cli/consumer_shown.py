"""What may be shown of a consumer secret: of the key its end, of the secret nothing."""

from typing import Any

from tripod.credentials import BLANKS
from tripod_cli import given
from tripod_cli.consumer_secrets import ConsumerSecrets, Kept
from tripod_cli.output import moment
from tripod_flow.api.text import provider_name
from tripod_flow.rules.provider import ProviderDefinition

LAST = 4  # characters of a consumer key
LONG = 12  # characters of a key of which so many may be shown

_URLS = ("request_token_url", "authorize_url", "authenticate_url", "access_token_url", "identity_url", "invalidate_url")


def called(provider: str, definition: ProviderDefinition) -> str:
    """Return a provider's name as people write it."""
    return definition.name or provider_name(provider)


def shown(secrets: ConsumerSecrets, kept: Kept) -> dict[str, Any]:
    """Return a consumer secret's fields, for a line of a list and for a page of its own; ``flaw`` is what is wrong with it."""
    seen: dict[str, Any] = {"provider": kept.provider, "state": "set", "changed_at": moment(kept.changed_at), "flaw": None}
    if kept.deleted_at is not None:
        return seen | {"state": f"deleted at {moment(kept.deleted_at)}"}
    try:
        text = secrets.content(kept.provider)
        read, definition = given.understood(text, kept.provider)
    except ValueError as error:
        return seen | {"state": "wrong", "flaw": str(error)}
    described = given.parse(text).get("provider")
    entry = given.entry(described, kept.provider)
    return {
        "provider": kept.provider,
        "name": called(kept.provider, definition),
        "consumer_key": f"…{read.consumer_key[-LAST:]}" if len(read.consumer_key) >= LONG else "…",
        "consumer_secret": "not shown" if read.consumer_secret else "empty",
        "blanks_around": list(read.trimmed) or None,
        "store": read.store,
        "definition": _definition(described, kept.provider),
        **{url: getattr(definition, url) for url in _URLS},
        "register": entry.register if entry else None,
        **seen,
    }


def _definition(described: object, provider: str) -> str:
    """Return where a definition is from, in a word or two."""
    if not described:
        return provider
    if isinstance(described, str):
        return described.strip(BLANKS).lower()
    like = described.get("like") if isinstance(described, dict) else None
    return f"like {like}" if like else "its own"
