"""The hosts that a provider's credentials may be sent to."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from tripod import names
from tripod.credentials import Consumer
from tripod.errors import HostNotAllowed
from tripod.loopback import is_loopback
from tripod.process import Process


def check(this: Process, provider: str, consumer: Consumer, url: str | None, *, reusable: bool) -> None:
    """Raise HostNotAllowed unless ``provider``'s credentials may be sent to ``url``, as ``flaw`` says."""
    reason = flaw(provider, consumer, url, loopback=this.loopback, reusable=reusable)
    if reason is not None:
        raise HostNotAllowed(_parts(url)[1], names.consumer_secret(this.prefix, provider), reason)


def flaw(provider: str, consumer: Consumer, url: str | None, *, loopback: bool, reusable: bool) -> str | None:
    """Return why ``provider``'s credentials may not be sent to ``url``, or None where they may.

    It must be https (in the sandbox plain http to this machine, too). Where the provider's definition names ``api_hosts``, only those and
    the hosts of the provider's endpoints are allowed; where it does not, any host is. ``reusable`` credentials can be used again by
    who sees them (a bearer token, a PLAINTEXT signature): without ``api_hosts`` they are only for the hosts of the endpoints.
    """
    if not is_protected(url, loopback=loopback):
        return "only https protects what is sent"
    host = _parts(url)[1]
    if (consumer.api_hosts or reusable) and host not in {*consumer.api_hosts, *_endpoint_hosts(consumer)}:
        return f'it is no host of {provider}: name it in "provider.api_hosts" there if it is'
    return None


def is_protected(url: str | None, *, loopback: bool) -> bool:
    """Return True if nobody on the way reads what is sent to ``url``."""
    scheme, host = _parts(url)
    return bool(host) and (scheme == "https" or (loopback and scheme == "http" and is_loopback(host)))


def _endpoint_hosts(consumer: Consumer) -> Iterator[str]:
    for key, value in consumer.provider.items():
        if key.endswith("_url") and isinstance(value, str):
            yield _parts(value)[1]


def _parts(url: str | None) -> tuple[str, str]:
    """Return scheme and host in lower case; empty for what can't be read."""
    try:
        parts = urlsplit(url or "")
        return parts.scheme.lower(), parts.hostname or ""
    except ValueError:
        return "", ""
