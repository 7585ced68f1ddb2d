"""The sandbox's one access key, and session tokens that name the caller."""

ACCESS_KEY = "AKIASANDBOXSANDBOX00"
SECRET_KEY = "sandbox/secret/key/of/no/worth/at/all000"  # noqa: S105 - valid in the sandbox only

SESSION_PREFIX = "sandbox-session-of-"  # a session token is this and the name of the function that calls
LAMBDA_SERVICE = "lambda.amazonaws.com"  # the caller where Lambda itself calls: such calls get no fault and are not recorded


def caller_of(session_token: str) -> str:
    """Return the caller that a session token names; empty for any other token."""
    return session_token.partition(SESSION_PREFIX)[2]
