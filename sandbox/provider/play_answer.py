"""What a play answers about a user: JSON after the shape that plays.toml describes, as a JWT where the provider signs it."""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from typing import Any

from sandbox.provider.play import Play
from sandbox.provider.records import IssuedAccessToken, User

JWT_LIFETIME = 100  # seconds; from memory


def user_facts(play: Play, user: User) -> dict[str, str]:
    """Return what a shape may say of a user; ``id`` is the user's id as this provider has it."""
    facts = {"user_id": user.user_id, "screen_name": user.screen_name, "name": user.name}
    return facts | {"id": play.user_id.format(**facts)}


def token_facts(play: Play, token: IssuedAccessToken) -> dict[str, str]:
    """Return what a shape may say of an access token and its user."""
    expires = int(token.expires or 0)
    return user_facts(play, token.user) | {"token": token.token, "expires": str(expires), "expires_ms": str(expires * 1000)}


def filled(shape: Any, facts: Mapping[str, str]) -> Any:
    """Return ``shape`` with facts for the names in braces; ``{id:d}`` alone becomes a number."""
    if isinstance(shape, Mapping):
        return {name: filled(value, facts) for name, value in shape.items()}
    if isinstance(shape, list | tuple):
        return [filled(value, facts) for value in shape]
    if not isinstance(shape, str):
        return shape
    number = re.fullmatch(r"{(\w+):d}", shape)
    return int(facts[number[1]]) if number else shape.format(**facts)


def jwt(claims: Mapping[str, Any], secret: str) -> str:
    """Return the claims as a JWT, signed HS256 (RFC 7515)."""
    parts = [_encoded(json.dumps(part).encode()) for part in ({"typ": "JWT", "alg": "HS256"}, claims)]
    signature = hmac.new(secret.encode(), ".".join(parts).encode(), hashlib.sha256).digest()
    return ".".join([*parts, _encoded(signature)])


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
