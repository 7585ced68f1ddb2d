"""``import`` and ``export``: users' tokens from elsewhere, and into a file."""

import io
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, TextIO

import click

from tripod_cli import columns, completion, options, token_file
from tripod_cli.columns import Columns, UnknownColumns
from tripod_cli.failure import FOUND, Failure
from tripod_cli.options import Chosen
from tripod_cli.output import Output, moment
from tripod_cli.token_file import Format, PrivateFile, TokenFile
from tripod_flow.edges import token_row
from tripod_flow.flows import exporting, pacing
from tripod_flow.flows.exporting import Export, Exported
from tripod_flow.flows.importing import Import, Imported, Plan
from tripod_flow.rules.importing import ImportResult
from tripod_flow.rules.provider import X

STALLED = 600.0  # seconds in which the relay has stored nothing; it sweeps every minute
LOOK = 5.0  # seconds between two looks into the outbox
MOST_REASONS = 100  # different ones that are counted
MOST_LINES = 5  # of a reason, which are named

_rate = click.FloatRange(min=0.1, max=1000)


@click.command("import")
@click.argument("provider", shell_complete=completion.kept)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--format", "form", type=click.Choice(["csv", "jsonl"]), help="The file's form; by default as it looks.")
@click.option("--column", "chosen_columns", multiple=True, metavar="FIELD=COLUMN", help="Which column a field is; repeatable.")
@click.option(
    "--as-of", metavar="TIME", help="When the rows that don't say so were granted (ISO 8601); by default the file's time."
)
@click.option("--verify", is_flag=True, help="Ask the provider about each token, and take only those that it takes.")
@click.option("--events", is_flag=True, help="Publish authorization.granted for each.")
@click.option("--rate", type=_rate, default=pacing.RATE, show_default=True, metavar="N", help="At most so many users a second.")
@click.option("--wait/--no-wait", default=True, help="Wait until the relay has stored them all; so by default.")
@click.option(
    "--report", type=click.Path(dir_okay=False, writable=True), help="Write a JSON line for each row that is not taken."
)
@options.dry_run
@options.pass_chosen
def import_(
    chosen: Chosen,
    provider: str,
    file: str,
    *,
    form: Format | None,
    chosen_columns: tuple[str, ...],
    as_of: str | None,
    report: str | None,
    rate: float,
    verify: bool,
    events: bool,
    wait: bool,
    dry_run: bool,
) -> None:
    """Import users' tokens for PROVIDER from FILE: CSV with a line of names, or JSON lines; - is standard input.

    Each row becomes a grant in the outbox, and the relay stores it. What is here and newer is kept, and who has disconnected stays so.
    Interrupt it whenever you like: the same command goes on. docs/importing.md says which names of columns are known.
    """
    app = chosen.stack.app
    dated, is_dated = _as_of(as_of, file)
    definition, _ = app.consumers.find(provider)
    names_user = definition.access_token_url == X.access_token_url
    spellings = frozenset({provider, "x", "twitter"} if names_user else {provider})
    try:
        known = Columns(columns.chosen(chosen_columns), may_guess=names_user or verify, spellings=spellings)
    except ValueError as error:
        raise Failure(str(error), 2) from None
    flow = Import(app.table, app.consumers, app.provider_client, app.token_sealer)
    plan = Plan(as_of=dated, is_dated=is_dated, verify=verify, tells=events, writes=not dry_run, rate=rate)
    tally = _Tally(chosen.output, would="would be " if dry_run else "")
    total = token_file.line_count(file)
    with _source(file) as source, _report(report, file) as tally.report:
        rows = TokenFile(source, known, names_user=names_user, now=time.time()).rows(form or token_file.form_of(file))
        try:
            with chosen.output.progress("importing", total) as bar:
                for imported in flow.run(provider, rows, plan):
                    tally.add(imported)
                    bar.advance()
        except UnknownColumns as error:
            raise Failure(str(error), 2) from None
        except BaseException:
            if tally.results:
                tally.show(provider)
            raise
    tally.show(provider)
    if wait and not dry_run:
        _wait(chosen.output, flow, provider)
    if tally.is_incomplete:
        raise Failure("some rows could not be taken: the reasons are above", FOUND)


