"""The app's credentials and a user's, and their JSON in Secrets Manager. ``repr`` hides every token and secret."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

from tripod import definitions, x

# RFC 5849, section 3.4; HMAC-SHA256 is not in it, but NetSuite and WordPress use it
SIGNATURE_METHODS = ("HMAC-SHA1", "HMAC-SHA256", "PLAINTEXT")

# Where users' tokens are kept: as secrets; sealed in the table; in both, while they are moved; nowhere (sign-in only).
Store = Literal["secrets-manager", "table", "moving", "none"]
STORES: tuple[Store, ...] = get_args(Store)

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
        store: where users' tokens are kept: one of ``STORES``.
        provider: the provider's definition (docs/providers.md); empty where neither the secret nor Tripod knows it.
        trimmed: the fields around whose values blanks were cut off.
    """

    consumer_key: str
    consumer_secret: str = field(repr=False)
    store: Store = "secrets-manager"
    provider: Mapping[str, Any] = field(default_factory=dict)
    trimmed: tuple[str, ...] = field(default=(), compare=False)

    @property
    def may_be_sealed(self) -> bool:
        """True if users' tokens may be in the table: there is where to look first."""
        return self.store in ("table", "moving")

    @property
    def signature_method(self) -> str:
        """The signature method of this provider's requests: one of ``SIGNATURE_METHODS``."""
        return str(self.provider.get("signature_method", SIGNATURE_METHODS[0]))

    @property
    def api_hosts(self) -> tuple[str, ...]:
        """The hosts that tokens may be sent to, as the consumer secret names them; empty where it names none."""
        return tuple(self.provider.get("api_hosts", ()))

    @property
    def realm(self) -> str | None:
        """The realm of this provider's requests (RFC 5849, section 3.5.1); None for none."""
        return self.provider.get("realm")

    @property
    def revoked(self) -> Mapping[str, Any] | None:
        """How an API call says that the token is revoked: ``status``, and a ``pattern`` of its body; None where it is not special."""
        return self.provider.get("revoked")

    @classmethod
    def from_json(cls, text: str, name: str = "") -> "Consumer":
        """Parse the consumer secret of a provider called ``name``.

        Raises ValueError that says what is wrong, without quoting the content.
        """
        content = _object(text)
        unknown = sorted(content.keys() - {"consumer_key", "consumer_secret", "store", "provider"})
        if unknown:  # quoted only if it looks like a key: where key and value are swapped it is a credential
            named = [key for key in unknown if re.fullmatch(r"[a-z_]{1,24}", key)]
            raise ValueError(f"it has unknown keys: {', '.join(named) or 'their names look like values'}")
        store = content.get("store", STORES[0])
        if store not in STORES:
            raise ValueError(f'"store" must be one of {", ".join(STORES)}')
        provider = definitions.resolve(content.get("provider"), name)
        if provider is not x.X:
            _check(provider)
        optional = {"consumer_secret"} if provider.get("empty_consumer_secret") is True else set()
        given = {one: _credential(content, one, optional=one in optional) for one in ("consumer_key", "consumer_secret")}
        bare = {one: value.strip(BLANKS) for one, value in given.items()}
        for one, value in bare.items():
            if not value and one not in optional:
                raise ValueError(f'"{one}" has nothing but blanks')
        trimmed = tuple(one for one in bare if bare[one] != given[one])
        return cls(**bare, store=store, provider=provider, trimmed=trimmed)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessToken:
    """An access token and its secret, granted to the app of ``consumer_key``.

    ``expires_at`` in epoch seconds, None where the provider sets no end; ``extra`` are the fields that the definition keeps.
    """

    oauth_token: str = field(repr=False)
    oauth_token_secret: str = field(repr=False)
    consumer_key: str
    expires_at: int | None = None
    extra: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class UserTokens(AccessToken):
    """A user's access token at a provider: the content of a user secret.

    Attributes:
        oauth_token: the access token.
        oauth_token_secret: the access token's secret.
        consumer_key: the key of the app to which the token was granted.
        expires_at: when the token ends, in epoch seconds; None where the provider sets no end, as X.
        extra: further fields of the provider's answers, as text, where its definition keeps any (docs/providers.md).
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
        expires_at, extra = content.get("expires_at"), content.get("extra", {})
        if expires_at is not None and type(expires_at) is not int:
            raise ValueError('"expires_at" must be a whole number or null')
        if not isinstance(extra, dict) or not all(isinstance(value, str) for value in extra.values()):
            raise ValueError('"extra" must be an object of strings')
        return UserTokens(screen_name=screen_name, oauth_token_secret=secret, expires_at=expires_at, extra=extra, **required)


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningTokens(UserTokens):
    """A user's tokens and the app's credentials: all that an OAuth 1.0a client signs with. ``user_tokens`` returns it.

    Attributes:
        oauth_token: the access token.
        oauth_token_secret: the access token's secret.
        consumer_key: the app's current consumer key.
        expires_at: when the token ends, in epoch seconds; None where the provider sets no end, as X.
        extra: further fields of the provider's answers, as text, where its definition keeps any (docs/providers.md).
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


def _check(provider: Mapping[str, Any]) -> None:
    """Check what readers need of a definition; the functions check the rest. Raises ValueError."""
    if provider.get("signature_method", SIGNATURE_METHODS[0]) not in SIGNATURE_METHODS:
        raise ValueError(f'"provider.signature_method" must be one of {", ".join(SIGNATURE_METHODS)}')
    if not _are_host_names(provider.get("api_hosts", [])):
        raise ValueError('"provider.api_hosts" must be a list of host names in lower case, without scheme, port and path')
    realm, revoked = provider.get("realm", "-"), provider.get("revoked")
    if not isinstance(realm, str) or not re.fullmatch(r"[ !#-\[\]-~]{1,64}", realm):
        raise ValueError('"provider.realm" must be text of 64 characters at most, without quotes and backslashes')
    if revoked is not None and not _is_status_and_pattern(revoked):
        raise ValueError('"provider.revoked" must be an object of a "status" and a "pattern", a regular expression')


def _is_status_and_pattern(value: object) -> bool:
    if not isinstance(value, dict) or value.keys() != {"status", "pattern"}:
        return False
    status, pattern = value["status"], value["pattern"]
    if type(status) is not int or not 200 <= status <= 599 or not isinstance(pattern, str) or not 0 < len(pattern) <= 200:
        return False
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError):  # a repetition beyond what re counts, or groups too deep
        return False
    return True


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


def _credential(content: Mapping[str, Any], name: str, *, optional: bool) -> str:
    return "" if optional and content.get(name) in (None, "") else _text(content, name)


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
