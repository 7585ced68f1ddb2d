"""The challenge of a ticket: what start may know of the secret in a user's session."""

import base64
import hashlib


def challenge(secret: str, *, provider: str, return_to: str) -> str:
    """Return the SHA-256 of ``secret``, ``provider`` and ``return_to``, a line feed between them, in base64url without padding.

    With the other two in it, a challenge that somebody reads in one app's redirect is of no use with another return address or
    provider: the ticket would be redeemed with the same three, and never match.
    """
    text = f"{secret}\n{provider}\n{return_to}"
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
