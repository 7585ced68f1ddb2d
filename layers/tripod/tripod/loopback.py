"""This machine's own addresses, which never leave it: plain http is no risk there."""

HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})


def is_loopback(host: str) -> bool:
    """Return True if ``host``, with or without brackets, is this machine."""
    return host.strip("[]").lower() in HOSTS
