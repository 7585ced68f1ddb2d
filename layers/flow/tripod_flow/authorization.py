"""An authorization: one run of the handshake, from start to outcome. The record, and who may be answered from it.

How it moves on is in ``progress``.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tripod.credentials import UserTokens
from tripod.refusals import Cause
from tripod_flow import binding, errors

REQUEST_TOKEN_LIFETIME = 600  # seconds; X publishes none: short enough for a stolen link, long enough to find a password
ITEM_LIFETIME = binding.LIFETIME  # seconds; a late reload still gets its answer. DynamoDB's TTL only cleans up behind it
OOB = "oob"  # RFC 5849, section 2.1: no callback; the user carries a PIN


class State(StrEnum):
    """Where an authorization stands."""

    PENDING = "pending"
    EXCHANGING = "exchanging"
    EXCHANGED = "exchanged"  # the tokens are here, and whose they are must still be asked
    CONSENTED = "consented"  # begun by direct invocation: the app must still confirm that it was its own user
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
    created_at: float
    expires_at: float
    browser: str | None = field(default=None, repr=False)  # the digest of this browser's cookie; None: begun by direct invocation
    pin: bool = False  # finished by a PIN, not by a callback
    attempts: int = 0  # PINs that the provider refused
    subject: str | None = None  # the app's own user id, as the app gave it
    challenge: str | None = None  # base64url SHA-256 of a secret in the user's session: asks for a ticket
    return_to: str | None = None
    restart: str = ""  # start's query, to begin the same thing again
    ttl: int | None = None
    request_secret: str | None = field(default=None, repr=False)
    claim_id: str | None = None
    lease_until: float | None = None
    verifier: str | None = field(default=None, repr=False)  # the digest of the one that was brought last
    ticket: str | None = field(default=None, repr=False)  # the digest of the ticket
    doubtful: bool = False  # an earlier exchange may have reached the provider: its refusal now proves nothing
    unstored: Mapping[str, str] | None = field(default=None, repr=False)  # the access tokens, until Secrets Manager has them
    unsent: str | None = None  # the event that is still to be published
    user_id: str | None = None
    screen_name: str | None = None
    granted_at: float | None = None
    decided_at: float | None = None  # when it became consented, granted, denied or failed
    redeemed_at: float | None = None
    error: str | None = None  # the failure's code
    cause: Cause | None = None
    owed: str | None = None  # the shard of the owed index
    owed_since: float | None = None

    @property
    def label(self) -> str:
        """A name for this authorization in logs, which tells nothing of its tokens."""
        return label(self.pk)

    @property
    def decided(self) -> bool:
        """Whether there is an outcome."""
        return self.state in OUTCOMES

    @property
    def answerable(self) -> bool:
        """Whether the person before the browser can be told that all is done: the app's confirmation is not theirs to wait for."""
        return self.decided or self.state is State.CONSENTED

    def tokens(self) -> UserTokens:
        """Return the user's tokens of a grant that is still unstored."""
        if self.unstored is None or self.user_id is None:
            raise ValueError("nothing is unstored")
        return UserTokens(self.provider, self.user_id, self.screen_name, **self.unstored)


def label(pk: str) -> str:
    """Return a name for an item in logs, which tells nothing of its tokens."""
    return hashlib.sha256(pk.encode()).hexdigest()[:16]


def key(provider: str, request_token: str) -> str:
    """Return the table's key of an authorization."""
    return f"authorization#{provider}#{request_token}"


def digest(verifier: str) -> str:
    """Return what the record keeps of a verifier: its SHA-256, in hex."""
    return hashlib.sha256(verifier.encode()).hexdigest()


def admit(
    found: Authorization | None,
    *,
    cookie: str | None,
    now: float,
    verifier: str | None = None,
    pin: bool = False,
    subject: str | None = None,
) -> Authorization:
    """Return the record where it may be answered from or worked on; raises what stands in the way, in the order of the checks.

    Unknown, wrong browser, outcome, expired. A PIN and a callback each finish only their own kind. One begun by direct invocation
    has no browser: it is answered for the same verifier (or, by PIN, for the same ``subject``) alone. What was exchanged, or is
    being exchanged, is finished however late.
    """
    if found is None or found.pin is not pin:
        raise errors.UnknownAuthorization
    if found.browser is not None and not binding.matches(cookie, found.browser):
        raise errors.WrongBrowser
    if found.browser is None and not _is_same_caller(found, verifier, subject):
        raise errors.UnknownAuthorization
    unheld = found.state is not State.EXCHANGED and (found.lease_until or 0) <= now
    if not found.answerable and unheld and found.expires_at <= now:
        raise errors.Expired
    return found


def _is_same_caller(found: Authorization, verifier: str | None, subject: str | None) -> bool:
    if found.pin:
        return subject is not None and found.subject is not None and hmac.compare_digest(subject.encode(), found.subject.encode())
    if found.state in (State.PENDING, State.EXCHANGING):
        return True  # the provider judges the verifier
    if found.state is State.DENIED:
        return verifier is None
    return verifier is not None and found.verifier is not None and hmac.compare_digest(digest(verifier), found.verifier)


def failure(found: Authorization) -> errors.FlowError | None:
    """Return the error that an authorization ended in, or None where it was granted, or consented to."""
    if found.state in (State.GRANTED, State.CONSENTED):
        return None
    code = found.error or errors.Denied.code
    if code == errors.ProviderRejected.code:
        return errors.ProviderRejected(found.cause or Cause.UNKNOWN)
    return errors.OUTCOMES[code]()
