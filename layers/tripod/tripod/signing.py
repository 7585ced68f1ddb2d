"""Sign requests with OAuth 1.0a (RFC 5849, section 3), by requests-oauthlib and oauthlib."""

from collections.abc import Callable
from dataclasses import dataclass

from oauthlib.oauth1 import SIGNATURE_TYPE_AUTH_HEADER, SIGNATURE_TYPE_BODY
from requests_oauthlib import OAuth1

from tripod.credentials import Consumer


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs requests. ``nonce`` and ``timestamp`` return None for oauthlib's own; a test freezes them."""

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
        in_body: bool = False,
    ) -> OAuth1:
        """Return ``auth`` for ONE request: a retry needs another, or the provider refuses it as a replay.

        ``in_body`` puts OAuth's parameters into the form, not into a header. Its ``client.sign`` signs URL, method, body and headers
        for a client other than ``requests``.
        """
        return OAuth1(
            consumer.consumer_key,
            client_secret=consumer.consumer_secret,
            resource_owner_key=token,
            resource_owner_secret=token_secret,
            callback_uri=callback,
            verifier=verifier,
            realm=consumer.realm,
            signature_type=SIGNATURE_TYPE_BODY if in_body else SIGNATURE_TYPE_AUTH_HEADER,
            signature_method=consumer.signature_method,
            decoding=None,
            nonce=self.nonce(),
            timestamp=self.timestamp(),
        )
