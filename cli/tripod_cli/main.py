"""The command ``tripod``: its commands, and what each error becomes."""

from typing import Any

import click

from tripod.version import VERSION
from tripod_cli import failure, options
from tripod_cli.commands import consumer, doctor, failures, move, transfer, users
from tripod_cli.failure import INTERRUPTED, Failure

_STOPPED = "interrupted. What was done is done; the same command goes on with the rest"
_NO_YES = "not done: the question was answered by no, or by nobody. Where nobody can be asked, --yes says so"


class _Commands(click.Group):
    """A group whose commands end in a sentence, not in a traceback, unless it is a defect."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except click.ClickException:
            raise
        except KeyboardInterrupt:
            raise Failure(_STOPPED, INTERRUPTED) from None
        except click.Abort as error:  # a question that was answered by no, by Ctrl-C, or by nobody
            if error.__context__:  # the cursor is still behind the question
                click.echo(err=True)
            if isinstance(error.__context__, KeyboardInterrupt):
                raise Failure(_STOPPED, INTERRUPTED) from None
            raise Failure(_NO_YES) from None
        except Exception as error:  # what is no operator's matter is raised again
            if (failed := failure.of(error)) is None:
                raise
            raise failed from None


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="tripod")
@options.shared
def main() -> None:
    """Run Tripod: see why it doesn't work, who is connected, and move tokens in, out and between their stores.

    It acts with your own AWS credentials on the stack of --prefix, and prints no token. Exit codes: 0 all is well; 1 something is wrong,
    or not all could be done; 2 the command line is wrong; 3 AWS or the stack could not be asked; 130 interrupted.
    """


_SUBJECTS = (doctor, consumer, failures, users, transfer, move)

for _command in (command for subject in _SUBJECTS for command in subject.COMMANDS):
    main.add_command(_command)