@click.command("export")
@click.argument("provider", shell_complete=completion.kept)
@click.option("--to", "path", required=True, metavar="FILE", help="The file to create, which only you may read.")
@click.option("--format", "form", type=click.Choice(["csv", "jsonl"]), help="Its form; by default as its name says, or csv.")
@click.option(
    "--state", type=click.Choice(["connected", "refused"]), help="Only these; refused: the provider takes them no longer."
)
@click.option(
    "--rate", type=_rate, default=exporting.RATE, show_default=True, metavar="N", help="At most so many users a second."
)
@click.option("--resume", is_flag=True, help="Go on with a file that was begun.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@options.pass_chosen
def export(
    chosen: Chosen, provider: str, *, path: str, form: Format | None, state: str | None, rate: float, resume: bool, force: bool
) -> None:
    """Export the tokens of PROVIDER's users into a file, with which `tripod import` has them again.

    It holds every user's access: only you can read it; delete it when it has served.
    """
    if path == "-":
        raise Failure("tokens go into a file that only you may read, not to the terminal: --to FILE", 2)
    if resume and force:
        raise Failure("--resume goes on with a file, --force replaces it: choose one", 2)
    stack, form = chosen.stack, form or token_file.form_of(path) or "csv"
    app, flow = stack.app, Export(stack.app.table, stack.roster, stack.moved_secrets, stack.app.token_sealer)
    app.consumers.find(provider)
    total = stack.roster.count(provider)
    file = PrivateFile.resumed(path, form) if resume else PrivateFile.new(path, form, replace=force)
    already, written, incomplete = len(file.users), 0, 0
    try:
        with chosen.output.progress("exporting", total) as bar:
            bar.advance(already)
            for exported in flow.run(provider, state=state, without=file.users, rate=rate):
                if exported.tokens is None:
                    incomplete += 1
                    chosen.output.aside(f"{exported.connection.user_id}: {exported.reason}")
                else:
                    file.write(_row(exported))
                    written += 1
                bar.advance()
    finally:
        file.close()
        said = f"{written + already} users' tokens are in {path}" + (f", {already} of them from before" if already else "")
        chosen.output.line(said, provider=provider, file=path, written=written, already=already, incomplete=incomplete)
    if incomplete:
        raise Failure(f"{incomplete} users' tokens could not be read; export again with --resume", FOUND)


COMMANDS = (import_, export)


@dataclass
class _Tally:
    """What has become of the rows."""

    output: Output
    would: str = ""
    report: IO[str] | None = None
    results: Counter[ImportResult] = field(default_factory=Counter)
    reasons: dict[tuple[ImportResult, str], list[int]] = field(default_factory=dict)  # how many, and the first lines

    @property
    def is_incomplete(self) -> bool:
        return bool(self.results[ImportResult.REFUSED] or self.results[ImportResult.FAILED])

    def add(self, imported: Imported) -> None:
        self.results[imported.result] += 1
        if imported.result is ImportResult.TAKEN:
            return
        if imported.reason and ((imported.result, imported.reason) in self.reasons or len(self.reasons) < MOST_REASONS):
            lines = self.reasons.setdefault((imported.result, imported.reason), [0])
            lines[0] += 1
            if len(lines) <= MOST_LINES:
                lines.append(imported.line)
        said = {
            "line": imported.line,
            "user_id": imported.user_id,
            "result": str(imported.result),
            "reason": imported.reason or None,
        }
        if self.report:
            self.report.write(json.dumps(said) + "\n")
        if self.output.as_json and imported.result is not ImportResult.THERE:
            self.output.json(said)

    def show(self, provider: str) -> None:
        counts = {str(result).replace(" ", "_"): self.results[result] for result in ImportResult}
        if self.output.as_json:
            self.output.json({"provider": provider, "rows": self.results.total(), **counts, "written": not self.would})
            return
        for result in ImportResult:
            if self.results[result] or result is ImportResult.TAKEN:
                would = self.would if result is ImportResult.TAKEN else ""
                self.output.line(f"{self.results[result]:>9}  {would}{result}")
            for (of, reason), (number, *lines) in self.reasons.items():
                if of is result:
                    more = ", …" if number > len(lines) else ""
                    named = f"{'lines' if number > 1 else 'line'} {', '.join(map(str, lines))}{more}"
                    self.output.line(f"{number:>15}  {reason}: {named}")


def _as_of(given: str | None, file: str) -> tuple[float, bool]:
    """Return when rows were granted that don't say it, and whether somebody who knows has said so."""
    now = time.time()
    if given is None:
        if not token_file.is_regular(file):
            raise Failure("standard input and pipes have no time: --as-of says when their rows were granted", 2)
        return round(min(Path(file).stat().st_mtime, now), 3), False
    at = token_row.moment(given)
    if at is None or at > now:
        raise Failure("--as-of must be a time that is past, such as 2026-11-27T09:00Z", 2)
    return round(at, 3), True


@contextmanager
def _source(file: str) -> Iterator[TextIO]:
    if file == "-":
        yield io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8", errors="surrogateescape", newline="")
    else:
        with token_file.opened(file) as source:
            yield source


@contextmanager
def _report(path: str | None, source: str) -> Iterator[IO[str] | None]:
    if path is None:
        yield None
        return
    if Path(path).exists() and source != "-" and Path(path).samefile(source):
        raise Failure("the report would replace the file that is to be imported", 2)
    try:
        report = open(path, "w", encoding="utf-8")  # noqa: SIM115  # closed below; only its opening is the command line's fault
    except OSError as error:
        raise Failure(f"the report can't be written: {error.strerror}", 2) from None
    with report:
        yield report


def _wait(output: Output, flow: Import, provider: str) -> None:
    """Wait until nothing that was imported is pending; raises ``Failure`` where nothing happens any more."""
    left = flow.pending(provider)
    if not left:
        return
    output.aside("The relay stores them, and begins within a minute. To interrupt this changes nothing of it.")
    since = time.monotonic()
    with output.progress("stored by the relay", left) as bar:
        while left:
            time.sleep(LOOK)
            now_left = flow.pending(provider)
            if now_left != left:
                bar.advance(max(0, left - now_left))
                left, since = now_left, time.monotonic()
            elif time.monotonic() > since + STALLED:
                raise Failure(
                    f"{left} are not stored yet, and nothing moves: `tripod failures` and the relay's log say why. "
                    "The relay goes on trying for a week"
                )


def _row(exported: Exported) -> dict[str, Any]:
    found, tokens = exported.connection, exported.tokens
    if tokens is None:
        raise ValueError("there are no tokens")
    return {
        "user_id": tokens.user_id,
        "screen_name": tokens.screen_name,
        "oauth_token": tokens.oauth_token,
        "oauth_token_secret": tokens.oauth_token_secret,
        "consumer_key": tokens.consumer_key,
        "subject": found.subject,
        "labels": list(found.labels) if found.labels else None,
        "granted_at": _to_the_millisecond(found.granted_at),
        "expires_at": moment(tokens.expires_at),
        "extra": dict(tokens.extra) or None,
    }


def _to_the_millisecond(at: float | None) -> str | None:
    """Return a grant's time as exactly as the table has it: imported again, it is the same."""
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
