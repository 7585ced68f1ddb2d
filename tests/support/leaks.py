"""Find secrets in a text, in all the forms that they may have there."""

import base64
import json
from urllib.parse import quote


def forms(secret: str) -> set[str]:
    """Return a secret as it might stand in a log: plain, URL-encoded, JSON-escaped, base64 at each of its three alignments."""
    found = {secret, quote(secret, safe=""), quote(secret), json.dumps(secret)[1:-1]}
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + secret.encode()).decode()
        core = encoded[4 if shift else 0 : len(encoded.rstrip("=")) - 2]
        found |= {core, core.replace("+", "-").replace("/", "_")}
    return found


def leaks(text: str, secrets: set[str]) -> list[str]:
    return [form for secret in secrets for form in forms(secret) if form in text]
