"""What a command prints: for people by rich, or with ``--json`` one JSON object a line. Progress and hints are on stderr."""

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TextIO

import click
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Column, Table
from rich.text import Text

NOTHING = "–"

UNLIMITED = 10_000  # characters of a line where nothing breaks it: into a pipe or a file, unless COLUMNS says otherwise
_WORDS = {"url": "URL", "kms": "KMS"}
_STATES = {"connected": "green", "set": "green", "refused": "bold red", "wrong": "bold red"}


class Output:
    """Where a command writes to; ``as_json`` is the option ``--json``."""

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self._console = _console(sys.stdout)
        self._aside = _console(sys.stderr)

    def rows(self, columns: Sequence[str], rows: Iterable[Mapping[str, Any]], *, empty: str, prose: str = "") -> int:
        """Print rows, and return how many there were; ``empty`` is said of none.

        With ``--json`` each is printed as it comes, with all that it has. People see the columns in which any row has a value, a line for
        each row; the column ``prose`` comes last, or below its row where there is no room. No other value is broken: what is wider than
        the terminal is printed field by field.
        """
        number, kept = 0, []
        for row in rows:
            number += 1
            if self.as_json:
                self.json(row)
            else:
                kept.append(row)
        if kept:
            self._print_rows(
                [column for column in (*columns, prose) if any(_is_told(row.get(column)) for row in kept)], kept, prose
            )
        if not number:
            self.aside(empty)
        return number

    def _print_rows(self, columns: Sequence[str], rows: Sequence[Mapping[str, Any]], prose: str) -> None:
        cells = [[_cell(column, row.get(column)) for column in columns] for row in rows]
        heads = [Text(label(column), style="bold") for column in columns]
        widths = [max(each.cell_len for each in column) for column in zip(heads, *cells, strict=True)]
        beside = sum(widths) + 2 * (len(widths) - 1) <= self._console.width
        apart = len(columns) if beside or prose not in columns else columns.index(prose)
        if not beside and sum(widths[:apart]) + 2 * (apart - 1) > self._console.width:
            for row in rows:
                self._print_fields({column: row.get(column) for column in columns})
                self._console.print()
            return
        for line in (heads, *cells):
            self._console.print(_line(line[:apart], widths), soft_wrap=True)
            if line is not heads and apart < len(line) and line[apart].plain != NOTHING:
                self._console.print(Padding(line[apart], (0, 0, 0, 2)))

    def fields(self, fields: Mapping[str, Any]) -> None:
        """Print one thing's fields, a line each; those without a value are left out for people."""
        if self.as_json:
            self.json(fields)
        else:
            self._print_fields(fields)

    def _print_fields(self, fields: Mapping[str, Any]) -> None:
        told = [(Text(label(name), style="bold"), _cell(name, value)) for name, value in fields.items() if _is_told(value)]
        if self._console.width == UNLIMITED:
            width = max((name.cell_len for name, _ in told), default=0)
            for line in told:
                self._console.print(_line(line, (width, 0)), soft_wrap=True)
            return
        table = Table.grid(Column(no_wrap=True), Column(overflow="fold"), padding=(0, 2))
        for line in told:
            table.add_row(*line)
        self._console.print(table)

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
            below = Table.grid("arrow", Column(overflow="fold"), padding=(0, 1))
            below.add_row(Text("→", style="cyan"), Text(to_do, style="cyan"))
            lines.append(below)
        table = Table.grid("mark", Column(overflow="fold"), padding=(0, 2))
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


def _console(file: TextIO) -> Console:
    console = Console(file=file, highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = UNLIMITED
    return console


def label(name: str) -> str:
    """Return a field's name as people read it."""
    return " ".join(_WORDS.get(word, word) for word in name.split("_"))


def _is_told(value: Any) -> bool:
    return value not in (None, [], ())


def _cell(name: str, value: Any) -> Text:
    """Return a value for people; a state in its colour."""
    text = plain(value)
    if name == "state" and value:
        text.stylize(_STATES.get(str(value), "yellow"))
    return text


def _line(cells: Sequence[Text], widths: Sequence[int]) -> Text:
    """Return a row's line, without blanks at its end."""
    line = Text()
    for cell, width in zip(cells, widths, strict=False):
        line.append_text(cell).append(" " * (width - cell.cell_len + 2))
    line.rstrip()
    return line


def plain(value: Any) -> Text:
    """Return a value as people read it: no markup, and nothing that a terminal obeys; names and reasons are what others have said."""
    if value is None:
        return Text(NOTHING, style="dim")
    if isinstance(value, (list, tuple)):
        value = ", ".join(map(str, value)) or NOTHING
    return Text("".join(each if each.isprintable() else "�" for each in str(value)))


def moment(at: float | None) -> str | None:
    """Return epoch seconds as ISO 8601 in UTC; their number where it is no time of the years 1 to 9999."""
    if at is None:
        return None
    try:
        return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return str(at)
