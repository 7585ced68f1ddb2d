"""X's definition, by the names of the keys of ``"provider"`` in a consumer secret (docs/providers.md)."""

from collections.abc import Mapping
from typing import Any

X: Mapping[str, Any] = {
    "name": "X",
    "request_token_url": "https://api.x.com/oauth/request_token",
    "authorize_url": "https://api.x.com/oauth/authorize",
    "authenticate_url": "https://api.x.com/oauth/authenticate",
    "access_token_url": "https://api.x.com/oauth/access_token",
    "invalidate_url": "https://api.x.com/1.1/oauth/invalidate_token",
    "identity_url": "https://api.x.com/1.1/account/verify_credentials.json",  # one of X's examples of a token answer has no user id
    "identity_user_id_field": "id_str",
    "bearer_token_url": "https://api.x.com/oauth2/token",
    "invalidate_bearer_token_url": "https://api.x.com/oauth2/invalidate_token",
    # As of 2026-11: the API, media, advertisements; and the names that they had before.
    "api_hosts": ["api.x.com", "upload.x.com", "ads-api.x.com", "api.twitter.com", "upload.twitter.com", "ads-api.twitter.com"],
}  # ONE host for every leg: redirects between X's hosts have lost request tokens
