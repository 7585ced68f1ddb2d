"""``tripod consumer``: the app's key and secret at each provider."""

import json
import sys
from collections.abc import Callable
from typing import Any, BinaryIO, TypeVar

import click
from botocore.exceptions import ClientError

from tripod import names
from tripod.credentials import STORES
from tripod.definitions import resolve
from tripod_cli import completion, failure, given, options
from tripod_cli.consumer_secrets import AWS_KEY, ConsumerSecrets, Held
from tripod_cli.consumer_shown import called, shown
from tripod_cli.failure import Failure
from tripod_cli.given import Fields
from tripod_cli.options import Chosen
from tripod_cli.output import Output, moment
from tripod_cli.stack import Stack
from tripod_flow.rules.provider import ProviderDefinition
from tripod_flow.settings import Settings

_FORM = '{"consumer_key": "…", "consumer_secret": "…"}'
_COLUMNS = ("provider", "definition", "store", "consumer_key", "state", "changed_at")
_WOULD = {"created": "create", "changed": "change", "restored": "restore and change", "unchanged": "leave as it is:"}

Told = TypeVar("Told")


@click.group()
def consumer() -> None:
    """Set, show and list the app's key and secret at each provider: the consumer secrets."""


@consumer.command("set")
@click.argument("provider", shell_complete=completion.known)
@click.option("--from-file", "file", type=click.File("rb"), help="Take the fields from a file of JSON; - is standard input.")
@click.option("--store", type=click.Choice(STORES), help="Where users' tokens are kept: docs/stores.md.")
@click.option("--like", metavar="NAME", shell_complete=completion.known, help="The provider's name, where PROVIDER is your own.")
@click.option("--site", metavar="URL", help="Which site, where the provider has many: its address, or the account's name.")
@click.option("--kms-key-id", metavar="KEY", help="Encrypt with this key; by default the stack's KmsKeyArn, or AWS's own.")
@options.dry_run
@click.option("--yes", is_flag=True, help="Don't ask.")
@options.pass_chosen
def set_(
    chosen: Chosen,
    provider: str,
    *,
    file: BinaryIO | None,
    store: str | None,
    like: str | None,
    site: str | None,
    kms_key_id: str | None,
    dry_run: bool,
    yes: bool,
) -> None:
    """Store the app's key and secret at PROVIDER, and say which callback URL to register there.

    At a terminal it asks for both, and shows neither. From --from-file, or else from standard input, it reads JSON:
    {"consumer_key": "…", "consumer_secret": "…"}, with "store" and "provider" if you like. What is not given stays as it was, and with
    --store, --like, --site or --kms-key-id alone the key and the secret do too.
    """
    if not names.is_provider(provider):
        raise click.UsageError("PROVIDER is 1 to 32 lower-case letters, digits and hyphens, such as x")
    secrets, output = ConsumerSecrets(chosen.stack), chosen.output
    held = secrets.held(provider)
    former = _former(held, output)
    asked: Fields = {"store": store} if store else {}
    if like or site:
        asked["provider"] = given.described(former.get("provider"), provider, like, site)
    if file or not former or not (asked or kms_key_id):
        read = _read(file, provider, asked.get("provider", former.get("provider")))
        if "provider" in asked and read.get("provider", asked["provider"]) != asked["provider"]:
            raise click.UsageError(
                '"provider" in the JSON is another than --like and --site mean: leave out the one or the other'
            )
        asked = {**read, **asked}
    fields, trimmed = given.cleaned({**former, **asked})
    definition = _checked(provider, fields)
    for name in trimmed:
        output.aside(f"blanks or quotes around the {name.replace('_', ' ')} are cut off")
    for name in given.blanks_within(fields):
        output.aside(f"the {name.replace('_', ' ')} has a blank or an invisible character within: was it cut into two lines?")
    settings = _if_deployed(lambda: chosen.stack.settings, output)
    _check_store(provider, former, fields, settings, yes=yes or dry_run)
    key = _kms_key(kms_key_id, chosen.stack, settings, output)
    change = _change(held, former, fields, kms_key_id)
    told: dict[str, Any] = {"provider": provider, "secret": secrets.name(provider), "trimmed": list(trimmed)}
    if dry_run:
        output.line(f"would {_WOULD[change]} {secrets.name(provider)}", **told, would=change)
        return
    if held.kept and held.is_deleted:
        _agree(f"{held.kept.name} was deleted at {moment(held.kept.deleted_at)}. Restore it, with what is given now", yes=yes)
    if secrets.held(provider) != held:
        raise Failure(f"nothing is stored: {secrets.name(provider)} was changed by somebody else meanwhile: run it again")
    if change == "restored":
        secrets.restore(provider)
    if change == "created":
        secrets.create(provider, json.dumps(fields), at=called(provider, definition), kms_key=key or "")
    elif change != "unchanged":
        secrets.change(provider, json.dumps(fields) if fields != former else None, kms_key=kms_key_id)
    _tell(chosen, provider, fields, definition, told | {"outcome": change})


