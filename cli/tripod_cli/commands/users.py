"""``users``, ``show``, ``check``, ``disconnect``: who is connected, whether they work, and the end of it."""

from typing import Any

import click

import tripod
from tripod import names
from tripod.connections import Connection
from tripod.errors import TokenNotFound
from tripod_cli import completion, options
from tripod_cli.failure import FOUND, Failure
from tripod_cli.options import Chosen
from tripod_cli.output import moment
from tripod_flow.rules import moving
from tripod_flow.rules.connection import ConnectionRecord
from tripod_flow.rules.moving import Place

_PLACES = {
    Place.SECRET: "Secrets Manager",
    Place.TABLE: "the table, sealed",
    Place.ON_THEIR_WAY: "on their way: the relay is storing them",
    Place.NOWHERE: "nowhere",
}


def _given(_: click.Context, __: click.Parameter, value: str) -> str:
    if not value:
        raise click.BadParameter("it is empty")
    return value


_user_id = click.argument("user_id", callback=_given)


@click.command()
@click.argument("provider", shell_complete=completion.kept)
@click.option("--state", type=click.Choice(["connected", "refused"]), help="Only these; refused: the user must sign in again.")
@click.option("--subject", metavar="ID", help="Only your own user's, as given to start.")
@click.option("--count", is_flag=True, help="Only how many.")
@options.pass_chosen
def users(chosen: Chosen, provider: str, state: str | None, subject: str | None, *, count: bool) -> None:
    """List the users who are connected at PROVIDER, such as x.

    Refused are those whose tokens the provider no longer takes, as far as a check has found out.
    """
    _ = chosen.stack
    found = tripod.users(provider, state=state, subject=subject)
    if count:
        number = sum(1 for _ in found)
        chosen.output.line(f"{number}", provider=provider, state=state, count=number)
        return
    columns = ("user_id", "screen_name", "subject", "state", "cause", "granted_at")
    empty = f"nobody is connected at {provider}" + (f" and {state}" if state else "")
    chosen.output.rows(columns, map(_row, found), prose="labels", empty=empty)


@click.command()
@click.argument("provider", shell_complete=completion.kept)
@_user_id
@options.pass_chosen
def show(chosen: Chosen, provider: str, user_id: str) -> None:
    """Show all that is known of one user's connection; no token."""
    prefix = chosen.stack.prefix
    found = chosen.stack.app.table.connection(names.connection_key(provider, user_id))
    if found is None or found.grant_id is None:
        raise TokenNotFound(names.user_secret(prefix, provider, user_id))
    chosen.output.fields(_shown(found))


@click.command()
@click.argument("provider", shell_complete=completion.kept)
@_user_id
@options.pass_chosen
def check(chosen: Chosen, provider: str, user_id: str) -> None:
    """Ask the provider whether it still takes a user's tokens, and record the answer. The exit code is 1 where it doesn't."""
    _ = chosen.stack
    found = tripod.check(provider, user_id=user_id)
    fields = {
        "provider": provider,
        "user_id": user_id,
        "state": found.state,
        "cause": found.cause,
        "checked_at": moment(found.checked_at),
    }
    chosen.output.fields(fields)
    if found.state == "refused":
        raise Failure("the user has to sign in again", FOUND)
    if found.state == "unknown":
        chosen.output.aside("the provider said nothing that would prove either; nothing has changed")


@click.command()
@click.argument("provider", shell_complete=completion.kept)
@_user_id
@options.dry_run
@click.option("--yes", is_flag=True, help="Don't ask.")
@options.pass_chosen
def disconnect(chosen: Chosen, provider: str, user_id: str, *, dry_run: bool, yes: bool) -> None:
    """Disconnect a user: end the connection, delete the secret, and have the provider invalidate the token."""
    if dry_run:
        found = chosen.stack.app.table.connection(names.connection_key(provider, user_id))
        if found is None or not found.is_connection or found.grant_id is None:
            raise TokenNotFound(names.user_secret(chosen.stack.prefix, provider, user_id))
        chosen.output.line(f"would disconnect {user_id} at {provider}", provider=provider, user_id=user_id, would="disconnect")
        return
    if not yes:
        click.confirm(f"Disconnect {user_id} at {provider}? Only a new sign-in connects them again", abort=True, err=True)
    _ = chosen.stack
    tripod.disconnect(provider, user_id=user_id)
    chosen.output.line(f"{user_id} is disconnected at {provider}", provider=provider, user_id=user_id, outcome="revoked")


COMMANDS = (users, show, check, disconnect)


def _row(found: Connection) -> dict[str, Any]:
    return {
        "provider": found.provider,
        "user_id": found.user_id,
        "screen_name": found.screen_name,
        "subject": found.subject,
        "state": found.state,
        "cause": found.cause,
        "granted_at": moment(found.granted_at),
        "refused_at": moment(found.refused_at),
        "checked_at": moment(found.checked_at),
        "expires_at": moment(found.expires_at),
        "labels": list(found.labels),
    }


def _shown(found: ConnectionRecord) -> dict[str, Any]:
    return {
        "provider": found.provider,
        "user_id": found.user_id,
        "screen_name": found.screen_name,
        "subject": found.subject,
        "state": _state(found),
        "cause": found.cause if found.refused_by else None,
        "granted_at": moment(found.granted_at),
        "first_granted_at": moment(found.first_granted_at),
        "refused_at": moment(found.refused_at) if found.refused_by else None,
        "checked_at": moment(found.checked_at),
        "expires_at": moment(found.token_expires_at),
        "revoked_at": moment(found.revoked_at),
        "labels": list(found.labels) if found.labels else None,
        "tokens_in": _PLACES[moving.place(found)],
        "pending": _pending(found) or None,
        "next_try": moment(found.outbox_due) if found.outbox else None,
        "failed_tries": found.outbox_tries or None,
    }


def _state(found: ConnectionRecord) -> str:
    if not found.is_connection:
        return "revoked"
    return "refused" if found.refused_by else "connected"


def _pending(found: ConnectionRecord) -> list[str]:
    owed = {
        "the secret's deletion": found.deletion_pending,
        "the invalidation at the provider": found.pending_invalidation,
        "events": found.pending_events,
    }
    return [name for name, value in owed.items() if value]
