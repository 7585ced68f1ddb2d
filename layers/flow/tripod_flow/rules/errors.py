"""The errors that a request to Tripod can end in; and ``Contended``, which ends none.

FlowError
├── BadRequest              400  ├── ReturnToNotAllowed
│                                ├── HostRefused
│                                └── PlaintextRefused
├── UnknownProvider         404
├── UnknownAuthorization    404
├── NotConnected            404  ├── Disconnected
│                                └── TokensEnded
├── InvalidTicket           403
├── WrongBrowser            403
├── InProgress              409
├── Expired                 410  an outcome, where the app did not confirm, or nobody said whose tokens they are, in time
├── Denied                  403  an outcome
├── VerifierRejected        400  an outcome  ├── WrongPin  (no outcome yet)
│                                            └── NoPinLeft
├── Interrupted             409  an outcome
├── ProviderRejected        502  an outcome, where it ends an authorization
├── ProviderUnavailable     503
├── NotConfigured           500
└── Internal                500

``code`` is the stable name that callers may match on; ``detail`` is public, and is None where ``text`` has the words.
The exception's own text (``str(error)``) is for the log alone, and holds no secret either.
"""

from typing import ClassVar

from tripod.provider_errors import Cause


class FlowError(Exception):
    """The root; ``restart_query`` is start's query to begin the same again, for the browser that began it alone."""

    code: ClassVar[str]
    status: ClassVar[int]
    retry_after: int | None = None  # seconds
    is_counted = False  # True: an outcome's, which was logged and counted when it was decided

    def __init__(self, reason: str = "", detail: str | None = None, *, restart_query: str = "") -> None:
        super().__init__(reason or detail or self.code)
        self.detail = detail
        self.restart_query = restart_query


class BadRequest(FlowError):
    """The request can't be understood; ``detail`` says what to change. Nothing was written."""

    code = "bad_request"
    status = 400


class ReturnToNotAllowed(BadRequest):
    """``return_to`` is not an entry of the stack's allow-list."""

    code = "return_to_not_allowed"


class HostRefused(BadRequest):
    """Nothing is signed for this URL: it is not https, or its host is not the provider's."""

    code = "host_not_allowed"


class PlaintextRefused(BadRequest):
    """The provider's signature method is PLAINTEXT: a signed header would show both secrets."""

    code = "plaintext_signature"


class UnknownProvider(FlowError):
    """There is no consumer secret of that name."""

    code = "unknown_provider"
    status = 404


class UnknownAuthorization(FlowError):
    """No authorization of this request token was begun here, or it is long over."""

    code = "unknown_authorization"
    status = 404


class NotConnected(FlowError):
    """No tokens of this user are kept: there is nothing to revoke, or to sign with."""

    code = "token_not_found"
    status = 404


class Disconnected(NotConnected):
    """The user has disconnected."""

    code = "token_revoked"


class TokensEnded(NotConnected):
    """The user's tokens have ended, as the provider said they would."""

    code = "token_expired"


class InvalidTicket(FlowError):
    """The ticket is malformed, too old, redeemed before, or not of this secret; only the log says which."""

    code = "ticket_rejected"
    status = 403


class WrongBrowser(FlowError):
    """This browser did not begin the authorization."""

    code = "wrong_browser"
    status = 403


class InProgress(FlowError):
    """Another request is finishing this authorization."""

    code = "in_progress"
    status = 409
    retry_after = 1


class Expired(FlowError):
    """The request token's time is over."""

    code = "expired"
    status = 410


class Denied(FlowError):
    """The user said no."""

    code = "denied"
    status = 403


class VerifierRejected(FlowError):
    """The provider refused the verifier or the request token."""

    code = "verifier_rejected"
    status = 400


class WrongPin(VerifierRejected):
    """The provider refused this PIN; ``attempts_left`` others may be tried, for the same ``request_token``."""

    def __init__(self, reason: str, *, request_token: str, attempts_left: int, return_to: str | None, restart_query: str) -> None:
        super().__init__(reason, restart_query=restart_query)
        self.request_token = request_token
        self.attempts_left = attempts_left
        self.return_to = return_to


class NoPinLeft(VerifierRejected):
    """The provider refused the last PIN that could be tried."""


class Interrupted(FlowError):
    """The exchange's answer was lost, and with it the tokens: the user must start again."""

    code = "interrupted"
    status = 409


class ProviderRejected(FlowError):
    """The provider refused the app, or the user's account; ``cause`` says why."""

    code = "provider_rejected"
    status = 502

    def __init__(self, cause: Cause, reason: str = "", *, restart_query: str = "") -> None:
        super().__init__(reason or f"the provider refused: {cause}", restart_query=restart_query)
        self.cause = cause


class ProviderUnavailable(FlowError):
    """The provider can't be reached or can't serve now; nothing is lost, the same address can be asked again."""

    code = "provider_unavailable"
    status = 503

    def __init__(self, reason: str, retry_after: int = 5, *, maybe_done: bool = False) -> None:
        super().__init__(reason)
        self.retry_after = retry_after
        self.maybe_done = maybe_done  # the provider may have done what was asked


class NotConfigured(FlowError):
    """The stack is not set up right; the text says what, and goes to the log alone."""

    code = "not_configured"
    status = 500


class Internal(FlowError):
    """A defect, or AWS out of reach."""

    code = "internal"
    status = 500


OUTCOME_ERRORS: dict[str, type[FlowError]] = {kind.code: kind for kind in (Denied, Expired, VerifierRejected, Interrupted)}


class Contended(Exception):
    """Other processes kept changing a record or its secret. No outcome: what is pending stays so, and is tried again."""
