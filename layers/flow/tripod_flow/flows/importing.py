"""Import tokens that somebody else has kept: write each as a committed grant into the outbox. The relay stores them, as a sign-in's.

There is no state but the table's: a row that was written is found again by its key, or by the connection that it has become, so an
import that was interrupted is simply begun again. No function imports this module.
"""

import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from tripod import names
from tripod.credentials import AccessToken, Consumer, UserTokens
from tripod.provider_errors import Cause
from tripod.sealed_tokens import SealedTokens
from tripod_flow.edges.consumers import Consumers
from tripod_flow.edges.provider_answer import Refused, TokenRefused, Unavailable
from tripod_flow.edges.provider_client import ProviderClient
from tripod_flow.edges.table import Table
from tripod_flow.edges.token_row import TokenRow
from tripod_flow.edges.token_sealer import TokenSealer, TokensTooLong
from tripod_flow.flows.pacing import RATE, Pace, retrying
from tripod_flow.rules import check, importing
from tripod_flow.rules.authorization import Identity
from tripod_flow.rules.check import Health
from tripod_flow.rules.errors import NotConfigured
from tripod_flow.rules.importing import ImportResult, Standing
from tripod_flow.rules.provider import ProviderDefinition

PATIENCE = 5  # times that a provider is asked about a token
MOST_UNBELIEVED = 20


@dataclass(frozen=True, slots=True)
class ReadRow:
    """A row, and where it stands: its line. ``row`` is a ``Standing`` where it can't be taken as it is."""

    line: int
    row: TokenRow | Standing


