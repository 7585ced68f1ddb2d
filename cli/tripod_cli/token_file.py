"""A file of users' tokens: CSV or JSON lines, read row by row whoever wrote it, and written so that it can be read again.

A row's content is never repeated: what is wrong with one is said by its line. A written file is its owner's alone.
"""

import csv
import json
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Literal, TextIO

from tripod_cli.columns import Columns
from tripod_cli.failure import Failure
from tripod_flow.edges import token_row
from tripod_flow.edges.token_row import FIELDS, UnfitRow
from tripod_flow.flows.importing import ReadRow
from tripod_flow.rules.importing import ImportResult, Standing

Format = Literal["csv", "jsonl"]

MAX_LINE = 65_536  # characters of a line, or of a field; a row has some 300
_DELIMITERS = ",;\t|"
_FORMATS: dict[str, Format] = {".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl"}


class TokenFile:
    """Reads ``stream``'s rows by ``columns``, which are one provider's; ``names_user`` as for ``token_row.read``."""

    def __init__(self, stream: TextIO, columns: Columns, *, names_user: bool, now: float) -> None:
        self._stream = stream
        self._columns = columns
        self._names_user = names_user
        self._now = now

    def rows(self, form: Format | None) -> Iterator[ReadRow]:
        """Yield the rows; the form is found out by the first line unless it is said. Raises ``Failure`` and ``UnknownColumns``."""
        lines = _lines(self._stream)
        first = next(lines, "").lstrip("\ufeff")
        if "\0" in first:
            raise Failure("this is no UTF-8: if it is UTF-16, `iconv -f utf-16 -t utf-8 FILE` makes UTF-8 of it", 2)
        if first.lstrip().startswith("["):
            raise Failure("this is one JSON array, not JSON lines: `jq -c '.[]' FILE` makes lines of it", 2)
        if form == "jsonl" or (form is None and first.lstrip().startswith("{")):
            yield from self._json_lines(first, lines)
        else:
            yield from self._csv(first, lines)

    def _json_lines(self, first: str, lines: Iterator[str]) -> Iterator[ReadRow]:
        for number, line in enumerate(_with(first, lines), 1):
            if not line.strip():
                continue
            try:
                content = json.loads(line)
            except (ValueError, RecursionError):
                content = None
            if isinstance(content, dict):
                yield self._read(number, content)
            else:
                yield _refused(number, "it is no JSON object")

    def _csv(self, first: str, lines: Iterator[str]) -> Iterator[ReadRow]:
        csv.field_size_limit(MAX_LINE)
        delimiter = max(_DELIMITERS, key=first.count)
        reader = csv.reader(_with(first, lines), delimiter=delimiter, strict=True)
        try:
            names = [name.strip() for name in next(reader, [])]
        except csv.Error:
            raise Failure("the first line is no CSV: it must name the columns", 2) from None
        if len(set(names)) != len(names):
            raise Failure("the first line names a column twice", 2)
        self._columns.check(tuple(names))
        while True:
            number = reader.line_num + 1
            try:
                fields = next(reader)
            except StopIteration:
                return
            except csv.Error:
                until = f" to line {reader.line_num}" if reader.line_num > number else ""
                yield _refused(number, f"it is no CSV{until}: a quote that is not closed, or not doubled")
                continue
            if not any(fields):
                continue
            if len(fields) != len(names):
                yield _refused(number, f"it has {'more' if len(fields) > len(names) else 'fewer'} fields than the first line")
            else:
                yield self._read(number, dict(zip(names, fields, strict=True)))

    def _read(self, number: int, row: Mapping[str, Any]) -> ReadRow:
        try:
            values = self._columns.values(row)
            if values is None:
                return ReadRow(number, Standing(ImportResult.SKIPPED, "it is another provider's"))
            return ReadRow(number, token_row.read(values, names_user=self._names_user, now=self._now))
        except UnfitRow as error:
            return _refused(number, str(error))


def form_of(path: str) -> Format | None:
    """Return the form that a file's name says."""
    return _FORMATS.get(Path(path).suffix.lower())


def opened(path: str) -> TextIO:
    """Open a file to read, which may begin with a byte order mark; what is no UTF-8 in it is the row's flaw."""
    return open(path, encoding="utf-8", errors="surrogateescape", newline="")  # the caller closes it


def is_regular(path: str) -> bool:
    """Return True for a file on a disk, which can be read twice and has a time; - is standard input."""
    return path != "-" and stat.S_ISREG(os.stat(path).st_mode)


