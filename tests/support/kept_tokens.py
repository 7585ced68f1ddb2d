"""What the table keeps of a user's tokens: sealed, and in the clear."""

from typing import Any

from tests.support.sandbox_app import SandboxApp
from tripod.credentials import UserTokens
from tripod.sealed_tokens import ATTRIBUTE, unseal


def sealed(app: SandboxApp) -> UserTokens | None:
    """Return the tokens that are sealed for the app's user, opened as a reader opens them; None where there are none."""
    item = app.connection() or {}
    if ATTRIBUTE not in item:
        return None
    return unseal(app.sandbox.client("kms"), app.sandbox.prefix, app.name, app.user.user_id, item[ATTRIBUTE]["B"])


def is_in_the_clear(item: dict[str, Any] | None, *user_ids: str) -> bool:
    """Return True if an item shows a token of one of these users: the sandbox's provider begins each with the user's id, as X does."""
    text = repr(item)
    return any(f"{user_id}-" in text for user_id in user_ids)