@dataclass(frozen=True, slots=True)
class Imported:
    """One row's result; ``reason`` without any secret. ``user_id`` is None where nobody knows it."""

    line: int
    user_id: str | None
    result: ImportResult
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How to import.

    ``as_of`` (epoch seconds) is when rows that don't say it were granted; ``is_dated``: somebody who knows has said so. ``verify``: the
    provider is asked about each token. ``tells``: the events of these grants are published. ``writes`` False: nothing is written.
    """

    as_of: float
    is_dated: bool
    verify: bool = False
    tells: bool = False
    writes: bool = True
    rate: float = RATE


class Import:
    """Imports tokens; ``clock`` in epoch seconds. AWS's and the provider's failures are waited out by ``sleep``."""

    def __init__(
        self,
        table: Table,
        consumers: Consumers,
        provider_client: ProviderClient,
        sealer: TokenSealer,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._table = table
        self._consumers = consumers
        self._provider_client = provider_client
        self._sealer = sealer
        self._clock = clock
        self._sleep = sleep
        self._unbelieved: int | None = 0  # signatures that the provider refused, before it took any

    def run(self, provider: str, rows: Iterable[ReadRow], plan: Plan) -> Iterator[Imported]:
        """Import row by row, at most so many a second as the plan says, and yield each result.

        Raises ``NotConfigured`` or ``UnknownProvider`` where there is nowhere to put tokens, or nobody to ask, and botocore's errors.
        """
        self._prepared(provider, plan)
        self._unbelieved = 0
        pace = Pace(plan.rate, self._clock, self._sleep)
        for read in rows:
            if isinstance(read.row, Standing):
                yield Imported(read.line, None, read.row.result, read.row.reason)
                continue
            calls = _Calls()
            user_id, standing = self._take(provider, read.row, plan, calls)
            yield Imported(read.line, user_id, standing.result, standing.reason)
            if calls.made:
                pace.wait()

    def pending(self, provider: str) -> int:
        """Return how many imported grants the relay has still to store, or to tell of; the index lags by moments."""
        return sum(importing.is_imported(entry.pk, provider) for entry in self._table.outbox(now=math.inf))

    def _prepared(self, provider: str, plan: Plan) -> tuple[ProviderDefinition, Consumer]:
        definition, consumer = self._consumers.find(provider)
        if consumer.store == "none":
            raise NotConfigured(f'"store": "none" of {provider} keeps no tokens: its consumer secret must name a store first')
        if plan.verify and definition.identity_url is None:
            raise NotConfigured(f"{provider} can't be asked whose a token is: its definition has no identity_url")
        return definition, consumer

    def _take(self, provider: str, row: TokenRow, plan: Plan, calls: "_Calls") -> tuple[str | None, Standing]:
        """Take one row; return its user and what was done."""
        _, consumer = self._prepared(provider, plan)
        if row.consumer_key not in (None, consumer.consumer_key):
            return row.user_id, Standing(ImportResult.REFUSED, "its consumer_key is another app's than the consumer secret's")
        if row.user_id is None:  # whose it is decides all else
            if not plan.verify:
                return None, Standing(ImportResult.REFUSED, "it has no user_id")
            identity = self._ask(provider, row, calls)
            if isinstance(identity, Standing):
                return None, identity
            row = replace(row, user_id=identity.user_id, screen_name=row.screen_name or identity.screen_name)
            return row.user_id, self._grant(provider, row, plan, calls, consumer, is_asked=True)
        return row.user_id, self._grant(provider, row, plan, calls, consumer, is_asked=not plan.verify)

    def _grant(
        self, provider: str, row: TokenRow, plan: Plan, calls: "_Calls", consumer: Consumer, *, is_asked: bool
    ) -> Standing:
        """Write a row's grant, unless what is here stands against it; ask the provider before, unless it was asked."""
        user_id = row.user_id or ""
        granted_at, is_dated = (plan.as_of, plan.is_dated) if row.granted_at is None else (row.granted_at, True)
        tokens = _tokens(provider, user_id, row, consumer)
        grant_id = importing.grant_id(tokens, granted_at)
        found = retrying(lambda: self._table.connection(names.connection_key(provider, user_id)), self._sleep)
        standing = importing.standing(found, grant_id, granted_at, is_dated=is_dated)
        if standing is None:
            record = retrying(lambda: self._table.authorization(importing.key(tokens, granted_at)), self._sleep)
            standing = importing.standing_of_record(record, grant_id)
        if standing is not None:
            return standing
        if not is_asked:
            identity = self._ask(provider, row, calls)
            if isinstance(identity, Standing):
                return identity
            if identity.user_id != user_id:
                return Standing(ImportResult.REFUSED, "the provider says that the token is another user's")
            tokens = replace(tokens, screen_name=row.screen_name or identity.screen_name)
        if not plan.writes:
            return Standing(ImportResult.TAKEN)
        calls.made = True
        try:
            kept = self._kept(tokens, consumer)
        except TokensTooLong as error:
            return Standing(ImportResult.REFUSED, f"its tokens can't be sealed: {error}")
        new = importing.grant(
            tokens,
            kept,
            granted_at=granted_at,
            subject=row.subject,
            labels=row.labels,
            is_told=plan.tells,
            now=round(self._clock(), 3),
        )
        there = retrying(lambda: self._table.add_or_find(new), self._sleep)
        if there is not None and there.created_at == new.created_at and there.claim_id == new.claim_id:
            there = None  # put by a try whose answer was lost
        return importing.standing_of_record(there, grant_id) or Standing(ImportResult.TAKEN)

    def _kept(self, tokens: UserTokens, consumer: Consumer) -> AccessToken | SealedTokens:
        """Return the tokens as the record keeps them, until they are stored: as a sign-in's."""
        if consumer.store == "table":
            return retrying(lambda: self._sealer.seal(tokens), self._sleep)
        return AccessToken(
            oauth_token=tokens.oauth_token,
            oauth_token_secret=tokens.oauth_token_secret,
            consumer_key=tokens.consumer_key,
            expires_at=tokens.expires_at,
            extra=tokens.extra,
        )

    def _ask(self, provider: str, row: TokenRow, calls: "_Calls") -> Identity | Standing:
        """Ask the provider whose a token is, again where it can't answer now; return what it says, or why the row is not taken."""

        def request(definition: ProviderDefinition, consumer: Consumer) -> Identity:
            token = AccessToken(
                oauth_token=row.oauth_token, oauth_token_secret=row.oauth_token_secret, consumer_key=consumer.consumer_key
            )
            return self._provider_client.for_request().identity(definition, consumer, token)

        calls.made = True
        for tries in range(PATIENCE):
            try:
                identity = self._consumers.call(provider, request)
            except TokenRefused:
                return _refused(Cause.TOKEN_REVOKED)
            except Refused as error:
                if error.refusal.cause is Cause.BAD_CREDENTIALS:
                    return self._misauthenticated(error)
                finding = check.meaning(error.refusal)
                if finding.health is Health.REFUSED:
                    return _refused(finding.cause)
                return Standing(ImportResult.FAILED, f"the provider did not say whose the token is: {error.refusal}")
            except Unavailable as error:
                if tries < PATIENCE - 1:
                    self._sleep(error.retry_after)
            else:
                self._unbelieved = None
                return identity
        return Standing(ImportResult.FAILED, "the provider could not be asked")

    def _misauthenticated(self, error: Refused) -> Standing:
        """Return what a refusal of the signature means: of the token's secret, or, as long as no token is taken, of the app's own."""
        if self._unbelieved is not None:
            self._unbelieved += 1
            if self._unbelieved >= MOST_UNBELIEVED:
                raise NotConfigured(f"the provider has taken no token yet, and seems to refuse the app itself: {error.refusal}")
        return Standing(ImportResult.REFUSED, f"the provider does not believe its oauth_token_secret: {error.refusal}")


@dataclass(slots=True)
class _Calls:
    """Whether a row has cost a call that the rate is for."""

    made: bool = False


def _refused(cause: Cause | None) -> Standing:
    return Standing(ImportResult.REFUSED, f"the provider no longer takes its token: {cause}")


def _tokens(provider: str, user_id: str, row: TokenRow, consumer: Consumer) -> UserTokens:
    return UserTokens(
        provider=provider,
        user_id=user_id,
        screen_name=row.screen_name,
        oauth_token=row.oauth_token,
        oauth_token_secret=row.oauth_token_secret,
        consumer_key=consumer.consumer_key,
        expires_at=row.expires_at,
        extra=row.extra,
    )
