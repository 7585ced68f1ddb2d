"""What must always be so, and what must be so in the end."""

import json
from collections import Counter

from hypothesis.stateful import invariant

from sandbox.aws.bus import PublishedEvent
from sandbox.provider import User
from tests.model.acts import Acts
from tests.model.cast import SeenConnection
from tests.model.world import Watched
from tests.support.kept_tokens import is_in_the_clear
from tripod_flow.edges.items import read
from tripod_flow.flows import relay
from tripod_flow.rules.authorization import Authorization, State
from tripod_flow.rules.connection import ConnectionRecord

SWEEPS = 30  # at most, until nothing may be owed
EVENTS = {State.GRANTED: "authorization.granted", State.DENIED: "authorization.denied", State.FAILED: "authorization.failed"}
UNAMBIGUOUS = {"401 89", "403 326"}  # X's words, by a status and a code
TELLS = {  # of a user's state
    "authorization.granted": "connected",
    "connection.restored": "connected",
    "connection.refused": "refused",
    "connection.revoked": "revoked",
}
MAY_BECOME: dict[State, set[State]] = {
    State.PENDING: set(State),
    State.EXCHANGING: set(State) - {State.DENIED},
    State.EXCHANGED: {State.EXCHANGED, State.CONSENTED, State.GRANTED, State.FAILED},
    State.CONSENTED: {State.CONSENTED, State.GRANTED, State.FAILED},
    State.GRANTED: {State.GRANTED},
    State.DENIED: {State.DENIED},
    State.FAILED: {State.FAILED},
}


