"""The app's credentials and a user's, and their JSON in Secrets Manager. ``repr`` hides every token and secret."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

# RFC 5849, section 3.4; HMAC-SHA256 is not in it, but NetSuite and WordPress use it
SIGNATURE_METHODS = ("HMAC-SHA1", "HMAC-SHA256", "PLAINTEXT")

# What comes along with a credential that is pasted: blanks, line ends, zero-width characters, a byte order mark.
BLANKS = (
    " \t\n\r\x0b\x0c\x1c\x1d\x1e\x1f\x85\xa0\xad\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u200b\u200c\u200d\u200e\u200f\u2028\u2029\u202f\u205f\u2060\u3000\ufeff"
    "\u061c\u180e\u202a\u202b\u202c\u202d\u202e\u2061\u2062\u2063\u2064\u2066\u2067\u2068\u2069\ufe0f"
)


@dataclass(frozen=True, slots=True)
class Consumer:
    """The app at a provider: the content of a consumer secret.

    Attributes:
        consumer_key: the app's key.
        consumer_secret: the app's secret.
        store: False keeps no tokens: sign-in only.
        provider: endpoints and other properties of a provider that Tripod does not know (docs/providers.md).
        trimmed: the fields around whose values blanks were cut off.
    """

    consumer_key: str
    consumer_secret: str = field(repr=False)
    store: bool = True
    provider: Mapping[str, Any] = field(default_factory=dict)
    trimmed: tuple[str, ...] = field(default=(), compare=False)

    @property
    def signature_method(self) -> str:
        """The signature method of this provider's requests: one of ``SIGNATURE_METHODS``."""
        return str(self.provider.get("signature_method", SIGNATURE_METHODS[0]))

    @property
    def api_hosts(self) -> tuple[str, ...]:
        """The hosts that tokens may be sent to, as the consumer secret names them; empty where it names none."""
        return tuple(self.provider.get("api_hosts", ()))

    @classmethod
    def from_json(cls, text: str) -> "Consumer":
        """Parse a consumer secret. Raises ValueError that says what is wrong, without quoting the content."""
        content = _object(text)
        unknown = sorted(content.keys() - {"consumer_key", "consumer_secret", "store", "provider"})
        if unknown:  # quoted only if it looks like a key: where key and value are swapped it is a credential
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
        if not _are_host_names(provider.get("api_hosts", [])):
            raise ValueError('"provider.api_hosts" must be a list of host names in lower case, without scheme, port and path')
        credentials = {name: _text(content, name) for name in ("consumer_key", "consumer_secret")}
        bare = {name: value.strip(BLANKS) for name, value in credentials.items()}
        for name, value in bare.items():
            if not value:
                raise ValueError(f'"{name}" has nothing but blanks')
        trimmed = tuple(name for name in bare if bare[name] != credentials[name])
        return cls(**bare, store=store, provider=provider, trimmed=trimmed)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessToken:
    """An access token and its secret, granted to the app of ``consumer_key``."""

    oauth_token: str = field(repr=False)
    oauth_token_secret: str = field(repr=False)
    consumer_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UserTokens(AccessToken):
    """A user's access token at a provider: the content of a user secret.

    Attributes:
        oauth_token: the access token.
        oauth_token_secret: the access token's secret.
        consumer_key: the key of the app to which the token was granted.
        provider: the provider's name, such as ``"x"``.
        user_id: the provider's id of the user; X's are decimal digits.
        screen_name: the user's name at the provider at the time of the grant; None where the provider gave none.

    >>> isinstance(user_tokens("x", user_id="2244994945"), UserTokens)
    True
    """

    provider: str
    user_id: str
    screen_name: str | None

    def to_json(self) -> str:
        """Return the secret's content. Equal tokens give the same bytes: an unchanged grant leaves the secret unchanged."""
        return json.dumps({field.name: getattr(self, field.name) for field in fields(UserTokens)}, sort_keys=True)

    @staticmethod
    def from_json(text: str) -> "UserTokens":
        """Parse a user secret. Raises ValueError that says what is wrong, without quoting the content."""
        content = _object(text)
        screen_name = content.get("screen_name")
        if screen_name is not None and not isinstance(screen_name, str):
            raise ValueError('"screen_name" must be a string or null')
        secret = content.get("oauth_token_secret")
        if not isinstance(secret, str):  # it may be empty: some providers issue none
            raise ValueError('"oauth_token_secret" must be a string')
        _encodable("oauth_token_secret", secret)
        required = {name: _text(content, name) for name in ("provider", "user_id", "oauth_token", "consumer_key")}
        return UserTokens(screen_name=screen_name, oauth_token_secret=secret, **required)


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningTokens(UserTokens):
    """A user's tokens and the app's credentials: all that an OAuth 1.0a client signs with. ``user_tokens`` returns it.

    Attributes:
        oauth_token: the access token.
        oauth_token_secret: the access token's secret.
        consumer_key: the app's current consumer key.
        provider: the provider's name, such as ``"x"``.
        user_id: the provider's id of the user; X's are decimal digits.
        screen_name: the user's name at the provider at the time of the grant; None where the provider gave none.
        consumer_secret: the app's current consumer secret.

    >>> from requests_oauthlib import OAuth1
    >>> tokens = user_tokens("x", user_id="2244994945")
    >>> auth = OAuth1(tokens.consumer_key, tokens.consumer_secret, tokens.oauth_token, tokens.oauth_token_secret)
    """

    consumer_secret: str = field(repr=False)

    @classmethod
    def of(cls, tokens: UserTokens, consumer: Consumer) -> "SigningTokens":
        """Combine ``tokens`` and ``consumer``. The consumer key is ``consumer``'s: it belongs to that secret."""
        shared = {field.name: getattr(tokens, field.name) for field in fields(UserTokens)}
        return cls(**shared | {"consumer_key": consumer.consumer_key, "consumer_secret": consumer.consumer_secret})


def _are_host_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(host, str) and re.fullmatch(r"[a-z0-9.-]+", host) for host in value)


def _object(text: str) -> dict[str, Any]:
    try:
        content = json.loads(text.strip(BLANKS), strict=False)  # with line ends in a string, as an editor breaks them
    except (ValueError, RecursionError):
        raise ValueError("it is not JSON") from None
    if not isinstance(content, dict):
        raise ValueError("it is not a JSON object")
    return content


def _text(content: Mapping[str, Any], name: str) -> str:
    value = content.get(name)
    if not isinstance(value, str) or not value:
        raise ValueError(f'"{name}" must be a non-empty string')
    return _encodable(name, value)


def _encodable(name: str, value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:  # its ``repr`` would quote the value wherever that is signed with
        raise ValueError(f'"{name}" holds half a character') from None
    return value