@consumer.command()
@click.argument("provider", shell_complete=completion.kept)
@options.pass_chosen
def show(chosen: Chosen, provider: str) -> None:
    """Show what is set for PROVIDER, and the callback URL to register; of the key its end, of the secret nothing.

    The exit code is 1 where something is wrong with it.
    """
    secrets = ConsumerSecrets(chosen.stack)
    kept = secrets.find(provider)
    if kept is None:
        raise Failure(f"there is no secret {secrets.name(provider)}: `tripod consumer set {provider}` makes it")
    seen = shown(secrets, kept)
    about = {name: seen.pop(name, None) for name in ("provider", "name", "state", "flaw")}
    del seen["changed_at"]  # it comes last
    url = None if kept.deleted_at else _callback_url(chosen.stack, provider, chosen.output)
    if url is None and kept.deleted_at is None:
        chosen.output.aside("there is no callback URL yet: the stack's SSM parameter api-url is not there, or not to be read")
    at_provider = {"callback_url": url, "register": seen.pop("register", None)}
    of_aws = {"secret": kept.name, "kms_key": kept.kms_key or "AWS's own", "created_at": moment(kept.created_at)}
    chosen.output.fields({**about, **at_provider, **seen, **of_aws, "changed_at": moment(kept.changed_at)})
    if kept.deleted_at is not None:
        raise Failure(f"it is deleted, and nobody can sign in: `tripod consumer set {provider}` restores it")
    if about["flaw"]:
        raise Failure(f"nobody can sign in: `tripod consumer set {provider}` mends it")


@consumer.command("list")
@options.pass_chosen
def list_(chosen: Chosen) -> None:
    """List the providers whose key and secret are set, and those that are deleted. The exit code is 1 where one is wrong."""
    secrets = ConsumerSecrets(chosen.stack)
    rows = [shown(secrets, kept) for kept in secrets.all()]
    wrong = any(row["flaw"] for row in rows)
    chosen.output.rows(
        _COLUMNS, rows, prose="flaw", empty=f"no provider is set under {secrets.name('')}: `tripod consumer set x` sets X"
    )
    if wrong:
        raise Failure("nobody can sign in where there is a flaw: `tripod consumer set <provider>` mends it")


COMMANDS = (consumer,)


def _former(held: Held, output: Output) -> Fields:
    """Return the fields that the secret has; none where it is new or deleted, or where they can't be read."""
    if held.kept is None or held.is_deleted:
        return {}
    flaw = held.flaw
    if not flaw:
        try:
            return given.parse(held.content)
        except ValueError as error:
            flaw = str(error)
    output.aside(f"what {held.kept.name} holds is replaced as a whole: {flaw}")
    return {}


def _read(file: BinaryIO | None, provider: str, definition: object) -> Fields:
    """Return what the person at the terminal types, or what the file or standard input holds."""
    if file is None and sys.stdin.isatty():
        return _typed(optional=_may_be_empty(definition, provider))
    source, content = (file.name, file.read()) if file else ("standard input", sys.stdin.buffer.read())
    if not content.strip():
        raise Failure(f"{source} is empty: it must hold {_FORM}")
    try:
        return given.parse(content)
    except ValueError as error:
        raise Failure(f"{source}: {error}. It must hold {_FORM}") from None


def _typed(*, optional: bool) -> Fields:
    key = click.prompt("Consumer key (not shown)", hide_input=True, err=True)
    text = "Consumer secret (not shown)"
    if optional:
        return {"consumer_key": key, "consumer_secret": click.prompt(text, "", hide_input=True, show_default=False, err=True)}
    return {"consumer_key": key, "consumer_secret": click.prompt(text, hide_input=True, err=True)}


def _may_be_empty(definition: object, provider: str) -> bool:
    try:
        return resolve(definition, provider).get("empty_consumer_secret") is True
    except ValueError:  # it is told of once all is given
        return False


