"""Progress: the rules by which an authorization moves on.

    pending --claim--> exchanging --> granted | consented | failed     an outcome never changes
       |  <--release--     +--> exchanged --> granted | consented | failed
       +--> denied                            consented --redeem--> granted, or lapses: failed

Nothing here does I/O. A rule takes the record as it is known and returns a ``Transition``: one conditional update, which the table
makes or refuses as a whole.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from boto3.dynamodb.conditions import Attr, ConditionBase

from tripod_flow import authorization, errors
from tripod_flow.authorization import ITEM_LIFETIME, REQUEST_TOKEN_LIFETIME, Authorization, State
from tripod_flow.transition import Transition

LEASE = 30  # seconds; longer than the function's timeout, so that a claim which outlives it has lost its holder
OWED_SHARDS = 8  # partitions of the owed index: one alone would take 1,000 writes a second
PIN_ATTEMPTS = 5  # of 10 million PINs
CONFIRMATION_LIFETIME = 600  # seconds that a consent waits for the app to redeem its ticket; then its tokens are erased


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose tokens a grant yields, and whether they are to be kept."""

    user_id: str
    screen_name: str | None
    store: bool


def begin(
    provider: str,
    request_token: str,
    request_secret: str,
    *,
    browser: str | None,
    pin: bool = False,
    subject: str | None = None,
    challenge: str | None = None,
    return_to: str | None = None,
    restart: str = "",
    now: float,
) -> Authorization:
    """Return the record of a new authorization, bound to the browser whose cookie has the digest ``browser``."""
    return Authorization(
        pk=authorization.key(provider, request_token),
        provider=provider,
        request_token=request_token,
        request_secret=request_secret,
        state=State.PENDING,
        browser=browser,
        pin=pin,
        subject=subject,
        challenge=challenge,
        return_to=return_to,
        restart=restart,
        created_at=now,
        expires_at=now + REQUEST_TOKEN_LIFETIME,
        ttl=int(now) + ITEM_LIFETIME,
    )


def claim(
    pk: str, *, browser: str, verifier: str, ticket: str, claim_id: str, now: float, pin: bool = False, subject: str | None = None
) -> Transition:
    """Win the right to exchange: exactly one caller does. ``browser``, ``verifier`` and ``ticket`` are digests."""
    bound: ConditionBase = Attr("browser").eq(browser) | Attr("browser").not_exists()
    if pin and subject is not None:
        bound = Attr("browser").not_exists() & Attr("subject").eq(subject)
    elif pin:
        bound = Attr("browser").eq(browser)
    return Transition(
        pk,
        Attr("state").eq(State.PENDING) & Attr("pin").eq(pin) & bound & Attr("expires_at").gt(now),
        {"state": State.EXCHANGING, "claim_id": claim_id, "lease_until": now + LEASE, "verifier": verifier, "ticket": ticket},
    )


def resume(found: Authorization, *, claim_id: str, now: float, verifier: str = "", ticket: str = "") -> Transition | None:
    """Take over what a dead holder left, or what was released half-way; None while somebody is at work on it.

    Taken over while ``exchanging``, nobody knows whether the exchange was made: the record says so from then on. What was exchanged
    stays with the verifier that it was exchanged for.
    """
    if found.state not in (State.EXCHANGING, State.EXCHANGED) or (found.lease_until or 0) > now:
        return None
    still = Attr("claim_id").eq(found.claim_id) if found.claim_id else Attr("claim_id").not_exists()
    changes: dict[str, Any] = {"claim_id": claim_id, "lease_until": now + LEASE}
    if found.state is State.EXCHANGING:
        changes |= {"doubtful": True, "verifier": verifier, "ticket": ticket}
    return Transition(found.pk, Attr("state").eq(found.state) & still, changes)


def release(held: Authorization, *, doubtful: bool = False) -> Transition:
    """Give the claim back after a failure that may pass: a reload tries again. ``doubtful``: it may have been made all the same."""
    state = State.EXCHANGED if held.state is State.EXCHANGED else State.PENDING
    doubtful = held.doubtful or (doubtful and state is State.PENDING)
    return Transition(held.pk, _held(held), {"state": state, "claim_id": None, "lease_until": None, "doubtful": doubtful})


def wrong_pin(held: Authorization) -> Transition:
    """Count a PIN that the provider refused, and let another be tried."""
    return Transition(
        held.pk, _held(held), {"state": State.PENDING, "claim_id": None, "lease_until": None, "attempts": held.attempts + 1}
    )


def exchanged(held: Authorization, tokens: Mapping[str, str], *, now: float) -> Transition:
    """Keep the tokens of an exchange that did not say whose they are; from here they can't be lost."""
    return Transition(
        held.pk, _held(held), {"state": State.EXCHANGED, "unstored": dict(tokens), "request_secret": None, **_owed(held, now)}
    )


