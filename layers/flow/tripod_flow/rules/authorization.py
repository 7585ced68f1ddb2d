"""An authorization: one run of the handshake, from start to outcome. The record, and who may read its result.

Its transitions are in ``transitions``.
"""

import hashlib
import hmac
from dataclasses import dataclass, field
from enum import StrEnum

from tripod.credentials import AccessToken, UserTokens
from tripod.provider_errors import Cause
from tripod.sealed_tokens import SealedTokens
from tripod_flow.rules import binding, errors

REQUEST_TOKEN_LIFETIME = 600  # seconds; X publishes none: short enough for a stolen link, long enough to find a password
PIN_ATTEMPTS = 5  # of 10 million PINs
ITEM_LIFETIME = binding.LIFETIME  # seconds; a late reload still gets its answer. DynamoDB's TTL only cleans up behind it
MAX_SUBJECT = 256  # characters of the app's own user id
MOST_LABELS = 5
MAX_LABEL = 64  # characters
OOB = "oob"  # RFC 5849, section 2.1: no callback; the user carries a PIN


class State(StrEnum):
    """The states of an authorization."""

    PENDING = "pending"
    EXCHANGING = "exchanging"
    EXCHANGED = "exchanged"  # the access token is saved; which user it belongs to must still be asked
    CONSENTED = "consented"  # begun by direct invocation: the app must still confirm that it was its own user
    GRANTED = "granted"
    DENIED = "denied"
    FAILED = "failed"


OUTCOMES = frozenset({State.GRANTED, State.DENIED, State.FAILED})


@dataclass(frozen=True, slots=True)
class Identity:
    """The user that an access token belongs to; a provider may have no name beside the id."""

    user_id: str
    screen_name: str | None


@dataclass(frozen=True, slots=True)
class Authorization:
    """The record as it is in the table; times in epoch seconds, digests SHA-256 in hex."""

    pk: str
    provider: str
    request_token: str = field(repr=False)
    state: State
    created_at: float
    expires_at: float
    cookie_digest: str | None = field(default=None, repr=False)  # of the browser that began it; None: begun by direct invocation
    pin: bool = False  # finished by a PIN, not by a callback
    failed_pins: int = 0  # PINs that the provider refused
    subject: str | None = None  # the app's own user id, as the app gave it
    labels: tuple[str, ...] | None = None  # the app's own, as the app gave them
    challenge: str | None = None  # base64url SHA-256 of a secret in the user's session: asks for a ticket
    return_to: str | None = None
    restart_query: str = ""  # the query of start that begins the same again
    ttl: int | None = None
    request_secret: str | None = field(default=None, repr=False)
    claim_id: str | None = None
    claimed_at: float | None = None  # when the user was back with the verifier: a disconnect since then is newer
    back_at: float | None = None  # when the user was back first, of a claim that was given back
    lease_until: float | None = None
    verifier_digest: str | None = field(default=None, repr=False)  # of the verifier that was brought last; None: none is issued
    ticket_digest: str | None = field(default=None, repr=False)
    ticket_salt: str | None = field(default=None, repr=False)  # random: a ticket can't be made of what its visitor brings alone
    maybe_exchanged: bool = False  # an earlier exchange may have reached the provider: a refusal now proves nothing
    pending_tokens: AccessToken | SealedTokens | None = field(default=None, repr=False)  # until they are where they are kept
    to_seal: bool | None = None  # the pending tokens are the table's, and could not be sealed yet
    pending_event: str | None = None  # the detail-type of the event that is still to be published
    user_id: str | None = None
    screen_name: str | None = None
    exchanged_at: float | None = None  # when the exchange was sent
    granted_at: float | None = None
    token_expires_at: int | None = None  # where the provider sets the granted token an end
    decided_at: float | None = None  # when it became consented, granted, denied or failed
    redeemed_at: float | None = None
    error: str | None = None  # the failure's code
    cause: Cause | None = None
    outbox: str | None = None  # the shard of the outbox index; None: nothing is pending
    outbox_since: float | None = None
    outbox_due: float | None = None  # not before: the relay's next try, or the end of a consent's time
    outbox_tries: int = 0  # failed tries since it entered the outbox

    @property
    def log_id(self) -> str:
        """Return the name of this authorization in logs."""
        return log_id(self.pk)

    @property
    def is_decided(self) -> bool:
        """Return True if there is an outcome."""
        return self.state in OUTCOMES

    @property
    def is_answerable(self) -> bool:
        """Return True if the person at the browser can be told the result. The app's confirmation is not theirs to wait for."""
        return self.is_decided or self.state is State.CONSENTED

    def awaits_return(self, now: float) -> bool:
        """Return True while a browser may come back from the provider with the user's decision."""
        return self.state is State.PENDING and not self.pin and self.expires_at > now

    @property
    def agreed_at(self) -> float:
        """Return when the user was back, having agreed: a disconnect that was asked for since then ends what they agreed to."""
        return self.back_at or self.claimed_at or self.granted_at or self.decided_at or 0.0

    @property
    def is_bound(self) -> bool:
        """Return True if only one browser may see the result; False if anyone with the authorize URL may have it."""
        return self.cookie_digest is not None

    def user_tokens(self) -> UserTokens:
        """Return the pending tokens of a grant as they are stored; raises ``ValueError`` where none are pending, or sealed ones."""
        if not isinstance(self.pending_tokens, AccessToken) or self.user_id is None:
            raise ValueError("no tokens are pending")
        return UserTokens(
            provider=self.provider,
            user_id=self.user_id,
            screen_name=self.screen_name,
            oauth_token=self.pending_tokens.oauth_token,
            oauth_token_secret=self.pending_tokens.oauth_token_secret,
            consumer_key=self.pending_tokens.consumer_key,
            expires_at=self.pending_tokens.expires_at,
            extra=self.pending_tokens.extra,
        )


