"""Sign: the Authorization header of a request that another Lambda sends itself (RFC 5849, section 3.5.1)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from tripod import allowed_hosts
from tripod.credentials import Consumer, UserTokens
from tripod.errors import MalformedSecret, TokenNotFound, TokenRevoked
from tripod.secret_reader import SecretReader
from tripod.signing import Signer
from tripod_flow.edges.consumers import Consumers
from tripod_flow.rules import signable
from tripod_flow.rules.errors import (
    Disconnected,
    HostRefused,
    NotConfigured,
    NotConnected,
    PlaintextRefused,
    TokensEnded,
    UnknownProvider,
)

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}  # what says that the body's parameters are signed


@dataclass(frozen=True, slots=True)
class SignRequest:
    """A user's request to sign, which ``signable`` has checked; ``form`` are the pairs of its body, empty for any other body."""

    provider: str
    user_id: str
    method: str
    url: str = field(repr=False)
    form: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    @property
    def host(self) -> str:
        """The host that the request is for."""
        return urlsplit(self.url).hostname or ""


class Sign:
    """Signs requests, for the provider ``only`` if that is not empty. ``clock`` in epoch seconds.

    Credentials are read at each call, and none is remembered: who disconnects is signed for no more, and a rotated key is used at once.
    """

    def __init__(
        self,
        consumers: Consumers,
        reader: SecretReader,
        *,
        only: str,
        loopback: bool,
        clock: Callable[[], float],
        signer: Signer | None = None,
    ) -> None:
        self._consumers = consumers
        self._reader = reader
        self._only = only
        self._loopback = loopback
        self._clock = clock
        self._signer = signer or Signer()

    def authorization(self, asked: SignRequest) -> str:
        """Return the value of the header, with a nonce and a timestamp of its own.

        Raises ``UnknownProvider``, ``NotConfigured``, ``PlaintextRefused``, ``HostRefused``, ``NotConnected``, ``Disconnected`` or
        ``TokensEnded``.
        """
        if self._only and asked.provider != self._only:
            raise UnknownProvider(detail=f"Requests are signed for {self._only} alone here: the stack's parameter SignProvider.")
        _, consumer = self._consumers.find(asked.provider, fresh=True)
        self._check_destination(asked, consumer)
        tokens = self._tokens(asked, consumer)
        auth = self._signer.sign_as(consumer, tokens.oauth_token, tokens.oauth_token_secret)
        method: Any = asked.method  # any token; types-oauthlib knows the usual ones alone
        form: dict[str, Any] = {"body": urlencode(asked.form), "headers": _FORM} if asked.form else {}
        _, headers, _ = auth.client.sign(signable.signed_url(asked.url), method, **form)
        return str(headers["Authorization"])

    def _check_destination(self, asked: SignRequest, consumer: Consumer) -> None:
        """Raise unless the header is no secret, and for a host of the provider's: where it names none, of its endpoints."""
        if consumer.signature_method == "PLAINTEXT":
            raise PlaintextRefused("the provider's signatures are PLAINTEXT")
        flaw = allowed_hosts.flaw(asked.provider, consumer, asked.url, loopback=self._loopback, reusable=True)
        if flaw is not None:
            raise HostRefused(f"{asked.host}: {flaw}", f"Nothing is signed for {asked.host}: {flaw}.")

    def _tokens(self, asked: SignRequest, consumer: Consumer) -> UserTokens:
        try:
            tokens = self._reader.user(asked.provider, asked.user_id, fresh=True, may_be_sealed=consumer.may_be_sealed)
        except TokenRevoked:
            raise Disconnected from None
        except TokenNotFound:
            raise NotConnected from None
        except MalformedSecret as error:
            raise NotConfigured(str(error)) from None
        if tokens.expires_at is not None and tokens.expires_at <= self._clock():
            raise TokensEnded
        return tokens
