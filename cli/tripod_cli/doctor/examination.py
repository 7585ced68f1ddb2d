"""The examination: every look in turn, each on its own, so that one that can't be taken hides no other."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from botocore.exceptions import BotoCoreError, ClientError

from tripod_cli import failure
from tripod_cli.doctor import (
    address,
    alarms,
    consumer_secret,
    credentials,
    dead_letters,
    functions,
    keys,
    outbox,
    outputs,
    permissions,
    sign_in,
    table,
    users,
)
from tripod_cli.doctor.finding import Finding, unknown
from tripod_cli.failure import OUT_OF_REACH, Failure
from tripod_cli.stack import Stack
from tripod_flow.rules.errors import NotConfigured

Look = Callable[[], Iterator[Finding]]
SETTINGS_OF = "relay"  # the function that has all of them


class NoStack(Failure):
    """There is nothing of a stack: it is somewhere else, or not deployed."""

    def __init__(self, text: str) -> None:
        super().__init__(text, OUT_OF_REACH)


@dataclass(frozen=True)
class Examination:
    """What is looked at: ``providers`` (none: all that have a consumer secret), and whether they are asked."""

    stack: Stack
    providers: Sequence[str] = ()
    sign_in: bool = True

    def findings(self) -> Iterator[Finding]:
        """Yield what each look finds, as it finds it; raises what shows that AWS can't be asked at all, or has no such stack."""
        yield from credentials.look(self.stack)
        yield from _carefully("functions and SSM parameters", self._parts)
        if problem := self._without_settings():
            yield problem
        else:
            yield from self._each(_OF_THE_STACK)
            yield from self._of_the_providers()
        yield from self._each(_OF_OTHERS)

    def _parts(self) -> Iterator[Finding]:
        found, said = functions.read(self.stack), outputs.read(self.stack)
        if not any(found.values()) and not any(said.values()):
            raise NoStack(
                f"there is no stack of the prefix {self.stack.prefix} here: is --prefix its parameter Prefix, and --region its region?"
            )
        yield from functions.look(self.stack, found)
        yield from outputs.look(self.stack, said, found)

    def _without_settings(self) -> Finding | None:
        """Return what is not looked at where the functions' settings can't be read, and why; None where they can."""
        skipped = "the table, KMS keys, consumer secrets, sign-in and the outbox are not looked at"
        try:
            _ = self.stack.settings
        except ClientError as error:
            refused = permissions.not_allowed("settings", error)
            return replace(refused, found=f"{refused.found}: {skipped}")
        except (Failure, NotConfigured):
            name = f"{self.stack.prefix}-{SETTINGS_OF}"
            return unknown(
                "settings", f"those of the function {name} can't be used: {skipped}", "Mend what is wrong with it, and look again"
            )
        return None

    def _each(self, looks: Mapping[str, Callable[[Stack], Iterator[Finding]]]) -> Iterator[Finding]:
        for name, look in looks.items():
            yield from _carefully(name, partial(look, self.stack))

    def _of_the_providers(self) -> Iterator[Finding]:
        if self.providers:
            named = list(self.providers)
        else:
            named = []
            yield from _carefully("consumer secrets", partial(self._list, named))
        for provider in named:
            for name, look in _OF_A_PROVIDER.items():
                if name != LEG_1 or self.sign_in:
                    yield from _carefully(f"{name} {provider}", partial(look, self.stack, provider))

    def _list(self, named: list[str]) -> Iterator[Finding]:
        """Append the providers of which there is a consumer secret."""
        named += consumer_secret.providers(self.stack)
        if not named:
            yield consumer_secret.none(self.stack)


LEG_1 = "leg 1 at"
_OF_THE_STACK = {
    "event bus": outputs.bus,
    "table": table.look,
    "expiry of the table": table.expiry,
    "backups of the table": table.backups,
    "KMS keys": keys.look,
    "rotation of the KMS key": keys.rotation,
    "outbox": outbox.look,
}
_OF_A_PROVIDER = {
    "consumer secret of": consumer_secret.look,
    "callback URL of": sign_in.callback,
    LEG_1: sign_in.look,
    "users of": users.look,
}
_OF_OTHERS = {"domain": address.domain, "API": address.api, "alarms": alarms.look, "dead letters": dead_letters.look}


def _carefully(name: str, look: Look) -> Iterator[Finding]:
    """Yield what a look finds; where it can't be taken, that and why."""
    try:
        yield from look()
    except ClientError as error:
        yield permissions.not_allowed(name, error)
    except NoStack:
        raise
    except (BotoCoreError, Failure) as error:
        said = failure.of(error) if isinstance(error, BotoCoreError) else error
        yield unknown(name, str(said), "Mend that, and look again")