def log_id(pk: str) -> str:
    """Return the name of an item in logs: 16 hex digits that reveal nothing of its tokens."""
    return hashlib.sha256(pk.encode()).hexdigest()[:16]


def key(provider: str, request_token: str) -> str:
    """Return the table's key of an authorization."""
    return f"authorization#{provider}#{request_token}"


def digest(verifier: str) -> str:
    """Return the SHA-256 of a verifier, in hex: what the record keeps of it."""
    return hashlib.sha256(verifier.encode()).hexdigest()


def check_access(
    found: Authorization | None,
    *,
    cookie: str | None,
    now: float,
    verifier: str | None = None,
    pin: bool = False,
    subject: str | None = None,
) -> Authorization:
    """Check access and return the record. Raises UnknownAuthorization, WrongBrowser, Expired, in that order.

    A PIN and a callback each finish only their own kind. An authorization begun by direct invocation has no browser: its result is
    for the same verifier (by PIN: the same ``subject``), never for an empty one. An exchange that is saved or under way is finished
    however late.
    """
    if found is None or found.pin is not pin:
        raise errors.UnknownAuthorization
    if found.cookie_digest is not None and not binding.matches(cookie, found.cookie_digest):
        raise errors.WrongBrowser
    if found.cookie_digest is None and not _is_same_caller(found, verifier, subject):
        raise errors.UnknownAuthorization
    is_unattended = found.state is not State.EXCHANGED and (found.lease_until or 0) <= now
    if not found.is_answerable and is_unattended and found.expires_at <= now:
        raise errors.Expired(restart_query=found.restart_query if found.is_bound else "")
    return found


def _is_same_caller(found: Authorization, verifier: str | None, subject: str | None) -> bool:
    if found.pin:
        return subject is not None and found.subject is not None and hmac.compare_digest(subject.encode(), found.subject.encode())
    if verifier == "":
        return False  # a provider that issues none: nothing but a cookie could tell who is back
    if found.state in (State.PENDING, State.EXCHANGING):
        return True  # the provider judges the verifier
    if found.state is State.DENIED:
        return verifier is None
    kept = found.verifier_digest
    return verifier is not None and kept is not None and hmac.compare_digest(digest(verifier), kept)


def outcome_error(found: Authorization) -> errors.FlowError | None:
    """Return the error that an authorization ended in; None where it was granted or consented to."""
    if found.state in (State.GRANTED, State.CONSENTED):
        return None
    code, restart_query = found.error or errors.Denied.code, found.restart_query if found.is_bound else ""
    if code == errors.ProviderRejected.code:
        return errors.ProviderRejected(found.cause or Cause.UNKNOWN, restart_query=restart_query)
    if code == errors.VerifierRejected.code and found.failed_pins == PIN_ATTEMPTS - 1:
        return errors.NoPinLeft(restart_query=restart_query)
    return errors.OUTCOME_ERRORS[code](restart_query=restart_query)
