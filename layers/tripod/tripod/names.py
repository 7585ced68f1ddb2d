"""Names of secrets and of connections, for the functions that write them and the Lambdas that read them."""

import re
from urllib.parse import quote

MAX_SECRET_NAME = 512  # characters; Secrets Manager's own limit

CONNECTION = "connection#"  # how the table's key of a connection begins

_PROVIDER = re.compile(r"[a-z0-9-]{1,32}")


def is_provider(name: str) -> bool:
    """Return True if ``name`` is 1 to 32 lower-case letters, digits and hyphens."""
    return _PROVIDER.fullmatch(name) is not None


def consumer_secret(prefix: str, provider: str) -> str:
    """Return the name of the secret that holds the app's consumer key and secret at ``provider``."""
    return f"{prefix}/consumer/{provider}"


def user_id_text(user_id: str | int) -> str:
    """Return a user's id as text, which is what a provider's JSON may give as a number. Raises TypeError for any other type."""
    if isinstance(user_id, bool) or not isinstance(user_id, str | int):
        raise TypeError(f"a user's id is a string or an integer, not {type(user_id).__name__}")
    return user_id if isinstance(user_id, str) else str(int(user_id))


def user_secret(prefix: str, provider: str, user_id: str) -> str:
    """Return the name of the secret that holds one user's access tokens.

    Outside ``A-Za-z0-9_.@+-`` each byte of the user id (UTF-8) is written ``=XX``: percent-encoding in the characters that
    Secrets Manager allows. No two ids share a name, and no id contains a slash.
    """
    encoded = quote(user_id, safe="@+").replace("~", "%7E").replace("%", "=")
    return f"{prefix}/user/{provider}/{encoded}"


def subject_key(provider: str, subject: str) -> str:
    """Return the key under which an index of the table finds a user by the app's own id."""
    return f"{provider}#{subject}"


def connection_key(provider: str, user_id: str) -> str:
    """Return the table's key of a connection."""
    return f"{CONNECTION}{provider}#{user_id}"
