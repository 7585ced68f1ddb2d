"""What can go wrong for a Lambda that uses tokens.

TripodError
├── ConsumerNotFound    there is no consumer secret of that provider
├── MalformedSecret     a secret is there, and is not what Tripod keeps
├── TokenNotFound       this user never granted access
│   └── TokenRevoked    the user has disconnected, or the provider no longer takes the tokens
├── TicketRejected      a ticket that proves nothing: expired, used, or not this session's
└── TripodUnavailable   Tripod or the provider could not do it; ``code`` says why

Messages name secrets and never show what is in them. What AWS refuses (an IAM policy that lacks an action, a throttle) stays
botocore's own ``ClientError``.
"""


class TripodError(Exception):
    """The root of all that this layer raises on purpose."""


class ConsumerNotFound(TripodError):
    """There is no consumer secret: ``secret`` is the name that was looked for."""

    def __init__(self, secret: str) -> None:
        super().__init__(f"there is no secret {secret}: create it with the app's consumer key and secret")
        self.secret = secret


class MalformedSecret(TripodError):
    """The secret named ``secret`` does not hold what Tripod keeps there; ``reason`` says what is amiss, without its content."""

    def __init__(self, secret: str, reason: str) -> None:
        super().__init__(f"the secret {secret} is malformed: {reason}")
        self.secret = secret
        self.reason = reason


class TokenNotFound(TripodError):
    """No tokens are kept for this user; ``secret`` is the name that was looked for."""

    def __init__(self, secret: str, message: str = "") -> None:
        super().__init__(message or f"there is no secret {secret}: the user has not granted access")
        self.secret = secret


class TokenRevoked(TokenNotFound):
    """The user must sign in again: ``secret`` is to be deleted or gone, or the provider refuses what is in it."""

    def __init__(self, secret: str) -> None:
        super().__init__(secret, f"the tokens of {secret} are no longer good: the user has disconnected or revoked access")


class TicketRejected(TripodError):
    """The ticket proves nothing: it has expired, has been redeemed, or belongs to another session's secret."""

    def __init__(self) -> None:
        super().__init__("the ticket was rejected: it has expired, has been redeemed, or is not this session's")


class TripodUnavailable(TripodError):
    """It could not be done; ``code`` is one of docs/errors.md, ``retry_after`` the seconds to wait first, where that was told."""

    def __init__(self, reason: str, *, code: str = "internal", retry_after: int | None = None) -> None:
        super().__init__(f"{reason} ({code})")
        self.code = code
        self.retry_after = retry_after
