"""Signing: the one place where an OAuth 1.0a signature is asked for (of requests-oauthlib and oauthlib; RFC 5849, section 3)."""

from collections.abc import Callable
from dataclasses import dataclass

from requests_oauthlib import OAuth1

from tripod.credentials import Consumer


@dataclass(frozen=True, slots=True)
class Signer:
    """Makes the signature of requests; ``nonce`` and ``timestamp`` are oauthlib's own unless a test freezes them."""

    nonce: Callable[[], str | None] = lambda: None
    timestamp: Callable[[], str | None] = lambda: None

    def sign_as(
        self,
        consumer: Consumer,
        token: str | None = None,
        token_secret: str | None = None,
        *,
        callback: str | None = None,
        verifier: str | None = None,
    ) -> OAuth1:
        """Return what signs ONE request: a retry needs another, or the provider sees a replay.

        It is ``requests``' ``auth``; its ``client.sign`` signs, in strings, for whoever sends without requests.
        """
        return OAuth1(
            consumer.consumer_key,
            client_secret=consumer.consumer_secret,
            resource_owner_key=token,
            resource_owner_secret=token_secret,
            callback_uri=callback,
            verifier=verifier,
            signature_method=consumer.signature_method,
            decoding=None,
            nonce=self.nonce(),
            timestamp=self.timestamp(),
        )