class Truths(Acts):
    """The rules that no order of acts may break."""

    @invariant()
    def an_outcome_never_changes_and_bears_no_secret(self) -> None:
        assert not self._defects, self._defects
        items = self._items()
        for one in self._all:
            item = items[self._pk(one)]
            text = json.dumps(item, default=repr)  # bytes: what is sealed
            clear = [one.verifier] if one.user else []
            for secret in [*clear, one.cookie_key, one.secret, one.ticket]:
                assert secret is None or f'"{secret}"' not in text, "in the clear"
            record = read(item, Authorization)
            before, one.record = one.record, record
            if before is not None:
                assert record.state in MAY_BECOME[before.state], f"{before.state} became {record.state}"
                assert before.redeemed_at in (None, record.redeemed_at), "redeemed twice"
                if before.is_decided:
                    told = (record.error, record.user_id, record.subject, record.decided_at, record.granted_at)
                    assert told == (before.error, before.user_id, before.subject, before.decided_at, before.granted_at)
            if record.is_answerable or record.state is State.EXCHANGED:
                assert record.request_secret is None
            if record.state in (State.DENIED, State.FAILED) or self._store == "none":
                assert record.pending_tokens is None
            if record.user_id is not None:
                assert one.user is not None
                assert record.user_id == one.user.user_id, "granted by somebody else"

    @invariant()
    def a_stored_token_is_of_who_consented(self) -> None:
        for user in self._users:
            content = self._read(user)
            if content is None:
                continue
            theirs = [one for one in self._all if one.user is user]
            tokens = {
                each.token.oauth_token: each.token.oauth_token_secret
                for one in theirs
                for each in Watched.exchanged.get(one.token, [])
            }
            assert self._store != "none"
            assert content.oauth_token.startswith(f"{user.user_id}-")
            assert tokens[content.oauth_token] == content.oauth_token_secret
            assert (content.provider, content.user_id) == (self._app.name, user.user_id)
            assert content.consumer_key == self._app.consumer.key

    @invariant()
    def tokens_are_where_the_app_has_them(self) -> None:
        """What is sealed is nowhere else, and a disconnected user's is nowhere at all."""
        items = self._items(self._keys())
        for user in self._users:
            connection = items.get(self._connection(user), {})
            assert "sealed_tokens" not in connection or "table" in self._stores
            assert not {"sealed_tokens", "revoked_at"} <= connection.keys(), "sealed tokens of a disconnected user"
            assert self._stores & {"secrets-manager", "moving"} or not self._is_secret(user), "in Secrets Manager as well"
            if self._stores == {"table"} and self._calm:  # nothing has failed: what can be sealed is never in the clear
                assert not any(is_in_the_clear(item, user.user_id) for item in items.values()), "in the clear"

    @invariant()
    def one_authorization_is_exchanged_once(self) -> None:
        for one in self._all:
            assert len(Watched.exchanged.get(one.token, [])) <= 1
        assert self._exchanges() <= sum(one.user is not None for one in self._all)

    def _look(self) -> None:
        """Compare the connections with what they last said: only what the provider has said of the current token changes a state."""
        items = self._items([self._connection(user) for user in self._users])
        for user in self._users:
            item = items.get(self._connection(user))
            found = read(item, ConnectionRecord) if item else None
            is_connected = found is not None and found.is_connection
            now = (
                SeenConnection(found.grant_id, found.refused_by is not None, found.checked_at) if found and is_connected else None
            )
            before, self._seen[user.user_id] = self._seen.get(user.user_id, SeenConnection()), now or SeenConnection()
            if found is None or now is None or now == before:
                continue
            said = Watched.said.get(self._token_of(found))
            if now.grant_id != before.grant_id:
                self._require(not now.is_refused and now.checked_at is None, "a new grant's state is an earlier one's")
            else:
                self._require(
                    (now.checked_at or 0.0) >= (before.checked_at or 0.0), "an earlier check has overwritten a later one"
                )
                if now.is_refused and not before.is_refused:
                    self._require(said in UNAMBIGUOUS, f"refused, and the provider has said {said!r} of the token")
                if before.is_refused and not now.is_refused:
                    self._require(said == user.user_id, f"restored, and the provider has said {said!r} of the token")
            if now.is_refused is not before.is_refused:
                change = "connection.refused" if now.is_refused else "connection.restored"
                self._figures.changes[change if now.grant_id == before.grant_id else "connection.restored by a grant"] += 1
                self._changed.setdefault(user.user_id, []).append(change)

    def _require(self, is_so: bool, otherwise: str) -> None:
        """Keep what is found in the middle of an act, where an exception would be taken for the act's."""
        if not is_so:
            self._defects.append(AssertionError(otherwise))

    def _token_of(self, found: ConnectionRecord) -> str:
        """Return the access token of a connection's current grant."""
        items = self._items()
        for one in self._all:
            if self._pk(one) in items and items[self._pk(one)].get("claim_id", {}).get("S") == found.grant_id:
                return Watched.exchanged[one.token][0].token.oauth_token
        raise AssertionError("a connection without its grant")

    def _settle(self) -> None:
        """Let leases end and consents lapse, and the relay do what is owed."""
        for _ in range(SWEEPS):
            self._clock.now += relay.RELAY_LEASE + 1
            self._sweep()
            if not any("outbox" in item for item in self._items(self._keys()).values()):
                return
        raise AssertionError("still owed")

    def _assert_settled(self) -> None:
        self.an_outcome_never_changes_and_bears_no_secret()
        self.a_stored_token_is_of_who_consented()
        self.tokens_are_where_the_app_has_them()
        for item in self._items(self._keys()).values():
            assert not is_in_the_clear(item, *(user.user_id for user in self._users)), "left in the clear"
        told = [event for event in self._world.events if event.detail["provider"] == self._app.name]
        ids = Counter({(event.detail_type, event.detail["user_id"], event.detail["id"]): 1 for event in told})
        owed: Counter[tuple[str, str | None]] = Counter()
        for one in self._all:
            record = one.record
            assert record is not None
            assert record.pending_tokens is None
            assert record.state not in (State.EXCHANGED, State.CONSENTED)
            assert record.ttl is not None
            if self._calm and not self._died and Watched.exchanged.get(one.token):
                assert record.error in (None, "expired"), "exchanged tokens are lost"
            lapsed = record.state is State.FAILED and record.user_id is not None
            if record.is_decided and not lapsed:
                owed[EVENTS[record.state], record.user_id] += 1
        of_outcomes = Counter((kind, user_id) for kind, user_id, _ in ids if not kind.startswith("connection."))
        assert of_outcomes == owed, "each outcome is told under one id"
        for user in self._users:
            mine = [event for event in told if event.detail["user_id"] == user.user_id]
            self._assert_changes_are_told(user, mine)
            self._assert_the_newest_wins(
                user, [event.detail["time"] for event in mine if event.detail_type == "connection.revoked"]
            )

    def _assert_changes_are_told(self, user: User, mine: list[PublishedEvent]) -> None:
        """Each change of a state is told under one id, nothing else is, and the latest event says how things stand."""
        ids = {(event.detail_type, event.detail["id"]) for event in mine}
        told = Counter(kind for kind, _ in ids if kind in ("connection.refused", "connection.restored"))
        assert told == Counter(self._changed.get(user.user_id, [])), "changes of a state and their events differ"
        latest = max(
            (event for event in mine if event.detail_type in TELLS), key=lambda event: float(event.detail["time"]), default=None
        )
        seen = self._seen.get(user.user_id, SeenConnection())
        if latest is not None and self._store != "none":
            state = "revoked" if seen.grant_id is None else "refused" if seen.is_refused else "connected"
            assert TELLS[latest.detail_type] == state, f"{state}, and the latest event is {latest.detail_type}"

    def _assert_the_newest_wins(self, user: User, revoked: list[float]) -> None:
        granted = {
            one.record.granted_at or 0.0: one
            for one in self._all
            if one.record and one.record.state is State.GRANTED and one.user is user and self._store != "none"
        }
        for done in self._revoked:
            if done.user is user:
                before = max((at for at in granted if at < done.since), default=0.0)
                assert any(before < at <= done.until for at in revoked), "a revocation was answered as done, and wasn't"
        last = max(revoked, default=0.0)
        if any(one.record and one.record.agreed_at <= last < at for at, one in granted.items()):
            # Agreed to before the revocation and exchanged after it: invalidating what it gave may end what was given since.
            item = self._items([self._connection(user)])[self._connection(user)]
            last = max(last, read(item, ConnectionRecord).revoked_at or 0.0)
        granted = {at: one for at, one in granted.items() if one.record and one.record.agreed_at > last}
        newest, content = max(granted, default=0.0), self._read(user)
        if granted:
            assert content is not None, "the newest grant was lost"
            assert content.oauth_token == Watched.exchanged[granted[newest].token][0].token.oauth_token, "an older grant has won"
            if self._calm and not self._died and not self._renews:
                valid = self._world.provider_server.valid_token(self._app.consumer.key, user)
                assert valid == content.oauth_token, "a connected user's token is dead"
        else:
            assert content is None, "a revoked user's tokens are still there"
            assert not self._is_secret(user), "a revoked user's secret is still there"
