"""``move``: all users' tokens of a provider to the table, or to Secrets Manager, with what must be said and waited for before and after.

docs/operating.md has the order and the reasons.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import click
from botocore.exceptions import ClientError

from tripod import names
from tripod.credentials import Store
from tripod.secret_reader import LIFETIME
from tripod_cli import completion, failure, options
from tripod_cli.consumer_secrets import ConsumerSecrets, SaidStore
from tripod_cli.failure import FOUND, OUT_OF_REACH, Failure
from tripod_cli.options import Chosen
from tripod_flow.flows import pacing
from tripod_flow.flows.move import Move, Moved, MoveResult, NotReady
from tripod_flow.rules import moving
from tripod_flow.rules.moving import Place

PASSES = 5  # through all users, at most
SHOWN = 20  # users who are in the way, of a pass
AGAIN = 150.0  # seconds; longer than anybody may be at a user's secret, and the relay's next sweep


@click.command()
@click.argument("provider", shell_complete=completion.kept)
@click.option("--to", type=click.Choice(["table", "secrets-manager"]), required=True, help="Where they are to be kept.")
@click.option(
    "--rate",
    type=click.FloatRange(min=0.1, max=1000),
    default=pacing.RATE,
    show_default=True,
    metavar="N",
    help="At most so many users a second.",
)
@click.option(
    "--cached",
    type=click.IntRange(0, 3600),
    default=LIFETIME,
    show_default=True,
    metavar="SECONDS",
    help="How long your readers keep a consumer secret: the longest TRIPOD_CACHE_SECONDS. Less than 300 only while nobody signs in.",
)
@click.option("--yes", is_flag=True, help="Don't ask before the consumer secret is changed.")
@options.dry_run
@options.pass_chosen
def move(
    chosen: Chosen, provider: str, to: Literal["table", "secrets-manager"], rate: float, cached: int, *, yes: bool, dry_run: bool
) -> None:
    """Move the tokens of PROVIDER's users to the table, or to Secrets Manager, while readers read and users sign in.

    It changes "store" in the consumer secret where that must come first, waits until everybody has read it, and moves one user after
    the other. Interrupt it whenever you like: the same command goes on.
    """
    stack = chosen.stack
    app, secrets = stack.app, stack.moved_secrets
    app.consumers.find(provider)
    if to == "table" and not stack.settings.token_key:
        raise Failure("the stack has no key to seal tokens with: its parameter TokenKey makes one, or KmsKeyArn names one")
    if dry_run:
        return _look(chosen, provider, to)
    flow = Move(app.table, stack.roster, secrets, app.token_sealer, app.token_deletion)
    run = _Run(chosen, provider, to, ConsumerSecrets(stack), total=stack.roster.count(provider))
    if run.said.store == "none":
        raise Failure(
            f'"store" is "none" in {run.secrets.name(provider)}: no tokens of new sign-ins are kept, and none are moved'
        )
    functions = min(cached, LIFETIME)
    if to == "table":
        _try_key(chosen, provider)
        if run.said.store == "secrets-manager":
            run.say(
                "secrets-manager", "moving", "From then on readers look into the table first, and for a secret after it", yes=yes
            )
        run.wait_until((secrets.looked_into_since(provider) or 0.0) + cached, "until every reader looks into the table")
        if run.said.store == "moving":
            run.say("moving", "table", "From then on new tokens are sealed in the table", yes=yes)
        run.wait_until(run.said.since + functions, "until nobody keeps new tokens as secrets any more")
        run.passes(lambda: flow.to_table(provider, rate=rate, cached=cached), lambda: 0)
    elif run.said.store == "secrets-manager" and not _places(chosen, provider)[Place.TABLE] and not flow.unsettled(provider):
        run.show(Counter({MoveResult.THERE: run.total}))
    else:
        if (said := run.said.store) in ("table", "secrets-manager"):
            run.say(said, "moving", "From then on new tokens are kept as secrets, and readers look into both", yes=yes)
        run.wait_until(run.said.since + functions, "until nobody seals new tokens any more")
        run.passes(lambda: flow.to_secrets_manager(provider, rate=rate), lambda: flow.unsettled(provider))
        run.say("moving", "secrets-manager", "From then on nobody looks into the table any more", yes=yes)
    return None


COMMANDS = (move,)


@dataclass
class _Run:
    """One move, as far as it has come."""

    chosen: Chosen
    provider: str
    to: str
    secrets: ConsumerSecrets
    total: int
    results: Counter[MoveResult] = field(default_factory=Counter)

    @property
    def said(self) -> SaidStore:
        """What the consumer secret says now."""
        return self.secrets.said_store(self.provider)

    def say(self, was: Store, store: Store, meaning: str, *, yes: bool) -> None:
        """Change the consumer secret, once the operator agrees; raises ``Failure`` where somebody else has changed it since."""
        secret = self.secrets.name(self.provider)
        if not yes:
            click.confirm(f'Set "store" to "{store}" in the secret {secret}? {meaning}', abort=True, err=True)
        self.secrets.say_store(self.provider, store, was=was)
        self.chosen.output.aside(f'"store" is "{store}" in {secret}')

    def wait_until(self, at: float, why: str) -> None:
        """Wait, and show for how long."""
        seconds = at - time.time()
        if seconds <= 0:
            return
        self.chosen.output.aside(f"{seconds:.0f} seconds, {why}")
        with self.chosen.output.progress("waiting", int(seconds)) as bar:
            while (left := at - time.time()) > 0:
                time.sleep(min(1.0, left))
                bar.advance()

    def passes(self, moves: Callable[[], Iterator[Moved]], unsettled: Callable[[], int]) -> None:
        """Move, and again while somebody is in the way; raises ``Failure`` where not everybody is there in the end."""
        left: dict[str, MoveResult] = {}  # user ids; of those whom a pass has not reached yet, what the one before it found
        to_seal = 0
        try:
            for number in range(PASSES):
                if number:
                    self.wait_until(time.time() + AGAIN, "until those who were in the way are done")
                self._pass(moves, left, is_first=not number)
                to_seal = unsettled()
                if MoveResult.WAITING not in left.values() and not to_seal:
                    break
        except BaseException:
            self.show(Counter(left.values()), to_seal)
            raise
        self.show(Counter(left.values()), to_seal)
        if left or to_seal:
            raise Failure(f"not everybody is in {self.to}. They are read where they are: the same command tries again", FOUND)

    def _pass(self, moves: Callable[[], Iterator[Moved]], left: dict[str, MoveResult], *, is_first: bool) -> None:
        """Go through everybody once, and note in ``left`` who is waiting or has failed."""
        told, unmet = 0, set(left)
        try:
            with self.chosen.output.progress(f"to {self.to}", self.total) as bar:
                for moved in moves():
                    bar.advance()
                    unmet.discard(moved.user_id)
                    if moved.result in (MoveResult.WAITING, MoveResult.FAILED):
                        left[moved.user_id] = moved.result
                        told += 1
                        self._tell(moved, told)
                    elif left.pop(moved.user_id, None) or moved.result is not MoveResult.THERE or is_first:
                        self.results[moved.result] += 1
        except NotReady as error:
            raise Failure(str(error)) from None
        for user_id in unmet:  # they have disconnected meanwhile
            del left[user_id]

    def _tell(self, moved: Moved, number: int) -> None:
        """Say who was not moved, and why; people are told the first ones of a pass."""
        if self.chosen.output.as_json:
            self.chosen.output.json({"user_id": moved.user_id, "result": str(moved.result), "reason": moved.reason})
        elif number <= SHOWN:
            self.chosen.output.aside(f"{moved.user_id} {moved.result}: {moved.reason}")
        elif number == SHOWN + 1:
            self.chosen.output.aside("and others, whom --json lists")

    def show(self, left: Counter[MoveResult], to_seal: int = 0) -> None:
        """Say how many there are of each result, those that are left included."""
        results: dict[str, Any] = {str(result).replace(" ", "_"): (self.results + left)[result] for result in MoveResult}
        text = (
            ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in results.items() if number) or "nobody is connected"
        )
        text += f"; {to_seal} sign-ins are still to be sealed" if to_seal else ""
        self.chosen.output.line(text, provider=self.provider, to=self.to, **results, unsettled=to_seal)


def _try_key(chosen: Chosen, provider: str) -> None:
    """See that the key seals, before anything is changed; raises ``Failure``."""
    try:
        chosen.stack.app.token_sealer.try_key(provider)
    except ClientError as error:
        if failure.is_denied(error):
            raise
        code = error.response["Error"]["Code"]
        text = (
            f"nothing is changed, because the key of the tokens seals nothing ({code}): docs/operating.md#the-key-of-the-tokens"
        )
        raise Failure(text, OUT_OF_REACH) from None


def _places(chosen: Chosen, provider: str) -> Counter[Place]:
    """Return how many users' tokens are in each place."""
    table = chosen.stack.app.table
    users = chosen.stack.roster.connected(provider)
    return Counter(moving.place(table.connection(names.connection_key(provider, user_id))) for user_id in users)


def _look(chosen: Chosen, provider: str, to: str) -> None:
    """Say what would be moved."""
    places = _places(chosen, provider)
    would, there = (places[place] for place in ((Place.SECRET, Place.TABLE) if to == "table" else (Place.TABLE, Place.SECRET)))
    waiting = places[Place.ON_THEIR_WAY]
    chosen.output.line(
        f"{would} users would be moved to {to}; {there} are there already"
        + (f"; the tokens of {waiting} are being stored" if waiting else ""),
        provider=provider,
        to=to,
        would_move=would,
        already_there=there,
        waiting=waiting,
    )
