"""The token that is kept of a connection, wherever it is kept."""

from tripod.credentials import AccessToken
from tripod.errors import MalformedSecret, TokenNotFound
from tripod.sealed_tokens import SealedTokens
from tripod.secret_reader import SecretReader
from tripod_flow.edges import telemetry
from tripod_flow.rules.connection import ConnectionRecord


def kept_token(
    reader: SecretReader, provider: str, user_id: str, found: ConnectionRecord | None
) -> tuple[bool, AccessToken | SealedTokens | None]:
    """Return whether tokens are kept, and the token: sealed as the connection has it, or else the secret's if that can be read."""
    if found is not None and found.sealed_tokens is not None:
        return True, SealedTokens(found.sealed_tokens)
    try:
        tokens = reader.user(provider, user_id, fresh=True)
    except TokenNotFound:
        return False, None
    except MalformedSecret as error:
        telemetry.log().warning("the secret can't be read", extra={"provider": provider, "reason": str(error)})
        return True, None
    return True, AccessToken(
        oauth_token=tokens.oauth_token, oauth_token_secret=tokens.oauth_token_secret, consumer_key=tokens.consumer_key
    )
