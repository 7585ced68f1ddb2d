"""What a provider's answer means that is not the one that was asked for."""

from collections.abc import Iterable
from dataclasses import replace
from urllib.parse import urlsplit

from tripod import provider_errors, retry_after
from tripod.provider_errors import Cause, Refusal
from tripod_flow.edges import telemetry
from tripod_flow.edges.glimpse import glimpse
from tripod_flow.edges.transport import Response
from tripod_flow.rules import backoff

DEFAULT_RETRY = 5  # seconds, where a provider says nothing
_PASSING = (408, 425)  # statuses of a request that can be made again, as those of 5xx
_OF_PAGES = (403, 405, 406)  # statuses with which a CDN answers pages of its own


class Refused(Exception):
    """The provider refused, for good; ``refusal`` says why."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal


class TokenRefused(Refused):
    """The provider says in its own words (``"revoked"`` in its definition) that the token is revoked."""


class Unavailable(Exception):
    """The provider can't be reached, or can't serve now; ``retry_after`` in seconds."""

    def __init__(self, reason: str, retry_after: int = DEFAULT_RETRY, *, maybe_exchanged: bool = False) -> None:
        super().__init__(reason)
        self.retry_after = retry_after
        self.maybe_exchanged = maybe_exchanged  # the provider may have done what was asked


class ServerError(Unavailable):
    """The provider answered 5xx."""


class ChallengePage(Unavailable):
    """A web page was answered with 403: what stands before the provider (a CDN's challenge) refuses us, not the provider."""

    def __init__(self, refusal: Refusal, retry_after: int) -> None:
        super().__init__(f"answered {refusal.status} with a web page", retry_after)
        self.refusal = refusal


def error_of(response: Response, path: str, secrets: Iterable[str], *, now: float) -> Refused | Unavailable:
    """Return what an answer means that is not of success, and log it, without ``secrets``; ``now`` in epoch seconds reads its dates."""
    refusal = provider_errors.read(response.status, response.body, response.headers.get("www-authenticate", ""))
    _log(path, response, refusal, secrets)
    wait = min(retry_after.seconds(response.headers, now) or DEFAULT_RETRY, backoff.LONGEST)
    if response.status >= 500 or response.status in _PASSING:
        return ServerError(f"answered {response.status}", wait, maybe_exchanged=True)
    if response.status == 429:
        return Unavailable("answered 429", wait)
    if response.status in _OF_PAGES and refusal.cause is Cause.UNKNOWN and provider_errors.is_page(response.body):
        return ChallengePage(refusal, wait)
    return Refused(refusal)


def unreadable(url: str, response: Response, secrets: Iterable[str]) -> Refusal:
    """Return what an answer of success means that holds not what was asked for, and log it: ``UNREADABLE`` unless it says why."""
    refusal = provider_errors.read(response.status, response.body)
    if refusal.cause is Cause.UNKNOWN:
        refusal = replace(refusal, cause=Cause.UNREADABLE)
    _log(urlsplit(url).path, response, refusal, secrets)
    return refusal


def _log(path: str, response: Response, refusal: Refusal, secrets: Iterable[str]) -> None:
    """Log an answer that is not the one that was asked for: its status, its cause, and how it begins."""
    telemetry.log().warning(
        "the provider answered",
        extra={"path": path, "answer": str(refusal), "beginning": glimpse(response.body, secrets)},
    )
