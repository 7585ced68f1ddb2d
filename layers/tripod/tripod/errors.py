"""What can go wrong for a Lambda that uses tokens.

TripodError
├── ConsumerNotFound    there is no consumer secret of that provider
├── MalformedSecret     a secret is there, and is not what Tripod keeps
└── TokenNotFound       this user never granted access, or the tokens were deleted
    └── TokenRevoked    the provider no longer takes them

Messages name secrets and never show what is in them.
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
        super().__init__(message or f"there is no secret {secret}: the user has not granted access, or has disconnected")
        self.secret = secret
