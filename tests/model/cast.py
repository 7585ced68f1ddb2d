"""Who and what is in the machine's plays, and what a run did."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from sandbox.provider import User
from tripod_flow.rules.authorization import Authorization

WRONG = "1234567"  # a verifier, a PIN, a cookie or a secret that nobody was given


class Kind(StrEnum):
    """How an authorization is begun."""

    PLAIN = "plain"
    TICKET = "ticket"
    PIN = "pin"
    DIRECT = "direct"
    DIRECT_PIN = "direct pin"


class Who(StrEnum):
    """Which browser comes, or which caller."""

    RIGHT = "right"
    NONE = "none"  # with no cookie
    FORGED = "forged"  # with a cookie of the right name
    OTHER = "other"  # with the cookies of every other authorization, one of them under the right name


class Interruption(StrEnum):
    """What happens in the middle of something else."""

    DIE = "die"
    WAIT = "wait"
    COME_BACK = "come back"
    DENY = "deny"
    REDEEM = "redeem"
    REVOKE = "revoke"
    SWEEP = "sweep"
    SIGN_IN = "sign in"
    REVOKE_THERE = "revoke at the provider"
    CHECK = "check"
    REPORT = "report"
    ROUND = "round of checks"


@dataclass(eq=False)
class Begun:
    """One authorization, as the machine knows it."""

    kind: Kind
    number: int
    token: str
    url: str
    cookie: str
    cookie_key: str | None
    secret: str | None
    subject: str | None
    user: User | None = None  # who has consented
    verifier: str = WRONG
    refused: bool = False
    ticket: str | None = None
    record: Authorization | None = None  # as last seen

    @property
    def pin(self) -> bool:
        return self.kind in (Kind.PIN, Kind.DIRECT_PIN)

    @property
    def bound(self) -> bool:
        """Whether a browser began it."""
        return self.cookie_key is not None


@dataclass
class AnsweredRevocation:
    """A revocation that was answered as done, and between which times."""

    user: User
    since: float
    until: float


@dataclass(frozen=True)
class SeenConnection:
    """What a user's connection was last seen to say of its state."""

    grant_id: str | None = None  # None: the user is not connected
    is_refused: bool = False
    checked_at: float | None = None


EXPECTED = {
    "stores": ("secrets-manager", "table", "moving"),
    "outcomes": ("granted", "denied", "interrupted", "expired"),
    "answers": ("redeemed", "redeem: InvalidTicket", "revoked", "check: connected", "check: refused"),
    "changes": ("connection.refused", "connection.restored", "connection.restored by a grant"),
}


@dataclass
class ModelFigures:
    """What a run did."""

    examples: int = 0
    exchanges: int = 0
    stores: Counter[str] = field(default_factory=Counter)  # exchanges of apps that keep tokens there
    rules: Counter[str] = field(default_factory=Counter)
    interruptions: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    changes: Counter[str] = field(default_factory=Counter)  # of connections' states

    def missing(self) -> list[str]:
        """Return what a long run should have come to, and has not."""
        return [
            f"an entry of {kind}: {name}" for kind, names in EXPECTED.items() for name in names if not getattr(self, kind)[name]
        ]
