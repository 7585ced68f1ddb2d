"""KMS: seal users' tokens for the table, and open them where the provider must be asked about one."""

from collections.abc import Callable
from typing import Any

from tripod.credentials import AccessToken, UserTokens
from tripod.sealed_tokens import MAX_PLAINTEXT, SealedTokens, encryption_context, unseal


class TokensTooLong(Exception):  # it names what happened
    """The tokens are longer than what KMS encrypts."""


class TokenSealer:
    """Seals with ``key`` (an ARN; empty: the stack has none) for the stack of ``prefix``; ``client`` returns KMS's."""

    def __init__(self, client: Callable[[], Any], prefix: str, key: str) -> None:
        self._client = client
        self._prefix = prefix
        self._key = key

    def seal(self, tokens: UserTokens) -> SealedTokens:
        """Return the tokens sealed; raises ``TokensTooLong`` or botocore's errors."""
        plaintext = tokens.to_json().encode()
        if len(plaintext) > MAX_PLAINTEXT:
            raise TokensTooLong(f"more than {MAX_PLAINTEXT} bytes")
        context = encryption_context(self._prefix, tokens.provider, tokens.user_id)
        answer = self._client().encrypt(KeyId=self._key, Plaintext=plaintext, EncryptionContext=context)
        return SealedTokens(answer["CiphertextBlob"], tokens.expires_at, tokens.extra)

    def try_key(self, provider: str) -> None:
        """Encrypt nothing's worth, as for a user of ``provider``; raises botocore's errors where the key can't be used."""
        context = encryption_context(self._prefix, provider, "none")
        self._client().encrypt(KeyId=self._key, Plaintext=b"{}", EncryptionContext=context)

    def unseal(self, provider: str, user_id: str, sealed: SealedTokens) -> AccessToken:
        """Return the access token in ``sealed``; raises ValueError or botocore's errors."""
        tokens = self.open(provider, user_id, sealed.ciphertext)
        return AccessToken(
            oauth_token=tokens.oauth_token, oauth_token_secret=tokens.oauth_token_secret, consumer_key=tokens.consumer_key
        )

    def open(self, provider: str, user_id: str, ciphertext: bytes) -> UserTokens:
        """Return the tokens of a user; raises ValueError where they are another's, or botocore's errors."""
        client = self._client()
        try:
            return unseal(client, self._prefix, provider, user_id, ciphertext)
        except client.exceptions.InvalidCiphertextException:
            raise ValueError("what is sealed can't be opened") from None
