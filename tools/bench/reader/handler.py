"""A Lambda that reads tokens: a signed request with the public layer, and what a cached look at the tokens costs."""

import time
from typing import Any

from tripod import user_session, user_tokens

LOOKS = 1000


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Ask the provider at ``event["url"]`` who the user is; ``cached`` is in microseconds for one look."""
    with user_session(event["provider"], user_id=event["user_id"]) as session:
        answer = session.get(event["url"], timeout=5)
    began = time.perf_counter()
    for _ in range(LOOKS if event.get("look") else 0):
        user_tokens(event["provider"], user_id=event["user_id"])
    return {"statusCode": answer.status_code, "cached": (time.perf_counter() - began) / LOOKS * 1e6}