def line_count(path: str) -> int | None:
    """Return how many lines a file has; the last may have no line end. None for a pipe, whose content is read but once."""
    if not is_regular(path):
        return None
    ends, last = 0, b"\n"
    with open(path, "rb") as file:
        for chunk in iter(lambda: file.read(1 << 20), b""):
            ends, last = ends + chunk.count(b"\n"), chunk[-1:]
    return ends + (last != b"\n")


class PrivateFile:
    """A file of tokens that is being written, which nobody but its owner may read; ``users`` are those who are in it."""

    def __init__(self, file: IO[str], form: Format, users: set[str]) -> None:
        self._file = file
        self._form = form
        self.users = users
        self._writer = csv.DictWriter(file, FIELDS, lineterminator="\n")

    @classmethod
    def new(cls, path: str, form: Format, *, replace: bool = False) -> "PrivateFile":
        """Create the file; raises ``Failure`` where there is one already, unless it is to be replaced."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW
        try:
            descriptor = os.open(path, flags | (0 if replace else os.O_EXCL), 0o600)
        except FileExistsError:
            raise Failure("there is such a file already: --resume goes on with it, --force replaces it", 2) from None
        except OSError as error:
            raise Failure(f"the file can't be written: {error.strerror}", 2) from None
        if replace:
            _check(descriptor)
            os.fchmod(descriptor, 0o600)
            os.ftruncate(descriptor, 0)
        made = cls(os.fdopen(descriptor, "w", encoding="utf-8", newline=""), form, set())
        if form == "csv":
            made._writer.writeheader()
        return made

    @classmethod
    def resumed(cls, path: str, form: Format) -> "PrivateFile":
        """Go on with a file that was begun: a row that was not written whole is cut off. Raises ``Failure``."""
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
        except FileNotFoundError:
            return cls.new(path, form)
        except OSError as error:
            raise Failure(f"the file can't be written: {error.strerror}", 2) from None
        _check(descriptor)
        if stat.S_IMODE(os.fstat(descriptor).st_mode) & 0o077:
            raise Failure("others may read this file: chmod 600 it first", 2)
        users, end = set(), 0
        with os.fdopen(os.dup(descriptor), "rb") as begun:
            for number, line in enumerate(begun):
                if not line.endswith(b"\n"):
                    break
                end += len(line)
                if form == "csv" and number == 0 and line.decode(errors="replace").rstrip("\n") != ",".join(FIELDS):
                    raise Failure("this file is none that export has begun in this format", 2)
                if form == "jsonl" or number:
                    users.add(_user_in(line, form))
        os.ftruncate(descriptor, end)
        os.lseek(descriptor, end, os.SEEK_SET)
        made = cls(os.fdopen(descriptor, "w", encoding="utf-8", newline=""), form, users)
        if form == "csv" and not end:
            made._writer.writeheader()
        return made

    def write(self, row: Mapping[str, Any]) -> None:
        """Write one user's row, and have it on the disk's way: whoever dies after this loses no row."""
        if self._form == "csv":
            nested = {name: json.dumps(value) for name, value in row.items() if isinstance(value, dict | list)}
            self._writer.writerow({**row, **nested})
        else:
            self._file.write(json.dumps({name: value for name, value in row.items() if value is not None}) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Have all of it on the disk."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()


def _check(descriptor: int) -> None:
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
        raise Failure("this is no file of yours", 2)


def _user_in(line: bytes, form: Format) -> str:
    try:
        if form == "csv":
            return next(csv.reader([line.decode()], strict=True))[0]
        return str(json.loads(line)["user_id"])
    except (ValueError, KeyError, TypeError, IndexError, csv.Error):
        raise Failure("this file is none that export has begun in this format", 2) from None


def _lines(stream: TextIO) -> Iterator[str]:
    number = 0
    while line := stream.readline(MAX_LINE):
        number += 1
        if len(line) >= MAX_LINE and not line.endswith("\n"):
            raise Failure(f"line {number} is longer than {MAX_LINE} characters: is this CSV or JSON lines?", 2)
        yield line


def _with(first: str, lines: Iterable[str]) -> Iterator[str]:
    if first:
        yield first
    yield from lines


def _refused(number: int, reason: str) -> ReadRow:
    return ReadRow(number, Standing(ImportResult.REFUSED, reason))
