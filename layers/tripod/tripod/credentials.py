"""The app's credentials and a user's, as they stand in their secrets (JSON); what is secret in them stays out of ``repr``."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

# RFC 5849, section 3.4; SHA-256 as NetSuite and WordPress have it
SIGNATURE_METHODS = ("HMAC-SHA1", "HMAC-SHA256", "PLAINTEXT")


@dataclass(frozen=True, slots=True)
class Consumer:
    """The app at a provider: its consumer key and secret, and what its secret says beside them.

    ``store`` false: sign-in only, no tokens are kept. ``provider``: the endpoints and quirks of one that Tripod doesn't know.
    """

    consumer_key: str
    consumer_secret: str = field(repr=False)
    store: bool = True
    provider: Mapping[str, Any] = field(default_factory=dict)

    @property
    def signature_method(self) -> str:
        """The method that this provider's requests are signed with: one of ``SIGNATURE_METHODS``."""
        return str(self.provider.get("signature_method", SIGNATURE_METHODS[0]))

    @classmethod
    def from_json(cls, text: str) -> "Consumer":
        """Read a consumer secret; raises ``ValueError`` that says what is amiss, without the content."""
        content = _object(text)
        unknown = sorted(content.keys() - {"consumer_key", "consumer_secret", "store", "provider"})
        if unknown:  # shown only where it looks like a name: key and value, swapped, would print a credential
            named = [key for key in unknown if re.fullmatch(r"[a-z_]{1,24}", key)]
            raise ValueError(f"it has unknown keys: {', '.join(named) or 'their names look like values'}")
        store = content.get("store", True)
        provider = content.get("provider", {})
        if not isinstance(store, bool):
            raise ValueError('"store" must be true or false')
        if not isinstance(provider, dict):
            raise ValueError('"provider" must be an object')
        if provider.get("signature_method", SIGNATURE_METHODS[0]) not in SIGNATURE_METHODS:
            raise ValueError(f'"provider.signature_method" must be one of {", ".join(SIGNATURE_METHODS)}')
        return cls(
            consumer_key=_text(content, "consumer_key"),
            consumer_secret=_text(content, "consumer_secret"),
            store=store,
            provider=provider,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessToken:
    """An access token and its secret, granted to the app of ``consumer_key``."""

    oauth_token: str = field(repr=False)
    oauth_token_secret: str = field(repr=False)
    consumer_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UserTokens(AccessToken):
    """The access token of one user of ``provider``; the content of a user secret."""

    provider: str
    user_id: str
    screen_name: str | None

    def to_json(self) -> str:
        """Return the secret's content: a function of the grant alone, so that an unchanged grant is an unchanged secret."""
        return json.dumps({field.name: getattr(self, field.name) for field in fields(UserTokens)}, sort_keys=True)

    @staticmethod
    def from_json(text: str) -> "UserTokens":
        """Read a user secret; raises ``ValueError`` that says what is amiss, without the content."""
        content = _object(text)
        screen_name = content.get("screen_name")
        if screen_name is not None and not isinstance(screen_name, str):
            raise ValueError('"screen_name" must be a string or null')
        required = ("provider", "user_id", "oauth_token", "oauth_token_secret", "consumer_key")
        return UserTokens(screen_name=screen_name, **{name: _text(content, name) for name in required})


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningTokens(UserTokens):
    """A user's tokens with the app's own credentials beside them: all that an OAuth 1.0a client signs with."""

    consumer_secret: str = field(repr=False)

    @classmethod
    def of(cls, tokens: UserTokens, consumer: Consumer) -> "SigningTokens":
        """Put ``tokens`` and ``consumer`` together; the consumer key is the app's current one, which the secret belongs to."""
        kept = {field.name: getattr(tokens, field.name) for field in fields(UserTokens)}
        return cls(**kept | {"consumer_key": consumer.consumer_key, "consumer_secret": consumer.consumer_secret})


def _object(text: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("it is not JSON") from None
    if not isinstance(content, dict):
        raise ValueError("it is not a JSON object")
    return content


def _text(content: Mapping[str, Any], name: str) -> str:
    value = content.get(name)
    if not isinstance(value, str) or not value:
        raise ValueError(f'"{name}" must be a non-empty string')
    return value
