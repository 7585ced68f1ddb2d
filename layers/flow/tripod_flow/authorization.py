"""An authorization: one run of the handshake, from start to outcome. The record, and the rules by which it moves on.

    pending ──claim──▶ exchanging ──▶ granted | failed          an outcome never changes
       │  ◀──release──┘     └──▶ exchanged ──▶ granted | failed    (the user's identity must still be asked for)
       └──▶ denied

Nothing here does I/O. A rule takes the record as it is known and returns a ``Transition``: one conditional update, which the
table applies or refuses as a whole.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from boto3.dynamodb.conditions import Attr, ConditionBase

from tripod.credentials import UserTokens
from tripod.refusals import Cause
from tripod_flow import binding, errors
from tripod_flow.transition import Transition

REQUEST_TOKEN_LIFETIME = (
    600  # seconds; X publishes none: short enough for a stolen link, long enough for a person with a password to find
)
ITEM_LIFETIME = binding.LIFETIME  # seconds; a late reload still gets its answer. DynamoDB's TTL only cleans up behind it
LEASE = 30  # seconds; longer than the function's timeout, so that a claim which outlives it has lost its holder
OWED_SHARDS = 8  # partitions of the owed index: one alone would take 1,000 writes a second


class State(StrEnum):
    """Where an authorization stands."""

    PENDING = "pending"
    EXCHANGING = "exchanging"
    EXCHANGED = "exchanged"
    GRANTED = "granted"
    DENIED = "denied"
    FAILED = "failed"


OUTCOMES = frozenset({State.GRANTED, State.DENIED, State.FAILED})


@dataclass(frozen=True, slots=True)
class Authorization:
    """The record, as it stands in the table; times in epoch seconds."""

    pk: str
    provider: str
    request_token: str = field(repr=False)
    state: State
    browser: str = field(repr=False)  # the digest of this browser's cookie
    created_at: float
    expires_at: float
    ttl: int | None = None
    return_to: str | None = None
    restart: str = ""  # start's query, to begin the same thing again
    request_secret: str | None = field(default=None, repr=False)
    claim_id: str | None = None
    lease_until: float | None = None
    doubtful: bool = False  # an earlier exchange may have reached the provider: its refusal now proves nothing
    unstored: Mapping[str, str] | None = field(default=None, repr=False)  # the access tokens, until Secrets Manager has them
    user_id: str | None = None
    screen_name: str | None = None
    granted_at: float | None = None
    error: str | None = None  # the failure's code
    cause: Cause | None = None
    owed: str | None = None  # the shard of the owed index
    owed_since: float | None = None

    @property
    def label(self) -> str:
        """A name for this authorization in logs, which tells nothing of its tokens."""
        return hashlib.sha256(self.pk.encode()).hexdigest()[:16]

    @property
    def decided(self) -> bool:
        """Whether there is an outcome."""
        return self.state in OUTCOMES

    def tokens(self) -> UserTokens:
        """Return the user's tokens of a grant that is still unstored."""
        if self.unstored is None or self.user_id is None:
            raise ValueError("nothing is unstored")
        return UserTokens(self.provider, self.user_id, self.screen_name, **self.unstored)


def key(provider: str, request_token: str) -> str:
    """Return the table's key of an authorization."""
    return f"authorization#{provider}#{request_token}"


def begin(
    provider: str,
    request_token: str,
    request_secret: str,
    *,
    browser: str,
    return_to: str | None,
    restart: str,
    now: float,
) -> Authorization:
    """Return the record of a new authorization, bound to the browser whose cookie has the digest ``browser``."""
    return Authorization(
        pk=key(provider, request_token),
        provider=provider,
        request_token=request_token,
        request_secret=request_secret,
        state=State.PENDING,
        browser=browser,
        return_to=return_to,
        restart=restart,
        created_at=now,
        expires_at=now + REQUEST_TOKEN_LIFETIME,
        ttl=int(now) + ITEM_LIFETIME,
    )


def claim(pk: str, *, browser: str, claim_id: str, now: float) -> Transition:
    """Win the right to exchange: exactly one caller does."""
    return Transition(
        pk,
        Attr("state").eq(State.PENDING) & Attr("browser").eq(browser) & Attr("expires_at").gt(now),
        {"state": State.EXCHANGING, "claim_id": claim_id, "lease_until": now + LEASE},
    )


