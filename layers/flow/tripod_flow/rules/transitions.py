"""The transitions of an authorization: each is one conditional update, which the table applies or refuses as a whole.

    pending --claim--> exchanging --grant, fail--> granted | consented | failed     an outcome never changes
       |  <--release--     +--save_exchange--> exchanged --grant, fail--> granted | consented | failed
       +--deny--> denied, --end_forwarded--> failed                       consented --confirm--> granted, or --lapse--> failed

docs/architecture.md draws them. No function here does I/O.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from boto3.dynamodb.conditions import Attr, ConditionBase

from tripod.credentials import AccessToken
from tripod.sealed_tokens import SealedTokens
from tripod_flow.rules import authorization, errors, outbox
from tripod_flow.rules.authorization import ITEM_LIFETIME, REQUEST_TOKEN_LIFETIME, Authorization, Identity, State
from tripod_flow.rules.conditions import equals

LEASE = 30  # seconds; longer than the function's timeout, so that a lease that has ended has no living holder
IDENTITY_PATIENCE = 86_400  # seconds in which a provider is asked which user saved tokens belong to
CONFIRMATION_LIFETIME = 600  # seconds that a consent waits for the app to redeem its ticket; then its tokens are erased


@dataclass(frozen=True, slots=True)
class IfAbsent:
    """A change of an attribute that the item does not have; one that it has stays."""

    value: Any


@dataclass(frozen=True, slots=True)
class Transition:
    """One conditional update of the item ``pk``: the condition, and the attributes that change (None removes one)."""

    pk: str
    condition: ConditionBase
    changes: Mapping[str, Any] = field(repr=False)


def begin(
    provider: str,
    request_token: str,
    request_secret: str,
    *,
    cookie_digest: str | None,
    pin: bool = False,
    subject: str | None = None,
    labels: tuple[str, ...] | None = None,
    challenge: str | None = None,
    return_to: str | None = None,
    restart_query: str = "",
    now: float,
) -> Authorization:
    """Return the record of a new authorization, bound to the browser whose cookie has ``cookie_digest``."""
    return Authorization(
        pk=authorization.key(provider, request_token),
        provider=provider,
        request_token=request_token,
        request_secret=request_secret,
        state=State.PENDING,
        cookie_digest=cookie_digest,
        pin=pin,
        subject=subject,
        labels=labels,
        challenge=challenge,
        return_to=return_to,
        restart_query=restart_query,
        created_at=now,
        expires_at=now + REQUEST_TOKEN_LIFETIME,
        ttl=int(now) + ITEM_LIFETIME,
    )


def claim(
    pk: str,
    *,
    cookie_digest: str,
    verifier_digest: str | None,
    ticket_digest: str,
    ticket_salt: str,
    claim_id: str,
    now: float,
    pin: bool = False,
    subject: str | None = None,
) -> Transition:
    """Claim the exchange of a pending authorization: of several callers exactly one succeeds.

    Without a verifier (``verifier_digest`` None) only the browser that began it does.
    """
    condition = _open_condition(cookie_digest, now, pin=pin, subject=subject)
    return Transition(
        pk,
        condition if verifier_digest is not None else condition & Attr("cookie_digest").exists(),
        {
            "state": State.EXCHANGING,
            "claim_id": claim_id,
            "claimed_at": now,
            "lease_until": now + LEASE,
            "verifier_digest": verifier_digest,
            "ticket_digest": ticket_digest,
            "ticket_salt": ticket_salt,
        },
    )


def take_over(
    found: Authorization,
    *,
    claim_id: str,
    now: float,
    verifier_digest: str | None = None,
    ticket_digest: str | None = None,
    ticket_salt: str | None = None,
    lease: float = LEASE,
) -> Transition | None:
    """Claim an authorization whose lease has ended or was given back; None while a lease is live or where nothing is left to do.

    Taken over in state ``exchanging``, the record says from then on that the exchange may have been made. An exchanged one keeps the
    digests of the verifier that it was exchanged with.
    """
    if found.state not in (State.EXCHANGING, State.EXCHANGED) or (found.lease_until or 0) > now:
        return None
    changes: dict[str, Any] = {"claim_id": claim_id, "lease_until": now + lease}
    if found.state is State.EXCHANGING:
        brought = {"verifier_digest": verifier_digest, "ticket_digest": ticket_digest, "ticket_salt": ticket_salt}
        changes |= {"maybe_exchanged": True, **brought}
    return Transition(found.pk, equals("state", found.state) & equals("claim_id", found.claim_id), changes)


def release(held: Authorization, *, due: float, maybe_exchanged: bool = False) -> Transition:
    """Give the claim back after a passing failure, so that a reload tries again; what is exchanged, the relay tries at ``due``."""
    state = State.EXCHANGED if held.state is State.EXCHANGED else State.PENDING
    maybe_exchanged = held.maybe_exchanged or (maybe_exchanged and state is State.PENDING)
    changes: dict[str, Any] = {"state": state, "claim_id": None, "lease_until": None, "maybe_exchanged": maybe_exchanged}
    if not held.pin:  # whoever brings a PIN again agrees anew; a page that is loaded again does not
        changes["back_at"] = held.back_at or held.claimed_at
    if state is State.EXCHANGED:
        changes |= {"outbox_due": min(due, identity_until(held)), "outbox_tries": held.outbox_tries + 1}
    return Transition(held.pk, _held_condition(held), changes)


def count_wrong_pin(held: Authorization) -> Transition:
    """Count a PIN that the provider refused, and give the claim back for another."""
    changes = {"state": State.PENDING, "claim_id": None, "lease_until": None, "failed_pins": held.failed_pins + 1}
    return Transition(held.pk, _held_condition(held), changes)


def needs_confirmation(record: Authorization) -> bool:
    """Return True if the app must redeem a ticket before a consent counts: it was begun by direct invocation, without a PIN."""
    return not record.is_bound and not record.pin


def identity_until(exchanged: Authorization) -> float:
    """Return until when a provider is asked which user saved tokens belong to; then they are erased."""
    return exchanged.created_at + (CONFIRMATION_LIFETIME if needs_confirmation(exchanged) else IDENTITY_PATIENCE)


def save_exchange(held: Authorization, token: AccessToken, *, sent_at: float, now: float) -> Transition:
    """Save the access token of an exchange, sent at ``sent_at``, whose answer does not say which user it belongs to."""
    saved = {"state": State.EXCHANGED, "pending_tokens": token, "exchanged_at": sent_at, "request_secret": None}
    changes = {**saved, **_enter_outbox(held.pk, now)}
    return Transition(held.pk, _held_condition(held), changes)


def grant(
    held: Authorization,
    token: AccessToken | SealedTokens,
    identity: Identity,
    *,
    store: bool,
    to_seal: bool = False,
    sent_at: float | None = None,
    now: float,
) -> Transition:
    """Commit: outcome and access token in one write; the request token's secret is removed.

    ``store``: whether the record keeps the token until it is where tokens are kept; ``to_seal``: that is in the table.

    A grant counts from when its exchange was sent, at ``sent_at`` (None: as ``held`` says): of two, the one that was asked for later is
    the newer, however slowly it was answered.
    An authorization begun by direct invocation becomes a consent instead: another person may have been made to agree, so the app
    must confirm it with the ticket. A PIN that the app itself hands in needs no confirmation.
    """
    exchanged_at = held.exchanged_at if sent_at is None else sent_at
    changes = {
        "exchanged_at": exchanged_at,
        "user_id": identity.user_id,
        "screen_name": identity.screen_name,
        "pending_tokens": token if store else None,
        **({"to_seal": True} if to_seal else {}),
        "request_secret": None,
        **({} if token.expires_at is None else {"token_expires_at": token.expires_at}),
        "lease_until": max(held.lease_until or now, now + LEASE),  # for storing, by the holder of the claim
        "decided_at": now,
        **_enter_outbox(held.pk, now),
    }
    if needs_confirmation(held):
        consent = {"state": State.CONSENTED, "outbox_due": now + CONFIRMATION_LIFETIME}  # until then there is nothing to do
        return Transition(held.pk, _held_condition(held), {**changes, **consent})
    return Transition(held.pk, _held_condition(held), {**changes, **_granted(exchanged_at)})


def lease_storing(granted: Authorization, *, now: float, lease: float = LEASE) -> Transition | None:
    """Acquire the lease to store a grant's tokens, for ``lease`` seconds. None while another lease is live or nothing is pending."""
    if granted.state is not State.GRANTED or granted.pending_tokens is None or (granted.lease_until or 0) > now:
        return None
    unleased = Attr("pending_tokens").exists() & equals("lease_until", granted.lease_until)
    return Transition(granted.pk, _held_condition(granted) & unleased, {"lease_until": now + lease})


