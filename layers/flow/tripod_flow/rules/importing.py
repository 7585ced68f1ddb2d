"""An import: tokens that somebody else has kept become a grant, as a sign-in at that time would have left it; the relay stores it.

So what holds for sign-ins holds here: the newest grant wins, and a disconnect ends what was agreed to before. One user and one moment are
one record, and the same tokens the same grant: whatever is imported twice is there once.
"""

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from tripod.credentials import AccessToken, UserTokens
from tripod.sealed_tokens import SealedTokens
from tripod_flow.rules import authorization, outbox
from tripod_flow.rules.authorization import Authorization, State
from tripod_flow.rules.connection import ConnectionRecord

MARK = "import-"  # how the request token of an imported grant begins; no handshake had one
GRANTED = "authorization.granted"

# Why what is here is kept
NEWER = "the grant here is newer"
SAME_TIME = "the grant here is of the same time, with other tokens"
UNDATED = "the user is connected here, and nobody says when the row was granted"
ANOTHER_ROW = "another row has other tokens of this user, of the same time"


class ImportResult(StrEnum):
    """What an import has done with a row."""

    TAKEN = "taken"
    THERE = "already there"  # these tokens, stored or on their way
    KEPT = "kept"  # the connection that is here, or another row's tokens
    DISCONNECTED = "disconnected"  # the user has ended the connection, and not signed in since
    SKIPPED = "skipped"  # another provider's
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Standing:
    """Why a grant is not taken, with the reason where the result does not say it."""

    result: ImportResult
    reason: str = ""


def key(tokens: UserTokens, granted_at: float) -> str:
    """Return the table's key of the record for this user and moment."""
    return authorization.key(tokens.provider, MARK + _digest(tokens.user_id, f"{granted_at:.3f}")[:32])


def grant_id(tokens: UserTokens, granted_at: float) -> str:
    """Return the id of the grant, in the place of a claim's: other tokens are another grant."""
    parts = (tokens.provider, tokens.user_id, f"{granted_at:.3f}", tokens.oauth_token, tokens.oauth_token_secret)
    return MARK + _digest(*parts)[:32]


def grant(
    tokens: UserTokens,
    kept: AccessToken | SealedTokens,
    *,
    granted_at: float,
    subject: str | None = None,
    labels: tuple[str, ...] | None = None,
    is_told: bool = False,
    now: float,
) -> Authorization:
    """Return the record of a grant that owes its tokens, ``kept`` as a sign-in's are; ``is_told``: its event as well.

    It never was anybody's authorization: no browser, verifier or ticket gets anything of it.
    """
    pk = key(tokens, granted_at)
    return Authorization(
        pk=pk,
        provider=tokens.provider,
        request_token=pk.rpartition("#")[2],
        state=State.GRANTED,
        created_at=now,
        expires_at=now,
        subject=subject,
        labels=labels,
        claim_id=grant_id(tokens, granted_at),
        pending_tokens=kept,
        pending_event=GRANTED if is_told else None,
        user_id=tokens.user_id,
        screen_name=tokens.screen_name,
        exchanged_at=granted_at,
        granted_at=granted_at,
        token_expires_at=tokens.expires_at,
        decided_at=now,
        **outbox.entered(pk, now),
    )


def standing(found: ConnectionRecord | None, grant_id: str, granted_at: float, *, is_dated: bool) -> Standing | None:
    """Return why a grant is not taken over ``found``; None: it is.

    Where nobody knows when it was granted (``is_dated`` False), it never takes another grant's place, nor counts after a disconnect.
    """
    if found is None:
        return None
    if found.is_connection and found.grant_id is not None:
        if found.grant_id == grant_id:
            return Standing(ImportResult.THERE)
        if found.granted_at is not None and found.granted_at >= granted_at:
            return Standing(ImportResult.KEPT, SAME_TIME if found.granted_at == granted_at else NEWER)
        if not is_dated:
            return Standing(ImportResult.KEPT, UNDATED)
    if found.ended_at is not None and (found.ended_at >= granted_at or (not is_dated and not found.is_connection)):
        return Standing(ImportResult.DISCONNECTED)
    return None


def standing_of_record(found: Authorization | None, grant_id: str) -> Standing | None:
    """Return why a grant is not taken where its key has the record ``found``; None: there is none."""
    if found is None:
        return None
    if found.claim_id == grant_id:
        return Standing(ImportResult.THERE)
    return Standing(ImportResult.KEPT, ANOTHER_ROW)


def is_imported(pk: str, provider: str) -> bool:
    """Return True if an item is the record of a grant that was imported."""
    return pk.startswith(authorization.key(provider, MARK))


def _digest(*parts: str) -> str:
    """Return the SHA-256 of texts in hex, each with its length: no two rows share one."""
    return hashlib.sha256("".join(f"{len(part)}:{part}" for part in parts).encode()).hexdigest()