def granted(held: Authorization, tokens: Mapping[str, str], whose: Whose, *, now: float) -> Transition:
    """Commit: the outcome and the tokens in one write, and the request token's secret out.

    Begun by direct invocation, it is no outcome yet: whoever held the authorize URL may have made somebody else consent. A PIN that
    the app itself hands in needs no such doubt.
    """
    changes = {
        "user_id": whose.user_id,
        "screen_name": whose.screen_name,
        "unstored": dict(tokens) if whose.store else None,
        "request_secret": None,
        "lease_until": now + LEASE,  # to store them, by whoever commits
        "decided_at": now,
        **_owed(held, now),
    }
    if held.browser is None and not held.pin:
        return Transition(held.pk, _held(held), {**changes, "state": State.CONSENTED})
    return Transition(held.pk, _held(held), {**changes, **_grant(now)})


def keeping(grant: Authorization, *, now: float, lease: float = LEASE) -> Transition | None:
    """Take a grant's storing over from who let it go or died; None while somebody is at it. ``lease`` in seconds."""
    if grant.state is not State.GRANTED or grant.unstored is None or (grant.lease_until or 0) > now:
        return None
    condition = _held(grant) & Attr("unstored").exists() & _is_lease(grant.lease_until)
    return Transition(grant.pk, condition, {"lease_until": now + lease})


def unkept(grant: Authorization) -> Transition:
    """Let a grant's storing go after a failure, so that others may try at once."""
    return Transition(grant.pk, _held(grant) & Attr("unstored").exists(), {"lease_until": None})


def confirmed(consented: Authorization, *, now: float) -> Transition:
    """Turn a consent into a grant: the app has redeemed its ticket."""
    condition = _held(consented) & Attr("redeemed_at").not_exists()
    granted_at = consented.decided_at or now  # when the user agreed: what was granted or revoked since is newer
    changes = {**_grant(granted_at), "redeemed_at": now, "lease_until": now + LEASE, **_owed(consented, now)}
    return Transition(consented.pk, condition, changes)


def redeemed(granted: Authorization, *, now: float) -> Transition:
    """Note that the ticket of a grant was redeemed."""
    return Transition(granted.pk, _held(granted) & Attr("redeemed_at").not_exists(), {"redeemed_at": now})


def lapsed(consented: Authorization, *, now: float) -> Transition:
    """Erase what was consented to and never confirmed. No event: nobody has been told of it."""
    return Transition(
        consented.pk,
        _held(consented) & Attr("redeemed_at").not_exists(),
        {"state": State.FAILED, "error": errors.Expired.code, "unstored": None, **_clear(now)},
    )


def is_lapsed(found: Authorization, *, now: float) -> bool:
    """Tell whether a consent has waited for its confirmation too long."""
    return found.state is State.CONSENTED and (found.decided_at or 0) + CONFIRMATION_LIFETIME <= now


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
            "decided_at": now,
            "unsent": "authorization.failed",
            **_owed(held, now),
        },
    )


def denied(pk: str, *, browser: str, now: float) -> Transition:
    """Decide that the user said no; it needs the same browser as consent does."""
    bound = Attr("browser").eq(browser) | Attr("browser").not_exists()
    return Transition(
        pk,
        Attr("state").eq(State.PENDING) & Attr("pin").eq(False) & bound & Attr("expires_at").gt(now),
        {
            "state": State.DENIED,
            "request_secret": None,
            "decided_at": now,
            "unsent": "authorization.denied",
            **_owed_at(pk, now),
        },
    )


def settled(stored: Authorization, *, now: float) -> Transition:
    """Take the tokens out of the record: Secrets Manager has them, or a newer grant has made them void."""
    return _paid(stored, "unstored", "unsent", now)


def sent(published: Authorization, *, now: float) -> Transition:
    """Take the event out of the record: it was published."""
    return _paid(published, "unsent", "unstored", now)


def _paid(record: Authorization, paid: str, other: str, now: float) -> Transition:
    """Take out one of the two things that may be owed; the record leaves the owed index with the last of them."""
    standing = _held(record) if record.claim_id else Attr("state").eq(record.state)
    if getattr(record, other) is None:
        return Transition(record.pk, standing & Attr(other).not_exists(), {paid: None, **_clear(now)})
    return Transition(record.pk, standing & Attr(other).exists(), {paid: None})


def _held(held: Authorization) -> ConditionBase:
    """Whoever moves a claimed record on must be the one who holds it: a slow holder can't overwrite its successor."""
    return Attr("claim_id").eq(held.claim_id) & Attr("state").eq(held.state)


def _is_lease(lease_until: float | None) -> ConditionBase:
    return Attr("lease_until").not_exists() if lease_until is None else Attr("lease_until").eq(lease_until)


def _grant(now: float) -> dict[str, Any]:
    return {"state": State.GRANTED, "granted_at": now, "unsent": "authorization.granted"}


def _owed(held: Authorization, now: float) -> dict[str, Any]:
    return _owed_at(held.pk, now)


def _owed_at(pk: str, now: float) -> dict[str, Any]:
    """Enter the owed index, and lose the TTL: what is owed is never cleaned up."""
    return {"owed": shard(pk), "owed_since": now, "ttl": None}


def shard(pk: str) -> str:
    """Return the partition of the owed index in which an item stands."""
    return str(hashlib.sha256(pk.encode()).digest()[0] % OWED_SHARDS)


def _clear(now: float) -> dict[str, Any]:
    """Leave the owed index, and live on for late reloads only."""
    return {"owed": None, "owed_since": None, "ttl": int(now) + ITEM_LIFETIME}