def release_storing(granted: Authorization, *, due: float) -> Transition:
    """Give the lease to store a grant's tokens back after a failure; the relay tries again at ``due``."""
    due = min(due, (granted.outbox_since or due) + outbox.PATIENCE)
    changes = {"lease_until": None, "outbox_due": due, "outbox_tries": granted.outbox_tries + 1}
    return Transition(granted.pk, _held_condition(granted) & Attr("pending_tokens").exists(), changes)


def postpone(record: Authorization, *, due: float) -> Transition:
    """Let the relay try the record again at ``due``, after a failure that held no lease."""
    unchanged = Attr("outbox_due").eq(record.outbox_due) & Attr("state").eq(record.state)
    return Transition(record.pk, unchanged, {"outbox_due": due, "outbox_tries": record.outbox_tries + 1})


def confirm(consented: Authorization, *, now: float) -> Transition:
    """Turn a consent into a grant: the app has redeemed its ticket. It counts from the consent: what happened since is newer."""
    changes = {
        **_granted(consented.exchanged_at),
        "redeemed_at": now,
        "lease_until": now + LEASE,
        **_enter_outbox(consented.pk, now),
    }
    return Transition(consented.pk, _held_condition(consented) & Attr("redeemed_at").not_exists(), changes)


def mark_redeemed(granted: Authorization, *, now: float) -> Transition:
    """Record that the ticket of a grant was redeemed."""
    return Transition(granted.pk, _held_condition(granted) & Attr("redeemed_at").not_exists(), {"redeemed_at": now})


