"""What a command prints: for people by rich, or with ``--json`` one JSON object a line. Progress and hints are on stderr."""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import click
from rich.console import Console, Group, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text


class Output:
    """Where a command writes to; ``as_json`` is the option ``--json``."""

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self._console = Console(file=sys.stdout, highlight=False)
        self._aside = Console(file=sys.stderr, highlight=False)

    def rows(self, columns: Iterable[str], rows: Iterable[Mapping[str, Any]], *, empty: str) -> int:
        """Print rows, and return how many there were; ``empty`` is said of none.

        With ``--json`` each is printed as it comes, with all that it has; people see the columns in which any row has a value.
        """
        number, kept = 0, []
        for row in rows:
            number += 1
            if self.as_json:
                self.json(row)
            else:
                kept.append(row)
        if kept:
            self._console.print(_table(columns, kept))
        if not number:
            self.aside(empty)
        return number

    def fields(self, fields: Mapping[str, Any]) -> None:
        """Print one thing's fields, a line each; those that are None are left out for people."""
        if self.as_json:
            return self.json(fields)
        table = Table.grid("name", "value", padding=(0, 2))
        for name, value in fields.items():
            if value is not None:
                table.add_row(Text(name.replace("_", " "), style="bold"), plain(value))
        return self._console.print(table)

    def line(self, text: str, *, style: str = "", **fields: Any) -> None:
        """Print a sentence; with ``--json`` the fields that it says."""
        if self.as_json:
            self.json(fields)
        else:
            self._console.print(Text(text, style=style))

    def entry(self, mark: Text, said: Text, to_do: str = "") -> None:
        """Print what is said beside a mark, and below it what to do, for people; only on a terminal lines are broken."""
        if not self._console.is_terminal:
            self._console.print(Text(f"{mark.plain}  {said.plain}"), soft_wrap=True)
            if to_do:
                self._console.print(Text(f"{' ' * len(mark)}  → {to_do}"), soft_wrap=True)
            return
        lines: list[RenderableType] = [said]
        if to_do:
            below = Table.grid("arrow", "to do", padding=(0, 1))
            below.add_row(Text("→", style="cyan"), Text(to_do, style="cyan"))
            lines.append(below)
        table = Table.grid("mark", "lines", padding=(0, 2))
        table.add_row(mark, Group(*lines))
        self._console.print(table)

    @contextmanager
    def waiting(self, text: str) -> Iterator[None]:
        """Show on stderr, while it is a terminal, that something is being done. Nothing may be printed meanwhile."""
        if not self._aside.is_terminal:
            yield
            return
        with self._aside.status(text):
            yield

    def json(self, fields: Mapping[str, Any]) -> None:
        """Print one JSON object on a line of its own."""
        click.echo(json.dumps(fields, default=str, ensure_ascii=False))

    def aside(self, text: str) -> None:
        """Print a sentence to stderr, in either form."""
        self._aside.print(Text(text))

    @contextmanager
    def progress(self, text: str, total: int | None) -> Iterator["Counter"]:
        """Show a progress bar on stderr, while it is a terminal, of so many steps; None: nobody knows how many."""
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=self._aside, disable=not self._aside.is_terminal) as progress:
            yield Counter(progress, text, total)


class Counter:
    """A progress bar's count."""

    def __init__(self, progress: Progress, text: str, total: int | None) -> None:
        self._progress = progress
        self._task = progress.add_task(text, total=total)

    def advance(self, steps: int = 1) -> None:
        """Go on by so many steps."""
        self._progress.advance(self._task, steps)


def _table(columns: Iterable[str], rows: Sequence[Mapping[str, Any]]) -> Table:
    told = [column for column in columns if any(row.get(column) not in (None, [], ()) for row in rows)]
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in told:
        table.add_column(column.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(plain(row.get(column)) for column in told))
    return table


def plain(value: Any) -> Text:
    """Return a value as people read it, without markup; what a provider says may contain brackets."""
    if value is None:
        return Text("–", style="dim")
    if isinstance(value, (list, tuple)):
        return Text(", ".join(map(str, value)) or "–")
    return Text(str(value))


def moment(at: float | None) -> str | None:
    """Return epoch seconds as ISO 8601 in UTC."""
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