def _checked(provider: str, fields: Fields) -> ProviderDefinition:
    """Return the definition that these fields mean, as the functions read it; raises Failure."""
    try:
        _, found = given.understood(json.dumps(fields), provider)
    except ValueError as error:
        raise Failure(
            f"nothing is stored, because nobody could sign in: {error}. --like takes a name of docs/providers.md"
        ) from None
    if flaw := given.flaw(fields, found):
        raise Failure(f"nothing is stored: {flaw}")
    return found


def _check_store(provider: str, former: Fields, fields: Fields, settings: Settings | None, *, yes: bool) -> None:
    """See that a change of the store loses nobody's tokens: raises Failure, or asks."""
    was, store = former.get("store", STORES[0]), fields.get("store", STORES[0])
    if store in ("table", "moving") and settings and not settings.token_key:
        raise Failure(f'nothing is stored: "store": "{store}" needs a key. Deploy with the parameter TokenKey=on first')
    if was in ("table", "moving") and store not in ("table", "moving"):
        text = (
            "Readers would look into the table no more, and not find whose tokens are sealed there: "
            f"`tripod move {provider} --to secrets-manager` moves them first (docs/operating.md). Set {store} now"
        )
        _agree(text, yes=yes)
    elif former and (was, store) == ("secrets-manager", "table"):
        text = f"Readers could miss who is connected already: from {was}, set moving first (docs/operating.md). Set {store} now"
        _agree(text, yes=yes)


def _kms_key(asked: str | None, stack: Stack, settings: Settings | None, output: Output) -> str | None:
    """Return the key to encrypt with; one that the functions may not use is told of."""
    stacks = settings.kms_key if settings else ""
    if not asked or settings is None or asked.endswith(AWS_KEY):
        return asked or stacks
    key: str | None = asked
    if stacks and "alias/" in asked:
        key = _if_deployed(lambda: str(stack.client("kms").describe_key(KeyId=asked)["KeyMetadata"]["Arn"]), output)
    if key not in (stacks, stacks.rpartition("/")[2]):
        which = "nobody can sign in until it may use this one"
        if key is None:
            which = f"if {asked} is another, nobody can sign in until it may use that one"
        output.aside(f"the stack may use the key of its parameter KmsKeyArn alone ({stacks or 'none is given'}): {which}")
    return asked


def _change(held: Held, former: Fields, fields: Fields, key: str | None) -> str:
    if held.kept is None:
        return "created"
    if held.is_deleted:
        return "restored"
    return "unchanged" if fields == former and key in (None, held.kept.kms_key) else "changed"


def _agree(question: str, *, yes: bool) -> None:
    """Go on once the operator says yes; a script says it by --yes."""
    if not yes and not sys.stdin.isatty():
        raise Failure(f"{question}? --yes says so")
    if not yes:
        click.confirm(question, abort=True, err=True)


def _tell(chosen: Chosen, provider: str, fields: Fields, definition: ProviderDefinition, told: dict[str, Any]) -> None:
    """Say what was done, and what is to be done at the provider."""
    url, output = _callback_url(chosen.stack, provider, chosen.output), chosen.output
    entry = given.entry(fields.get("provider"), provider)
    register = entry.register if entry else None
    if output.as_json:
        return output.json({**told, "callback_url": url, "register": register})
    done = "is as it was" if told["outcome"] == "unchanged" else f"is {told['outcome']}"
    soon = "; the functions read it within five minutes" if told["outcome"] in ("changed", "restored") else ""
    output.line(f"{told['secret']} {done}{soon}.")
    at = called(provider, definition)
    if url:
        output.line(f"Register this callback URL at {at}, to the last character:\n  {url}")
    else:
        prefix = "" if chosen.stack.prefix == "tripod" else f" --prefix {chosen.stack.prefix}"
        output.line(
            f"The stack is not deployed yet: make deploy FIRST=--guided. "
            f"Then `tripod consumer show {provider}{prefix}` has the callback URL to register at {at}."
        )
    if register:
        output.line(f"Where: {register}.")
    return None


def _callback_url(stack: Stack, provider: str, output: Output) -> str | None:
    """Return the URL that the provider sends users back to; None where the stack isn't deployed."""
    origin = _if_deployed(lambda: stack.parameter("api-url"), output)
    return origin and f"{origin.rstrip('/')}/oauth/{provider}/callback"


def _if_deployed(ask: Callable[[], Told], output: Output) -> Told | None:
    """Return what the stack says; None where there is none yet, or the operator may not ask, which is told."""
    try:
        return ask()
    except Failure:  # there is no such parameter or function
        return None
    except ClientError as error:
        if not failure.is_denied(error):
            raise
        output.aside(f"not looked up, because your credentials may not: {error.operation_name}")
        return None
