"""A move there and back: readers read all the time, users sign in, the move is killed and resumed; how many reads failed or were older.

The move, the sign-ins, the relay and the readers are the product's, each in threads of its own, at full speed. Most users' first tokens
are put where a sign-in would have put them. Consumer secrets are cached for a second instead of five minutes, and the clock of the flows
is moved on where the relay has to wait for a lease to end.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from sandbox.provider.records import User
from sandbox.world import Sandbox
from tests.support.clock import Clock
from tests.support.harness import Harness, Killed
from tests.support.moving import Calls, move
from tests.support.reading import reading
from tests.support.sandbox_app import SandboxApp, make_app
from tripod import names, process
from tripod.credentials import UserTokens
from tripod.secret_reader import SecretReader
from tripod_flow.edges.secret_writer import version_of
from tripod_flow.flows.move import Moved, MoveResult
from tripod_flow.rules import connection

CACHED = 1.0  # seconds that readers and functions keep a consumer secret here
READERS = 20
SIGNING_IN = 2  # users who sign in at the same time
PAUSE = 0.8  # seconds between two reads of a reader, or two sign-ins: all that goes on shares one processor
BATCH = 25  # items that DynamoDB writes in one call
PASSES = 50  # of a move at most


@dataclass
class Proof:
    """What happened."""

    users: int
    reads: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    older: int = 0
    sign_ins: int = 0
    killed: int = 0
    results: Counter[str] = field(default_factory=Counter)
    left: int = 0  # users who are not where they should be in the end, or with another token than their last
    seconds: float = 0.0

    @property
    def holds(self) -> bool:
        """Return True if every read was answered, with the token of the time or a newer one, and everybody was moved."""
        return not (self.failed or self.older or self.left) and self.reads > 0 and self.sign_ins > 0


class _World:
    """One app, its users, the tokens that each of them was granted, in order, and which of them is stored for certain."""

    def __init__(self, sandbox: Sandbox, users: int) -> None:
        self.app = make_app(sandbox, renews=True)
        self.clock = Clock()
        self.users = [sandbox.provider_server.add_user() for _ in range(users)]
        self.tokens: dict[str, list[str]] = {}
        self.stored = dict.fromkeys((user.user_id for user in self.users), 0)
        self.ended = threading.Event()
        self.turns = [threading.Lock() for _ in range(SIGNING_IN)]  # held while somebody signs in

    def seed(self) -> None:
        """Let everybody have signed in."""
        sandbox, app, requests = self.app.sandbox, self.app, []
        for user in self.users:
            tokens = UserTokens(
                provider=app.name,
                user_id=user.user_id,
                screen_name=user.screen_name,
                oauth_token=f"first-{user.user_id}",
                oauth_token_secret="s",
                consumer_key=app.consumer.key,
            )
            version = version_of(tokens)
            sandbox.client("secretsmanager").create_secret(
                Name=f"{sandbox.prefix}/user/{app.name}/{user.user_id}",
                ClientRequestToken=version,
                SecretString=tokens.to_json(),
            )
            texts = {
                "pk": names.connection_key(app.name, user.user_id),
                "provider": app.name,
                "connected_to": app.name,
                "user_id": user.user_id,
                "grant_id": "first",
                "stored_grant_id": "first",
                "secret_version": version,
            }
            item = {name: {"S": text} for name, text in texts.items()} | {"granted_at": {"N": str(self.clock.now)}}
            requests.append({"PutRequest": {"Item": item}})
            self.tokens[user.user_id] = [tokens.oauth_token]
        self.clock.now += 1
        for at in range(0, len(requests), BATCH):
            sandbox.client("dynamodb").batch_write_item(RequestItems={sandbox.table: requests[at : at + BATCH]})

    def harness(self, user: User | None = None) -> Harness:
        app = replace(self.app, user=user) if user else self.app
        return Harness(app, clock=self.clock)

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Let nobody sign in: while the clock is moved on, a sign-in would be slower than any function may be."""
        for turn in self.turns:
            turn.acquire()
        try:
            yield
        finally:
            for turn in self.turns:
                turn.release()

    def say(self, store: str) -> None:
        """Let the app say where tokens are kept, and wait until everybody has read it."""
        self.app.change_consumer(store=store)
        time.sleep(CACHED + 0.1)
        with self.quiet():  # whoever signs in now has read it
            pass

    def relay(self) -> None:
        """Let leases end, and the relay do what is due."""
        harness = self.harness()
        with self.quiet():
            for _ in range(2):
                self.clock.now += connection.WRITING + 1
                due = harness.due()
                harness.relay.relay(due, lambda: True)


