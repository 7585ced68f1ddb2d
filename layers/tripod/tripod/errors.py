"""The errors that this layer raises.

TripodError
├── ConsumerNotFound    there is no consumer secret of that provider
├── MalformedSecret     a secret exists, but its content has not the form that Tripod writes
├── TokenNotFound       this user has not signed in
│   ├── TokenRevoked    the user has disconnected, or the provider says that the tokens are revoked
│   └── TokenExpired    the tokens have ended, as the provider said they would
├── HostNotAllowed      tokens may not be sent to this URL
├── TicketRejected      the ticket is expired, used, or another session's
└── TripodUnavailable   Tripod or the provider failed; ``code`` says how

Messages name secrets and never contain their content. Errors of AWS itself (an IAM policy that lacks an action, a throttle)
are raised as botocore's ``ClientError``.
"""

import time


class TripodError(Exception):
    """The base class of every error that this layer raises: catch it to handle them all alike.

    >>> try:
    ...     user_tokens("x", user_id="12")
    ... except TripodError as error:
    ...     print(type(error).__name__)
    TokenNotFound
    """


class ConsumerNotFound(TripodError):
    """Raised when there is no consumer secret of the provider: create it, with the app's consumer key and secret.

    Or the provider's name or the prefix, which the environment variable ``TRIPOD_PREFIX`` sets, is another than meant. A missing
    consumer secret is remembered for 60 seconds.

    Attributes:
        secret: the secret's name, ``{prefix}/consumer/{provider}``.

    >>> try:
    ...     app_session("tumblr")
    ... except ConsumerNotFound as error:
    ...     print(error.secret)
    tripod/consumer/tumblr
    """

    def __init__(self, secret: str) -> None:
        prefix = secret.partition("/consumer/")[0]
        way = f"create it with the app's consumer key and secret, or correct TRIPOD_PREFIX (now {prefix})"
        super().__init__(f"there is no secret {secret}: {way}")
        self.secret = secret


class MalformedSecret(TripodError):
    """Raised when a secret's content is not what belongs there: correct the secret that is named.

    Attributes:
        secret: the secret's name, such as ``tripod/consumer/x``.
        reason: what is wrong with the content, without quoting it.

    >>> try:
    ...     app_session("flickr")
    ... except MalformedSecret as error:
    ...     print(error.secret, "is malformed:", error.reason)
    tripod/consumer/flickr is malformed: app-only calls need "provider.bearer_token_url", an https URL
    """

    def __init__(self, secret: str, reason: str) -> None:
        super().__init__(f"the secret {secret} is malformed: {reason}")
        self.secret = secret
        self.reason = reason


class TokenNotFound(TripodError):
    """Raised when there are no tokens of the user: have the user sign in.

    ``TokenRevoked`` and ``TokenExpired`` are subclasses; to tell them apart, catch those first.

    Attributes:
        secret: the user secret's name, such as ``tripod/user/x/2244994945``.

    >>> try:
    ...     user_tokens("x", user_id="12")
    ... except TokenNotFound as error:
    ...     print(error)
    there is no secret tripod/user/x/12: the user has not granted access
    """

    def __init__(self, secret: str, message: str = "") -> None:
        super().__init__(message or f"there is no secret {secret}: the user has not granted access")
        self.secret = secret


class TokenRevoked(TokenNotFound):
    """Raised when the user has disconnected, or the provider says that the tokens are revoked: have the user sign in again.

    Reading raises it while the deleted secret can still be restored (7 to 30 days, the stack's ``RecoveryWindow``), a request
    of ``user_session`` when the provider answers that the token is revoked and no newer one was granted. A bare 401, as X's API v2
    gives for every refused credential, raises it only if the user has disconnected.

    Attributes:
        secret: the user secret's name, such as ``tripod/user/x/2244994945``.

    >>> disconnect("x", user_id="2244994945")
    >>> try:
    ...     user_tokens("x", user_id="2244994945")
    ... except TokenRevoked as error:
    ...     print(error)
    the tokens of tripod/user/x/2244994945 are no longer good: the user has disconnected or revoked access
    """

    def __init__(self, secret: str) -> None:
        super().__init__(secret, f"the tokens of {secret} are no longer good: the user has disconnected or revoked access")


class TokenExpired(TokenNotFound):
    """Raised when the tokens have ended, as the provider said they would: have the user sign in again. Nothing was sent.

    X's tokens never end. Schoology's do after 90 days, Evernote's after a year (docs/providers.md).

    Attributes:
        secret: the user secret's name, such as ``tripod/user/schoology/2244994945``.
        expires_at: when they ended, in epoch seconds.

    >>> print(TokenExpired("tripod/user/schoology/2244994945", 1790000000))
    the tokens of tripod/user/schoology/2244994945 ended at 2026-09-21T14:13:20Z: the user must sign in again
    """

    def __init__(self, secret: str, expires_at: int) -> None:
        ended = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(expires_at))
        super().__init__(secret, f"the tokens of {secret} ended at {ended}: the user must sign in again")
        self.expires_at = expires_at


class HostNotAllowed(TripodError):
    """Raised by a request, before anything is sent, when the provider's credentials may not be sent to its URL.

    Only https is allowed, and where ``"provider.api_hosts"`` in the consumer secret names hosts (X's are known), only those and
    the hosts of the provider's endpoints. A bearer token and a PLAINTEXT signature are for these hosts alone in any case.

    Attributes:
        host: the host of the URL.
        secret: the name of the consumer secret, in which ``api_hosts`` can name more hosts.

    >>> try:
    ...     user_session("x", user_id="2244994945").get("http://api.x.com/2/users/me", timeout=5)
    ... except HostNotAllowed as error:
    ...     print(error.host, error.secret)
    api.x.com tripod/consumer/x
    """

    def __init__(self, host: str, secret: str, reason: str) -> None:
        super().__init__(f"nothing was sent to {host or 'a URL without a host'} with the credentials of {secret}: {reason}")
        self.host = host
        self.secret = secret


class TicketRejected(TripodError):
    """Raised by ``redeem`` when a ticket is expired, used, or another session's: treat the user as signed out.

    >>> try:
    ...     redeem("made-up", session["secret"])
    ... except TicketRejected:
    ...     print("Please sign in again.")
    Please sign in again.
    """

    def __init__(self) -> None:
        super().__init__("the ticket was rejected: it has expired, has been redeemed, or is not this session's")


class TripodUnavailable(TripodError):
    """Raised when one of Tripod's functions, or the provider, could not do what was asked.

    Try again after ``retry_after`` seconds where that is set; docs/errors.md says what to do about each ``code``.

    Attributes:
        code: how it failed, such as ``provider_unavailable``, ``provider_rejected``, ``not_configured`` or ``internal``.
        retry_after: seconds to wait before another try; None where nothing said.

    >>> with app_session("x") as x:  # while the provider answers 503
    ...     try:
    ...         x.get("https://api.x.com/1.1/application/rate_limit_status.json", timeout=5)
    ...     except TripodUnavailable as error:
    ...         print(error.code, error.retry_after)
    provider_unavailable None
    """

    def __init__(self, reason: str, *, code: str = "internal", retry_after: int | None = None) -> None:
        super().__init__(f"{reason} ({code})")
        self.code = code
        self.retry_after = retry_after
