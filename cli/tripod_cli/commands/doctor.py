"""``doctor``: why doesn't it work."""

from collections import Counter
from dataclasses import asdict

import click
from rich.text import Text

from tripod_cli import options
from tripod_cli.doctor.examination import Examination
from tripod_cli.doctor.finding import Finding, Verdict
from tripod_cli.failure import FOUND
from tripod_cli.options import Chosen
from tripod_cli.output import Output

_STYLES = {Verdict.OK: "green", Verdict.WARNING: "yellow", Verdict.WRONG: "bold red", Verdict.UNKNOWN: "magenta"}


@click.command()
@click.option("--provider", "providers", metavar="NAME", multiple=True, help="Only this consumer secret; may be repeated.")
@click.option("--no-sign-in", is_flag=True, help="Don't ask the provider for a request token, nor for its time.")
@options.pass_chosen
def doctor(chosen: Chosen, providers: tuple[str, ...], *, no_sign_in: bool) -> None:
    """Say why it doesn't work: look at the whole stack, and make a real first leg with each app's keys.

    It changes nothing. Each line says what was looked at, what was found, and what to do. The exit code is 0 only where all is well.
    """
    counts: Counter[Verdict] = Counter()
    findings = Examination(chosen.stack, providers, sign_in=not no_sign_in).findings()
    while True:
        with chosen.output.waiting("looking"):
            finding = next(findings, None)
        if finding is None:
            break
        counts[finding.verdict] += 1
        print_finding(chosen.output, finding)
    is_well = not counts.keys() - {Verdict.OK}
    if not chosen.output.as_json:
        chosen.output.line(_summary(counts), style="bold green" if is_well else "bold red")
    if not is_well:
        raise click.exceptions.Exit(FOUND)


COMMANDS = (doctor,)


def print_finding(output: Output, finding: Finding) -> None:
    """Print one finding: its verdict, what was looked at, what was found, and below that what to do."""
    if output.as_json:
        output.json(asdict(finding) | {"to_do": finding.to_do or None})
        return
    mark = Text(f"{finding.verdict:7}", style=_STYLES[finding.verdict])
    output.entry(mark, Text.assemble((finding.looked_at, "bold"), f": {finding.found}"), finding.to_do)


def _summary(counts: Counter[Verdict]) -> str:
    warnings = "warning" if counts[Verdict.WARNING] == 1 else "warnings"
    words = {Verdict.WRONG: "wrong", Verdict.WARNING: warnings, Verdict.UNKNOWN: "unknown"}
    amiss = [f"{counts[verdict]} {word}" for verdict, word in words.items() if counts[verdict]]
    return f"{counts.total()} findings: {', '.join(amiss) or 'all is well'}"
