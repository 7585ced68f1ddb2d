"""Users' tokens sealed by KMS, as the table keeps them where a consumer secret says ``"store": "table"``.

The ciphertext is bound to its stack, provider and user by the encryption context: moved to another item, it opens no more.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tripod import names
from tripod.credentials import UserTokens
from tripod.errors import MalformedSecret, TokenRevoked

ATTRIBUTE = "sealed_tokens"  # of a connection's item
MAX_PLAINTEXT = 4096  # bytes that KMS encrypts at most


@dataclass(frozen=True, slots=True)
class SealedTokens:
    """A user secret's JSON, encrypted; ``expires_at`` and ``extra`` as in ``UserTokens``, which are no secrets."""

    ciphertext: bytes = field(repr=False)
    expires_at: int | None = None
    extra: Mapping[str, str] = field(default_factory=dict, repr=False)


def encryption_context(prefix: str, provider: str, user_id: str) -> dict[str, str]:
    """Return what a ciphertext is bound to."""
    return {"tripod:prefix": prefix, "tripod:provider": provider, "tripod:user_id": user_id}


def find(dynamodb: Any, table: str, prefix: str, provider: str, user_id: str) -> bytes | bool:
    """Return what is sealed for a user; without that, whether the user is known. Raises TokenRevoked."""
    answer = dynamodb.get_item(
        TableName=table,
        Key={"pk": {"S": names.connection_key(provider, user_id)}},
        ProjectionExpression=f"{ATTRIBUTE}, revoked_at",
        ConsistentRead=True,
    )
    item = answer.get("Item", {})
    if "revoked_at" in item:
        raise TokenRevoked(names.user_secret(prefix, provider, user_id))
    return bytes(item[ATTRIBUTE]["B"]) if ATTRIBUTE in item else "Item" in answer


def opened(kms: Any, prefix: str, provider: str, user_id: str, ciphertext: bytes) -> UserTokens:
    """Return the tokens that ``find`` has found. Raises MalformedSecret, and botocore's ``ClientError``."""
    secret = names.user_secret(prefix, provider, user_id)
    try:
        return unseal(kms, prefix, provider, user_id, ciphertext)
    except kms.exceptions.InvalidCiphertextException:
        raise MalformedSecret(secret, "its sealed tokens are another user's, provider's or stack's") from None
    except ValueError as error:
        raise MalformedSecret(secret, str(error)) from None


def unseal(kms: Any, prefix: str, provider: str, user_id: str, ciphertext: bytes) -> UserTokens:
    """Return the tokens; raises ValueError where they are another user's, and botocore's ``ClientError``."""
    context = encryption_context(prefix, provider, user_id)
    plaintext = kms.decrypt(CiphertextBlob=ciphertext, EncryptionContext=context)["Plaintext"]
    tokens = UserTokens.from_json(plaintext.decode())
    if (tokens.provider, tokens.user_id) != (provider, user_id):
        raise ValueError("it holds the tokens of another user or provider")
    return tokens
