"""The options that every command has, before its name or after it, as AWS's own command has them."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import click

from tripod_cli.output import Output
from tripod_cli.stack import Stack


@dataclass
class Chosen:
    """What those options say, and what is made from it at first use."""

    values: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def stack(self) -> Stack:
        """The stack that is meant."""
        prefix = self.values.get("prefix") or os.environ.get("TRIPOD_PREFIX") or "tripod"
        return Stack(prefix, profile=self.values.get("profile"), region=self.values.get("region"))

    @cached_property
    def output(self) -> Output:
        """Where the command prints."""
        return Output(as_json=bool(self.values.get("json")))


def shared(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options; whichever is given last counts."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def pass_chosen(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options, and pass ``Chosen`` as the first argument."""
    return shared(click.make_pass_decorator(Chosen, ensure=True)(command))


dry_run = click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")


def _note(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    if value:
        context.ensure_object(Chosen).values[str(parameter.name)] = value


def _option(*names: str, **settings: Any) -> Callable[..., Any]:
    return click.option(*names, expose_value=False, callback=_note, **settings)


_OPTIONS = (
    _option("--profile", metavar="NAME", help="The profile of AWS's configuration; by default AWS_PROFILE's."),
    _option("--region", metavar="REGION", help="The stack's region; by default AWS_REGION's, or else the profile's."),
    _option("--prefix", metavar="PREFIX", help="The stack's parameter Prefix; by default TRIPOD_PREFIX, or tripod."),
    _option("--json", is_flag=True, help="Print JSON, one object a line."),
)
