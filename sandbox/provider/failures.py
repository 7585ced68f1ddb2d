"""Every failure of X, with exactly its body: JSON, XML, legacy hash XML or plain text."""

from dataclasses import dataclass, field
from typing import ClassVar

from flask import Response

RATE_LIMIT = 75  # calls of verify_credentials per user and window, as X counts them
RATE_LIMIT_WINDOW = 900  # seconds

JSON = "application/json;charset=utf-8"
XML = "application/xml;charset=utf-8"
TEXT = "text/html;charset=utf-8"  # X labels plain text and form-encoded answers alike

UNAPPROVED = (
    "Callback URL not approved for this client application. Approved callback URLs can be adjusted in your application settings"
)


@dataclass(frozen=True)
class ProviderFailure:
    """A refusal as it goes over the wire; as a fault, it stands in for a leg's own answer, and no work is done."""

    status: int
    body: str
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)

    work_done: ClassVar[bool] = False
    hangs_up: ClassVar[bool] = False

    def response(self) -> Response:
        """Return the refusal as an HTTP answer."""
        return Response(self.body, self.status, self.headers, content_type=self.content_type)


NOT_AUTHENTICATED = ProviderFailure(401, '{"errors":[{"code":32,"message":"Could not authenticate you."}]}')
MALFORMED = ProviderFailure(400, '{"errors":[{"code":215,"message":"Bad Authentication data."}]}')
NOT_FOUND = ProviderFailure(404, '{"errors":[{"code":34,"message":"Sorry, that page does not exist."}]}')
CLOCK_OFF = ProviderFailure(401, '{"errors":[{"message":"Timestamp out of bounds","code":135}]}')
CALLBACK_NOT_APPROVED = ProviderFailure(403, f'{{"errors":[{{"code":415,"message":"{UNAPPROVED}"}}]}}')
CALLBACK_NOT_APPROVED_XML = ProviderFailure(
    403, f"<?xml version='1.0' encoding='UTF-8'?><errors><error code=\"415\">{UNAPPROVED}</error></errors>", XML
)
CALLBACK_NOT_APPROVED_HASH = ProviderFailure(
    403, f"<hash><error>{UNAPPROVED}</error><request>/oauth/request_token</request></hash>", XML
)
NO_CALLBACK = ProviderFailure(
    401,
    "<errors><error code=\"417\">Desktop applications only support the oauth_callback value 'oob'</error></errors>",
    XML,
)
SUSPENDED = ProviderFailure(401, '{"errors":[{"code":416,"message":"Invalid / suspended application"}]}')
REVOKED = ProviderFailure(401, '{"errors":[{"code":89,"message":"Invalid or expired token."}]}')
UNVERIFIED = ProviderFailure(403, '{"errors":[{"code":99,"message":"Unable to verify your credentials"}]}')
READ_ONLY = ProviderFailure(401, '{"errors":[{"code":220,"message":"Read-only application cannot POST."}]}')
NO_CREDITS = ProviderFailure(402, '{"title":"CreditsDepleted","status":402,"detail":"Your account has no credits left."}')
NO_ACCESS = ProviderFailure(
    403,
    '{"errors":[{"message":"You currently have access to a subset of X API V2 endpoints and limited v1.1 endpoints '
    'only. If you need access to this endpoint, you may need a different access level.","code":453}]}',
)
USER_SUSPENDED = ProviderFailure(
    403, '{"errors":[{"code":64,"message":"Your account is suspended and is not permitted to access this feature."}]}'
)
USER_LOCKED = ProviderFailure(
    403,
    '{"errors":[{"code":326,"message":"To protect our users from spam and other malicious activity, this account is '
    'temporarily locked. Please log in to https://twitter.com to unlock your account."}]}',
)
V2_UNAUTHORIZED = ProviderFailure(401, '{"title":"Unauthorized","type":"about:blank","status":401,"detail":"Unauthorized"}')
V2_PERMISSIONS = ProviderFailure(
    403,
    '{"title":"Forbidden","type":"https://api.twitter.com/2/problems/oauth1-permissions","status":403,'
    '"detail":"Your client app is not configured with the appropriate oauth1 app permissions for this endpoint."}',
)
V2_CLIENT_FORBIDDEN = ProviderFailure(
    403,
    '{"title":"Client Forbidden","type":"https://api.twitter.com/2/problems/client-forbidden","status":403,'
    '"reason":"client-not-enrolled","detail":"You must use keys and tokens from a developer App that is attached to a Project."}',
)
V2_APP_ONLY = ProviderFailure(
    403,
    '{"title":"Unsupported Authentication","type":"https://api.twitter.com/2/problems/unsupported-authentication","status":403,'
    '"detail":"Authenticating with OAuth 2.0 Application-Only is forbidden for this endpoint.  Supported authentication types are '
    '[OAuth 1.0a User Context, OAuth 2.0 User Context]."}',
)
V2_INVALID = ProviderFailure(
    400,
    '{"errors":[{"message":"Requires one of: text, media, poll."}],"title":"Invalid Request","type":"https://api.twitter.com/2/problems/'
    'invalid-request","detail":"One or more parameters to your request was invalid."}',
)
OVER_CAPACITY = ProviderFailure(503, '{"errors":[{"message":"Over capacity","code":130}]}')
SERVER_ERROR = ProviderFailure(500, '{"errors":[{"message":"Internal error","code":131}]}')
UNKNOWN_REQUEST_TOKEN = ProviderFailure(401, "Reverse auth credentials are invalid", TEXT)
WRONG_VERIFIER = ProviderFailure(401, "Error processing your OAuth request: Invalid oauth_verifier parameter", TEXT)
EXPIRED_REQUEST_TOKEN = ProviderFailure(
    401, "<hash><error>Invalid / expired Token</error><request>/oauth/access_token</request></hash>", XML
)


def rate_limited(now: float) -> ProviderFailure:
    """Return X's 88, whose window ends :data:`RATE_LIMIT_WINDOW` seconds after ``now`` (epoch seconds)."""
    return ProviderFailure(
        429,
        '{"errors":[{"message":"Rate limit exceeded","code":88}]}',
        headers={
            "x-rate-limit-limit": str(RATE_LIMIT),
            "x-rate-limit-remaining": "0",
            "x-rate-limit-reset": str(int(now) + RATE_LIMIT_WINDOW),
        },
    )


@dataclass(frozen=True)
class Refusals:
    """What a provider answers to each kind of call that it refuses; X's by default."""

    not_authenticated: ProviderFailure = NOT_AUTHENTICATED  # an unknown app, or a signature that is wrong
    malformed: ProviderFailure = MALFORMED
    missing_callback: ProviderFailure = MALFORMED
    no_agent: ProviderFailure = MALFORMED  # the call has no User-Agent
    clock_off: ProviderFailure = CLOCK_OFF
    no_callback: ProviderFailure = NO_CALLBACK  # the app has none, and says one
    callback_not_approved: ProviderFailure = CALLBACK_NOT_APPROVED
    unknown_request_token: ProviderFailure = UNKNOWN_REQUEST_TOKEN
    expired_request_token: ProviderFailure = EXPIRED_REQUEST_TOKEN
    wrong_verifier: ProviderFailure = WRONG_VERIFIER
    revoked: ProviderFailure = REVOKED