def resume(found: Authorization, *, claim_id: str, now: float) -> Transition | None:
    """Take over what a dead holder left, or what was released half-way; None while somebody is at work on it.

    Taken over while ``exchanging``, nobody knows whether the exchange was made: the record says so from then on.
    """
    if found.state not in (State.EXCHANGING, State.EXCHANGED) or (found.lease_until or 0) > now:
        return None
    still = Attr("claim_id").eq(found.claim_id) if found.claim_id else Attr("claim_id").not_exists()
    return Transition(
        found.pk,
        Attr("state").eq(found.state) & still,
        {
            "claim_id": claim_id,
            "lease_until": now + LEASE,
            "doubtful": found.doubtful or found.state is State.EXCHANGING,
        },
    )


def release(held: Authorization) -> Transition:
    """Give the claim back after a failure that may pass: a reload tries again."""
    state = State.EXCHANGED if held.state is State.EXCHANGED else State.PENDING
    return Transition(held.pk, _held(held), {"state": state, "claim_id": None, "lease_until": None})


def exchanged(held: Authorization, tokens: Mapping[str, str], *, now: float) -> Transition:
    """Keep the tokens of an exchange that did not say whose they are; from here they can't be lost."""
    return Transition(
        held.pk,
        _held(held),
        {"state": State.EXCHANGED, "unstored": dict(tokens), "request_secret": None, **_owed(held, now)},
    )


def granted(held: Authorization, tokens: Mapping[str, str], *, user_id: str, screen_name: str | None, now: float) -> Transition:
    """Commit: the outcome and the tokens in one write, and the request token's secret out."""
    return Transition(
        held.pk,
        _held(held),
        {
            "state": State.GRANTED,
            "user_id": user_id,
            "screen_name": screen_name,
            "granted_at": now,
            "unstored": dict(tokens),
            "request_secret": None,
            "lease_until": None,
            **_owed(held, now),
        },
    )


def failed(held: Authorization, error: errors.FlowError, *, now: float) -> Transition:
    """Decide that this authorization has failed for good; no secret stays."""
    return Transition(
        held.pk,
        _held(held),
        {
            "state": State.FAILED,
            "error": error.code,
            "cause": error.cause if isinstance(error, errors.ProviderRejected) else None,
            "unstored": None,
            "request_secret": None,
            "lease_until": None,
            **_clear(now),
        },
    )


def denied(pk: str, *, browser: str, now: float) -> Transition:
    """Decide that the user said no; it needs the same browser as consent does."""
    return Transition(
        pk,
        Attr("state").eq(State.PENDING) & Attr("browser").eq(browser) & Attr("expires_at").gt(now),
        {"state": State.DENIED, "request_secret": None},
    )


def settled(stored: Authorization, *, now: float) -> Transition:
    """Take the tokens out of the record: Secrets Manager has them, or a newer grant has made them void."""
    return Transition(stored.pk, _held(stored), {"unstored": None, **_clear(now)})


def admit(found: Authorization | None, *, cookie: str | None, now: float) -> Authorization:
    """Return the record where it may be answered from or worked on; raises what stands in the way, in the order of the checks.

    Unknown, wrong browser, outcome, expired. Tokens that were exchanged are finished however late.
    """
    if found is None:
        raise errors.UnknownAuthorization
    if not binding.matches(cookie, found.browser):
        raise errors.WrongBrowser
    if not found.decided and found.state is not State.EXCHANGED and found.expires_at <= now:
        raise errors.Expired
    return found


def failure(found: Authorization) -> errors.FlowError | None:
    """Return the error that a decided authorization ended in, or None where it was granted."""
    if found.state is State.GRANTED:
        return None
    code = found.error or errors.Denied.code
    if code == errors.ProviderRejected.code:
        return errors.ProviderRejected(found.cause or Cause.UNKNOWN)
    return errors.OUTCOMES[code]()


def _held(held: Authorization) -> ConditionBase:
    """Whoever moves a claimed record on must be the one who holds it: a slow holder can't overwrite its successor."""
    return Attr("claim_id").eq(held.claim_id) & Attr("state").eq(held.state)


def _owed(held: Authorization, now: float) -> dict[str, Any]:
    """Enter the owed index, and lose the TTL: what is owed is never cleaned up."""
    shard = hashlib.sha256(held.pk.encode()).digest()[0] % OWED_SHARDS
    return {"owed": str(shard), "owed_since": now, "ttl": None}


def _clear(now: float) -> dict[str, Any]:
    """Leave the owed index, and live on for late reloads only."""
    return {"owed": None, "owed_since": None, "ttl": int(now) + ITEM_LIFETIME}
