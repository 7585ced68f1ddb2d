"""Users' tokens sealed by KMS, as the table keeps them where a consumer secret says ``"store": "table"``.

The ciphertext is bound to its stack, provider and user by the encryption context: moved to another item, it opens no more.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tripod.credentials import UserTokens

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


def unseal(kms: Any, prefix: str, provider: str, user_id: str, ciphertext: bytes) -> UserTokens:
    """Return the tokens; raises ValueError where they are another user's, and botocore's ``ClientError``."""
    context = encryption_context(prefix, provider, user_id)
    plaintext = kms.decrypt(CiphertextBlob=ciphertext, EncryptionContext=context)["Plaintext"]
    tokens = UserTokens.from_json(plaintext.decode())
    if (tokens.provider, tokens.user_id) != (provider, user_id):
        raise ValueError("it holds the tokens of another user or provider")
    return tokens
