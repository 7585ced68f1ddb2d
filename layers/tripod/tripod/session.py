"""Signed requests on a user's behalf, in two lines.

with user_session("x", user_id="2244994945") as x:
    x.get("https://api.x.com/1.1/account/verify_credentials.json", timeout=5)
"""

import os
from functools import cache

import requests

from tripod.credentials import UserTokens
from tripod.signing import Signer
from tripod.vault import Vault


@cache
def _vault() -> Vault:
    """Return this process's vault; the prefix is ``TRIPOD_PREFIX`` in the environment, ``tripod`` by default."""
    import boto3  # noqa: PLC0415  # the runtime's own, and half a second that a process without tokens needn't pay

    return Vault(boto3.client("secretsmanager"), os.environ.get("TRIPOD_PREFIX", "tripod"))


def user_tokens(provider: str, *, user_id: str) -> UserTokens:
    """Return a user's tokens, at most five minutes old; raises ``TokenNotFound``, or ``MalformedSecret``."""
    return _vault().user(provider, user_id)


def user_session(provider: str, *, user_id: str) -> requests.Session:
    """Return a ``requests.Session`` that signs every request as this user; raises as ``user_tokens``, or ``ConsumerNotFound``."""
    tokens = user_tokens(provider, user_id=user_id)
    session = requests.Session()
    session.auth = Signer().sign_as(_vault().consumer(provider), tokens.oauth_token, tokens.oauth_token_secret)
    return session
