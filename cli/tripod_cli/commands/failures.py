"""``tripod failures``: who failed to sign in, when and why."""

import re
import time

import click

from tripod_cli import completion, log_query, options, sign_in_failures
from tripod_cli.doctor import address
from tripod_cli.options import Chosen

_SECONDS = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_COLUMNS = ("at", "provider", "code", "authorization", "reference")
_PASSING = "in_progress"  # the page looks again by itself


def _ago(text: str) -> int:
    """Return a time before now, such as 30m, 2h, 1d or 1w, in seconds."""
    told = re.fullmatch(r"([1-9][0-9]{0,4})([mhdw])", text)
    if not told:
        raise click.BadParameter(f"{text} is no time: write 30m, 2h, 1d or 1w")
    return int(told[1]) * _SECONDS[told[2]]


@click.command()
@click.option("--since", type=_ago, default="1d", show_default=True, metavar="TIME", help="How far back: 30m, 2h, 1d, 1w.")
@click.option("--provider", metavar="PROVIDER", shell_complete=completion.kept, help="Only at this provider.")
@click.option(
    "--code", type=click.Choice(sign_in_failures.codes()), metavar="CODE", help="Only with this code of docs/errors.md."
)
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="The newest, so many.")
@options.pass_chosen
def failures(chosen: Chosen, since: int, provider: str | None, code: str | None, limit: int) -> None:
    """List the sign-ins that failed, the newest first: when, with which code, and why.

    The reference is the one on the user's page. It asks CloudWatch Logs Insights about the logs of start, callback and redeem, which
    AWS charges by their size; what API Gateway itself refused is not in them.
    """
    now = time.time()
    lines = log_query.run(chosen.stack, sign_in_failures.FUNCTIONS, sign_in_failures.QUERY, begin=max(0.0, now - since), end=now)
    found = [
        one
        for one in sign_in_failures.failures(lines)
        if (one["provider"] == provider if provider else one["provider"] != address.NOBODY)  # which doctor asks for
        and (one["code"] == code if code else one["code"] != _PASSING)
    ]
    chosen.output.rows(_COLUMNS, found[:limit], prose="reason", empty="no sign-in has failed in this time")
    if len(found) > limit or len(lines) >= log_query.MOST:
        chosen.output.aside("there are more: a greater --limit, or a shorter --since, shows the others")
    if found and not chosen.output.as_json:
        chosen.output.aside("docs/errors.md says what each code means, and what to do")


COMMANDS = (failures,)
