"""This machine's own addresses, which never leave it: plain http is no risk there."""

HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})


def is_loopback(host: str) -> bool:
    """Tell whether ``host`` (brackets or not) is this machine."""
    return host.strip("[]").lower() in HOSTS
