"""Post on a user's behalf, with the tokens that Tripod keeps."""

import os
from typing import Any

from tripod import TokenNotFound, TokenRevoked, user_session

API = os.environ.get("X_API", "https://api.x.com")


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Post ``{"user_id", "text"}``; answers ``{"screen_name", "posted"}``, or why it could not.

    ``posted`` is the status of X's answer: 201 where it has posted.
    """
    try:
        with user_session("x", user_id=event["user_id"]) as x:
            who = x.get(f"{API}/2/users/me", timeout=5)
            if who.status_code == 401:  # API v2 never says why: most likely the user has revoked the app at X
                return {"error": "X no longer accepts the tokens: ask the user to sign in again"}
            who.raise_for_status()
            post = x.post(f"{API}/2/tweets", json={"text": event["text"]}, timeout=5)
            return {"screen_name": who.json()["data"]["username"], "posted": post.status_code}
    except TokenRevoked:
        return {"error": "the user has disconnected: ask them to sign in again"}
    except TokenNotFound:
        return {"error": "the user has not signed in yet"}
