"""A provider that a consumer secret describes."""

from typing import Any

from tripod.credentials import Consumer

URLS = {
    "request_token_url": "https://wiki.example/w/index.php?title=Special:OAuth/initiate",
    "authorize_url": "https://wiki.example/w/index.php?title=Special:OAuth/authorize",
    "access_token_url": "https://wiki.example/w/index.php?title=Special:OAuth/token",
}


def described(**changes: Any) -> Consumer:
    return Consumer("k", "s", provider={**URLS, **changes})