def lapse(consented: Authorization, *, now: float) -> Transition:
    """End a consent that was not confirmed in time and erase its tokens. It has no event: nobody was told of the consent."""
    changes = {"state": State.FAILED, "error": errors.Expired.code, "pending_tokens": None, **_leave_outbox(now)}
    return Transition(consented.pk, _held_condition(consented) & Attr("redeemed_at").not_exists(), changes)


def has_lapsed(found: Authorization, *, now: float) -> bool:
    """Return True for a consent that has waited longer than ``CONFIRMATION_LIFETIME``."""
    return found.state is State.CONSENTED and (found.decided_at or 0) + CONFIRMATION_LIFETIME <= now


def fail(held: Authorization, error: errors.FlowError, *, now: float) -> Transition:
    """End an authorization as failed with ``error``, and remove every secret."""
    changes = {
        "state": State.FAILED,
        "error": error.code,
        "cause": error.cause if isinstance(error, errors.ProviderRejected) else None,
        "pending_tokens": None,
        "lease_until": None,
        **_ended(held.pk, "authorization.failed", now),
    }
    return Transition(held.pk, _held_condition(held), changes)


def end_forwarded(pending: Authorization, *, now: float) -> Transition:
    """End a pending authorization that another browser has come back for, at a provider that issues no verifier."""
    failed = {"state": State.FAILED, "error": errors.VerifierRejected.code}
    changes = {**failed, **_ended(pending.pk, "authorization.failed", now)}
    return Transition(pending.pk, Attr("state").eq(State.PENDING) & Attr("cookie_digest").eq(pending.cookie_digest), changes)


def deny(pk: str, *, cookie_digest: str, now: float) -> Transition:
    """End a pending authorization as denied by the user; the browser must be the one that began it, if one did, as for ``claim``."""
    changes = {"state": State.DENIED, **_ended(pk, "authorization.denied", now)}
    return Transition(pk, _open_condition(cookie_digest, now), changes)


def mark_stored(granted: Authorization, *, now: float) -> Transition:
    """Remove the tokens from the record: they are in Secrets Manager, or a newer grant has replaced them."""
    return _clear_pending(granted, "pending_tokens", "pending_event", now)


def mark_published(decided: Authorization, *, now: float) -> Transition:
    """Remove the event from the record: it was published."""
    return _clear_pending(decided, "pending_event", "pending_tokens", now)


def _open_condition(cookie_digest: str, now: float, *, pin: bool = False, subject: str | None = None) -> ConditionBase:
    """Return the condition that an authorization is pending and in time, and the caller the one who may end it."""
    bound: ConditionBase = Attr("cookie_digest").eq(cookie_digest) | Attr("cookie_digest").not_exists()
    if pin and subject is not None:
        bound = Attr("cookie_digest").not_exists() & Attr("subject").eq(subject)
    elif pin:
        bound = Attr("cookie_digest").eq(cookie_digest)
    return Attr("state").eq(State.PENDING) & Attr("pin").eq(pin) & bound & Attr("expires_at").gt(now)


def _clear_pending(record: Authorization, cleared: str, other: str, now: float) -> Transition:
    """Clear one of the two pending fields; leave the outbox when both are empty."""
    unchanged = _held_condition(record) if record.claim_id else Attr("state").eq(record.state)
    if getattr(record, other) is None:
        return Transition(record.pk, unchanged & Attr(other).not_exists(), {cleared: None, **_leave_outbox(now)})
    return Transition(record.pk, unchanged & Attr(other).exists(), {cleared: None})


def _held_condition(held: Authorization) -> ConditionBase:
    """Return the condition that the claim is still the caller's, so that a slow holder can't overwrite its successor's work."""
    return Attr("claim_id").eq(held.claim_id) & Attr("state").eq(held.state)


def _granted(granted_at: float | None) -> dict[str, Any]:
    return {"state": State.GRANTED, "granted_at": granted_at, "pending_event": "authorization.granted"}


def _ended(pk: str, event: str, now: float) -> dict[str, Any]:
    return {"request_secret": None, "decided_at": now, "pending_event": event, **_enter_outbox(pk, now)}


def _enter_outbox(pk: str, now: float) -> dict[str, Any]:
    """Enter the outbox index, and drop the TTL: an item with pending work is never cleaned up."""
    return {**outbox.entered(pk, now), "ttl": None}


def _leave_outbox(now: float) -> dict[str, Any]:
    """Leave the outbox index, and stay for late reloads only."""
    return {**outbox.LEFT, "ttl": int(now) + ITEM_LIFETIME}
