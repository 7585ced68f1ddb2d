"""A machine that uses the real handshake in random order, on moto and the sandbox's provider, and knows what must always be so.

What happens at once is one thing after another here: an interruption is something else that happens between two of an
operation's calls to AWS. The process may die there too.
"""

import sys
from collections.abc import Callable, Mapping

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, MultipleResults, initialize, multiple, precondition, rule

from sandbox.aws.faults import AwsFaultKind as AwsKind
from sandbox.provider import Fault, ProviderFault, failures
from sandbox.provider.records import Leg
from tests.model.cast import Begun, Interruption, Kind, Who
from tests.model.operator import Operator
from tests.model.stage import EXPECTED
from tests.model.world import Watched
from tests.support.harness import Killed
from tests.support.repeats import ATTEMPTS
from tripod.credentials import Store
from tripod_flow.flows import relay
from tripod_flow.rules import transitions

FAILURES = 4  # armed at most
WRITES = {"PutItem", "UpdateItem", "TransactWriteItems"}  # which DynamoDB refuses while another transaction is under way


class Machine(Operator):
    """Any order of what users, browsers, apps, the relay and failures do."""

    begun = Bundle("begun")

    @initialize(
        target=begun,
        app=st.sampled_from(["plain", "renewing", "nameless"]),
        store=st.sampled_from(["secrets-manager", "secrets-manager", "table", "table", "moving", "none"]),
        kind=st.sampled_from(Kind),
    )
    def open(self, app: str, store: Store, kind: Kind) -> Begun:
        """Make an app, and begin one authorization, to which a user consents."""
        self._open(app, store)
        one = self._begin(kind)
        assert one is not None
        self._decide(one, self._users[0], "authorize")
        return one

    # What users, browsers and apps do

    @rule(
        target=begun,
        kind=st.sampled_from(Kind),
        user=st.integers(0, 1),
        decision=st.sampled_from(["authorize", "authorize", "authorize", "cancel", None]),
        come_back=st.booleans(),
    )
    def begin(self, kind: Kind, user: int, decision: str | None, come_back: bool) -> Begun | MultipleResults[Begun]:
        self._count("begin")
        one = self._begin(kind)
        if one is None:
            return multiple()
        if decision:
            self._decide(one, self._users[user], decision)
        if come_back and decision == "authorize":
            self._come_back(one, Who.RIGHT, right=True)
        return one

    @rule(target=begun, user=st.integers(0, 1))
    def sign_in(self, user: int) -> Begun | MultipleResults[Begun]:
        self._count("sign in")
        return self._sign_in(self._users[user]) or multiple()

    @rule(target=begun, user=st.integers(0, 1), kind=st.sampled_from([Kind.PLAIN, Kind.TICKET, Kind.DIRECT]))
    def say_no(self, user: int, kind: Kind) -> Begun | MultipleResults[Begun]:
        self._count("say no")
        one = self._begin(kind)
        if one is None:
            return multiple()
        self._decide(one, self._users[user], "cancel")
        self._deny(one, Who.RIGHT)
        return one

    @precondition(lambda self: any(one.user is None and not one.refused for one in self._all))
    @rule(one=begun, user=st.integers(0, 1), decision=st.sampled_from(["authorize", "authorize", "cancel"]))
    def decide(self, one: Begun, user: int, decision: str) -> None:
        self._count("decide")
        self._decide(one, self._users[user], decision)

    @rule(one=begun, who=st.sampled_from([Who.RIGHT, Who.RIGHT, *Who]), right=st.sampled_from([True, True, True, False]))
    def come_back(self, one: Begun, who: Who, right: bool) -> None:
        self._count("come back")
        self._come_back(one, who, right=right)

    @rule(one=begun, who=st.sampled_from(Who))
    def deny(self, one: Begun, who: Who) -> None:
        self._count("deny")
        self._deny(one, who)

    @precondition(lambda self: any(one.pin for one in self._all))
    @rule(one=begun, who=st.sampled_from(Who))
    def look(self, one: Begun, who: Who) -> None:
        self._count("look")
        result = self._try(lambda: self._harness.finish.pin_prompt(self._app.name, one.token, self._cookies(one, who)))
        self._judge(one, who, result, verifier=None)
        assert one.kind is Kind.PIN or isinstance(result, EXPECTED), "a look at what only its app may ask after"

    @rule(target=begun, user=st.integers(0, 1), after=st.integers(1, 4), checked=st.sampled_from([None, 0, 1, 2]))
    def sign_in_twice_at_once(self, user: int, after: int, checked: int | None = None) -> Begun | MultipleResults[Begun]:
        """Have a second sign-in overtake the first, while that is being stored; the user may be ``checked`` so many calls later."""
        self._count("sign in twice at once")
        one = self._begin(Kind.PLAIN)
        if one is None:
            return multiple()
        self._decide(one, self._users[user], "authorize")
        self._interruptions.append((after, lambda: self._sign_in(self._users[user])))
        if checked is not None:
            self._interruptions.append((after + checked, lambda: self._check(self._users[user])))
        self._come_back(one, Who.RIGHT, right=True)
        return one

    @precondition(lambda self: self._granted())
    @rule(user=st.integers(0, 1), wait=st.sampled_from([0, 61]))
    def check(self, user: int, wait: int) -> None:
        self._count("check")
        self._clock.now += wait
        self._check(self._users[user])

    @precondition(lambda self: self._connected())
    @rule(
        target=begun,
        which=st.integers(0, 1),
        asked=st.sampled_from(["check", "check", "report", "round"]),
        back=st.sampled_from([None, "sign in", "check"]),
    )
    def be_refused(self, which: int, asked: str, back: str | None) -> Begun | MultipleResults[Begun]:
        """Have a connected user's token refused by the provider when it is asked, and perhaps taken again, or the user sign in anew."""
        self._count("be refused")
        connected = self._connected()
        user = connected[which % len(connected)]
        self._refuse_for_now(failures.REVOKED, 1)
        self._clock.now += {"check": 61, "report": 901, "round": 3601}[asked]
        if asked == "round":
            self._round()
        else:
            self._check(user, reported=asked == "report")
        if back == "check":
            self._clock.now += 61
            self._check(user)
        return (self._sign_in(user) if back == "sign in" else None) or multiple()

    @precondition(lambda self: self._connected())
    @rule(which=st.integers(0, 1), times=st.integers(1, 3))
    def report(self, which: int, times: int) -> None:
        """Have a reader say, truly or not, that the provider refuses a user's token."""
        self._count("report")
        connected = self._connected()
        for _ in range(times):
            self._check(connected[which % len(connected)], reported=True)

    @precondition(lambda self: self._granted())
    @rule(wait=st.sampled_from([0, 301, 3601]))
    def go_on_with_the_round(self, wait: int) -> None:
        self._count("round of checks")
        self._clock.now += wait
        self._round()

    @precondition(lambda self: self._holding())
    @rule(which=st.integers(0, 9), right=st.sampled_from([True, True, False]))
    def redeem(self, which: int, right: bool) -> None:
        """Redeem one of the tickets that were handed out."""
        self._count("redeem")
        holding = self._holding()
        self._redeem(holding[which % len(holding)], right=right)

    @rule(
        target=begun,
        kind=st.sampled_from([Kind.TICKET, Kind.DIRECT]),
        user=st.integers(0, 1),
        wait=st.sampled_from([0, 0, 1, 301]),
    )
    def sign_in_and_redeem(self, kind: Kind, user: int, wait: int) -> Begun | MultipleResults[Begun]:
        self._count("sign in and redeem")
        one = self._sign_in(self._users[user], kind)
        if one is None:
            return multiple()
        self._clock.now += wait
        self._redeem(one, right=True)
        return one

    @precondition(lambda self: self._granted())
    @rule(target=begun, user=st.integers(0, 1))
    def consent_then_disconnect(self, user: int) -> Begun | MultipleResults[Begun]:
        """Have a connected user consent to what the app has yet to confirm, and disconnect before it does."""
        self._count("consent, then disconnect")
        self._sign_in(self._users[user])
        one = self._sign_in(self._users[user], Kind.DIRECT)
        if one is None:
            return multiple()
        self._revoke(self._users[user])
        self._redeem(one, right=True)
        return one

    @precondition(lambda self: self._granted())
    @rule(user=st.integers(0, 1))
    def revoke(self, user: int) -> None:
        self._count("revoke")
        self._revoke(self._users[user])

    @precondition(lambda self: self._granted())
    @rule(user=st.integers(0, 1))
    def revoke_there(self, user: int) -> None:
        self._count("revoke at the provider")
        self._revoke_there(self._users[user])

    @precondition(lambda self: not self._ended)
    @rule(one=begun)
    def end_the_request_token(self, one: Begun) -> None:
        self._count("end the request token")
        self._ended = True
        if not Watched.exchanged.get(one.token) and not one.refused:
            try:
                self._world.provider_server.expire(one.token)
            except KeyError:  # exchanged, and the answer lost
                return
            self._calm = False

    # What goes on by itself

    @rule(seconds=st.sampled_from([1, 20, transitions.LEASE, 61, relay.RELAY_LEASE, 301, 601, 3601]))
    def wait(self, seconds: int) -> None:
        self._count("wait")
        self._clock.now += seconds

    @rule(one=begun)
    def wake_the_relay(self, one: Begun) -> None:
        """Wake the relay for one authorization, and its user's connection, as the stream does."""
        self._count("relay")
        keys = [self._pk(one), *([self._connection(one.user)] if one.user else [])]
        self._try(lambda: self._harness.relay.relay(keys, lambda: True))

    @precondition(lambda self: self._granted())
    @rule()
    def sweep_all(self) -> None:
        self._count("sweep")
        self._sweep()

    # What goes wrong

    @precondition(lambda self: self._aws_fails < FAILURES)
    @rule(
        operation=st.sampled_from(
            [
                ("dynamodb", "PutItem"),
                ("dynamodb", "UpdateItem"),
                ("dynamodb", "UpdateItem"),
                ("dynamodb", "GetItem"),
                ("dynamodb", "TransactWriteItems"),
                ("dynamodb", "Query"),
                ("secretsmanager", "CreateSecret"),
                ("secretsmanager", "PutSecretValue"),
                ("secretsmanager", "RestoreSecret"),
                ("secretsmanager", "DeleteSecret"),
                ("secretsmanager", "GetSecretValue"),
                ("kms", "Encrypt"),
                ("kms", "Decrypt"),
                ("events", "PutEvents"),
            ]
        ),
        kind=st.sampled_from(["denied", "throttled", "conflict", "internal", "lost", "reset"]),
        times=st.sampled_from([1, ATTEMPTS]),
        after=st.integers(0, 2),
    )
    def aws_fails(self, operation: tuple[str, str], kind: AwsKind, times: int, after: int) -> None:
        self._count("aws fails")
        self._calm = self._answers = False
        self._aws_fails += 1
        if kind == "conflict" and operation[1] not in WRITES:
            kind = "throttled"
        self._world.aws_server.fault(*operation, kind, times if kind != "denied" else 1, after=after)

    @precondition(lambda self: self._aws_fails)
    @rule()
    def aws_recovers(self) -> None:
        self._count("aws recovers")
        self._aws_fails = 0
        self._world.aws_server.disarm()

    @precondition(lambda self: self._provider_fails < FAILURES)
    @rule(
        leg=st.sampled_from(["request_token", "access_token", "access_token", "identity", "invalidate_token"]),
        fault=st.sampled_from(
            [
                ProviderFault.SERVER_ERROR,
                ProviderFault.OVER_CAPACITY,
                ProviderFault.RATE_LIMITED,
                ProviderFault.NOT_AUTHENTICATED,
                ProviderFault.REVOKED,
                ProviderFault.RESET,
                ProviderFault.RESET_AFTER,
                ProviderFault.ERROR_AFTER,
                ProviderFault.TRUNCATED,
                ProviderFault.HTML,
            ]
        ),
        times=st.integers(1, 2),
    )
    def provider_fails(self, leg: Leg, fault: ProviderFault, times: int) -> None:
        self._count("provider fails")
        self._calm = self._answers = False
        self._provider_fails += 1
        self._app.fault(leg, fault, times)

    @precondition(lambda self: self._provider_fails < FAILURES)
    @rule(
        fault=st.sampled_from(
            [
                failures.REVOKED,
                failures.REVOKED,
                failures.USER_LOCKED,
                failures.V2_UNAUTHORIZED,
                ProviderFault.SERVER_ERROR,
                ProviderFault.RATE_LIMITED,
                ProviderFault.NOT_AUTHENTICATED,
            ]
        ),
        times=st.integers(1, 2),
    )
    def provider_says_of_a_token(self, fault: Fault, times: int) -> None:
        """Let the provider refuse a token for now, truly or in a way that proves nothing, or be down, when it is asked whose it is."""
        self._count("provider says of a token")
        self._provider_fails += 1
        self._refuse_for_now(fault, times)

    @precondition(lambda self: len(self._interruptions) < 2)
    @rule(after=st.integers(0, 9), act=st.sampled_from(Interruption), one=begun, user=st.integers(0, 1))
    def interrupt(self, after: int, act: Interruption, one: Begun, user: int) -> None:
        """Let something else happen before one of the next operation's calls to AWS."""
        self._count("interrupt")

        def die() -> None:
            self._died = True
            raise Killed

        whose = self._users[user]
        acts: Mapping[Interruption, Callable[[], object]] = {
            Interruption.DIE: die,
            Interruption.WAIT: lambda: self._clock.sleep(20),  # no operation takes as long as a lease
            Interruption.COME_BACK: lambda: self._come_back(one, Who.RIGHT, right=True),
            Interruption.DENY: lambda: self._deny(one, Who.RIGHT),
            Interruption.REDEEM: lambda: self._redeem(one, right=True),
            Interruption.REVOKE: lambda: self._revoke(whose),
            Interruption.SWEEP: self._sweep,
            Interruption.SIGN_IN: lambda: self._sign_in(whose),
            Interruption.REVOKE_THERE: lambda: self._revoke_there(whose),
            Interruption.CHECK: lambda: self._check(whose),
            Interruption.REPORT: lambda: self._check(whose, reported=True),
            Interruption.ROUND: self._round,
        }

        def happen() -> None:
            self._figures.interruptions[act] += 1
            acts[act]()

        self._interruptions.append((after, happen))

    def teardown(self) -> None:
        try:
            self._world.aws_server.disarm()
            self._interruptions.clear()
            if sys.exc_info()[0] is None:  # nothing was found on the way
                self._settle()
                self._assert_settled()
        finally:
            for one in self._patches:
                one.stop()
            for visitor in self._visitors.values():
                visitor.close()
            self._figures.exchanges += self._exchanges()
            self._figures.stores[self._store] += self._exchanges()
            self._figures.outcomes.update(str(one.record.error or one.record.state) for one in self._all if one.record)
