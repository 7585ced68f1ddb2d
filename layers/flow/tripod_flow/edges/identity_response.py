"""Whose tokens they are: the user that a token response or an identity response names."""

import hmac
import json
from typing import Any

from tripod import names
from tripod.credentials import Consumer
from tripod_flow.edges.token_response import NoToken, TokenResponse
from tripod_flow.rules.authorization import Identity
from tripod_flow.rules.provider import ProviderDefinition

MAX_USER_SECRET = names.MAX_SECRET_NAME - 64  # characters; a prefix and a provider's name have 32 each at most
MAX_SCREEN_NAME = 256  # characters
_CHECKED: Any = {"require": ["exp", "aud"], "verify_aud": False, "verify_sub": False}  # a wiki's ``sub`` may be a number
LEEWAY = 300  # seconds that a provider's clock may differ, as far as MediaWiki lets ours


def identity_in(tokens: TokenResponse, provider: ProviderDefinition) -> Identity | None:
    """Return the user that the token response names, or None. Raises ``NoToken`` where it names two, or one in no UTF-8."""
    named = set(tokens.fields.get(provider.user_id_field, ()))
    if len(named) > 1:
        raise NoToken("it names two users")
    user_id = "".join(named)
    try:
        user_id.encode()
    except UnicodeEncodeError:
        raise NoToken("its user id is no UTF-8") from None
    return Identity(user_id, _shown(tokens.first(provider.screen_name_field))) if is_user_id(user_id) else None


def read_identity(body: bytes, provider: ProviderDefinition, consumer: Consumer, nonce: str) -> Identity | None:
    """Return the user that an identity response names; None where it names none."""
    if provider.identity_format == "jwt":
        content = _claims(body, consumer, nonce)
    else:
        try:
            content = json.loads(body)
        except (ValueError, RecursionError):
            return None
    user_id = _at(content, provider.identity_user_id_field or provider.user_id_field)
    if user_id is None or not is_user_id(user_id):
        return None
    return Identity(user_id, _shown(_at(content, provider.screen_name_field)))


def _claims(body: bytes, consumer: Consumer, nonce: str) -> dict[str, Any] | None:
    """Return what a JSON Web Token says (RFC 7519; MediaWiki's Special:OAuth/identify).

    None unless it is signed with the consumer secret (HS256), in time, for this app, and an answer to the request of ``nonce``.
    """
    import jwt  # noqa: PLC0415  # only for who needs it

    try:
        said: dict[str, Any] = jwt.decode(
            body.strip(), consumer.consumer_secret, algorithms=["HS256"], leeway=LEEWAY, options=_CHECKED
        )
    except (jwt.PyJWTError, ValueError):
        return None
    is_ours = said["aud"] == consumer.consumer_key
    answers = hmac.compare_digest(str(said.get("nonce", "")).encode(errors="replace"), nonce.encode())
    return said if is_ours and answers else None


def _at(content: Any, path: str) -> str | None:
    """Return the string or number at a dotted path in JSON, as a string, or None; a number in the path is an array's index."""
    for name in path.split("."):
        if isinstance(content, list):
            content = content[int(name)] if _is_number(name) and int(name) < len(content) else None
        else:
            content = content.get(name) if isinstance(content, dict) else None
    return str(content) if isinstance(content, str | int) and not isinstance(content, bool) else None


def is_user_id(value: str) -> bool:
    """Return True if a user id can be part of a secret's name: encoded, below any prefix and provider."""
    return bool(value) and value.isprintable() and len(names.user_secret("", "", value)) <= MAX_USER_SECRET


def _shown(screen_name: str | None) -> str | None:
    """Return a screen name that can be shown; None for any other."""
    return screen_name if screen_name and screen_name.isprintable() and len(screen_name) <= MAX_SCREEN_NAME else None


def _is_number(value: str) -> bool:
    return value.isascii() and value.isdigit() and len(value) <= 12