def run(sandbox: Sandbox, users: int, *, kills: int = 3, say: Callable[[str], None] = lambda _: None) -> Proof:
    """Move so many users to the table and back, each way killed so often; ``say`` is told the progress."""
    world, proof = _World(sandbox, users), Proof(users)
    world.seed()
    say(f"{users} users have signed in")
    began = time.monotonic()
    with reading(sandbox), ThreadPoolExecutor(READERS + SIGNING_IN) as threads:
        for service in ("dynamodb", "kms", "secretsmanager"):  # with connections for all threads
            process.this()._clients[service, False] = sandbox.client(service)
        readers = [threads.submit(_read, world) for _ in range(READERS)]
        signing = [threads.submit(_sign_in, world, number) for number in range(SIGNING_IN)]
        try:
            world.say("moving")
            world.say("table")
            _move(world, proof, "table", kills)
            say(f"all are in the table after {time.monotonic() - began:.0f} s")
            world.say("moving")
            _move(world, proof, "secrets-manager", kills)
            while move(world.harness()).unsettled(world.app.name):
                world.relay()
            world.say("secrets-manager")
            say(f"all are back after {time.monotonic() - began:.0f} s")
        finally:
            world.ended.set()
        proof.sign_ins = sum(each.result() for each in signing)
        world.relay()
        for each in readers:
            _judge(world, proof, each.result())
    proof.left = sum(not _is_back(world, user) for user in world.users)
    proof.seconds = time.monotonic() - began
    return proof


def _move(world: _World, proof: Proof, to: str, kills: int) -> None:
    """Move everybody, and again until a move finds all there; the first moves are killed on the way."""
    chance = random.Random(world.app.name + to)  # noqa: S311  # no secret
    for number in range(PASSES):
        at = chance.randint(1, len(world.users)) if number < kills else 0  # a look at each user alone is as many calls
        results = set()
        try:
            for moved in _pass(world, to, at, after=chance.random() < 0.5):
                proof.results[f"{to}: {moved.result}"] += 1
                results.add(moved.result)
        except Killed:
            proof.killed += 1
            continue
        world.relay()
        if results == {MoveResult.THERE}:
            return
    raise RuntimeError(f"not everybody is moved after {PASSES} moves")


def _pass(world: _World, to: str, at: int, *, after: bool) -> Iterator[Moved]:
    """Move everybody, and die in the call of this number."""

    def die(number: int, _: str) -> None:
        if number == at:
            raise Killed

    moves = move(world.harness(), Calls(after=die) if after else Calls(before=die))
    return (moves.to_table if to == "table" else moves.to_secrets_manager)(world.app.name, rate=1e6)


def _read(world: _World) -> list[tuple[str, int, str]]:
    """Read one user after the other; return (user, the token that was stored before, by its number, and the one that was read)."""
    this, found = process.this(), []
    reader = SecretReader(this.client("secretsmanager"), this.prefix, lifetime=CACHED, sealed=this._sealed_tokens)
    while not world.ended.is_set():
        user_id = random.choice(world.users).user_id  # noqa: S311  # no secret
        before = world.stored[user_id]
        try:
            consumer = reader.consumer(world.app.name)
            tokens = reader.user(world.app.name, user_id, fresh=True, may_be_sealed=consumer.may_be_sealed)
            found.append((user_id, before, tokens.oauth_token))
        except Exception as error:  # noqa: BLE001  # each is a read that failed
            found.append((user_id, before, f"! {type(error).__name__}"))
        world.ended.wait(PAUSE * random.random())  # noqa: S311  # no secret
    return found


def _judge(world: _World, proof: Proof, found: list[tuple[str, int, str]]) -> None:
    for user_id, before, token in found:
        proof.reads += 1
        if token.startswith("! "):
            proof.failed[token] += 1
        elif token not in world.tokens[user_id][before:]:
            proof.older += 1


def _sign_in(world: _World, number: int) -> int:
    """Let a share of the users sign in anew, one after the other, and return how often somebody did."""
    mine, done = world.users[number::SIGNING_IN], 0
    harness, read_at = world.harness(), 0.0
    while not world.ended.is_set():
        user = random.choice(mine)  # noqa: S311  # no secret
        with world.turns[number]:
            if time.monotonic() > read_at + CACHED:
                harness.flows.secret_reader.forget_consumer(world.app.name)
                read_at = time.monotonic()
            harness.app = SandboxApp(world.app.sandbox, world.app.name, world.app.consumer, user)
            harness.cookies.clear()
            world.clock.now += 0.01
            record = harness.callback(*harness.come_back())
            token = world.app.sandbox.provider_server.valid_token(world.app.consumer.key, user)
            if token:
                world.tokens[user.user_id].append(token)
                done += 1
            if (harness.table.authorization(record.pk) or record).pending_tokens is None:  # if not, the relay stores them
                world.stored[user.user_id] = len(world.tokens[user.user_id]) - 1
        world.ended.wait(PAUSE)
    return done


def _is_back(world: _World, user: User) -> bool:
    app = replace(world.app, user=user)
    stored, kept = app.stored(), app.connection() or {}
    return stored is not None and stored["oauth_token"] == world.tokens[user.user_id][-1] and "sealed_tokens" not in kept
