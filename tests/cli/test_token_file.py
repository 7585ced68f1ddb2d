"""Files of tokens as they are found: which rows are read, and what is said of the others."""

import io
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tripod_cli.columns import Columns, UnknownColumns
from tripod_cli.failure import Failure
from tripod_cli.token_file import MAX_LINE, Format, PrivateFile, TokenFile, line_count, opened
from tripod_flow.rules.importing import Standing

ELSEWHERE = Columns({}, may_guess=False, spellings=frozenset({"flickr"}))


def read(text: str, form: Format | None = None) -> list[tuple[int, str]]:
    """Return line and user id of each row, or what is wrong with it."""
    file = TokenFile(io.StringIO(text, newline=""), ELSEWHERE, names_user=False, now=1.8e9)
    return [(one.line, one.row.reason if isinstance(one.row, Standing) else one.row.user_id or "?") for one in file.rows(form)]


@pytest.mark.parametrize(
    "text",
    [
        "user_id,token,secret\n1,t,s\n2,t,s\n",
        "\ufeffuser_id;token;secret\r\n1;t;s\r\n2;t;s",
        "user_id\ttoken\tsecret\n1\tt\ts\n2\tt\ts\n",
        "user_id|token|secret\n1|t|s\n2|t|s\n",
        '"user_id", "token" ,secret\n"1",t,s\n2,"t",s\n'.replace('"token" ', "token"),
    ],
)
def test_csv_is_read_however_it_is_separated(text: str) -> None:
    assert read(text) == [(2, "1"), (3, "2")]


def test_what_a_spreadsheet_saves_as_unicode_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "users.txt"
    path.write_text("user_id\ttoken\tsecret\n1\tt\ts\n", encoding="utf-16")
    with opened(str(path)) as stream, pytest.raises(Failure, match="iconv -f utf-16"):
        list(TokenFile(stream, ELSEWHERE, names_user=False, now=1.8e9).rows(None))


def test_json_lines_are_read_and_blank_ones_passed_over() -> None:
    row = '{"user_id": 1, "token": "t", "secret": "s"}'
    nested = "[" * 50_000
    assert read(f"\ufeff{row}\n\n{row}\nnot json\n[1]\n{nested}") == [
        (1, "1"),
        (3, "1"),
        (4, "it is no JSON object"),
        (5, "it is no JSON object"),
        (6, "it is no JSON object"),
    ]


def test_lines_are_counted_through_fields_of_several_lines_and_quotes_that_are_not_closed() -> None:
    text = 'user_id,token,secret,note\n1,t,s,"two\nlines"\n\n2,t,s,\n3,t,s,"never closed\n4,t,s,\n'
    assert read(text) == [
        (2, "1"),
        (5, "2"),
        (6, "it is no CSV to line 7: a quote that is not closed, or not doubled"),
    ]


def test_a_field_too_many_or_too_few_is_a_flaw_of_the_row_alone() -> None:
    assert read("user_id,token,secret\n1,t,s,more\n2,t\n3,t,s\n") == [
        (2, "it has more fields than the first line"),
        (3, "it has fewer fields than the first line"),
        (4, "3"),
    ]


def test_a_file_of_another_provider_is_skipped_and_an_empty_one_has_no_columns() -> None:
    assert read("uid,token,secret,provider\n1,t,s,google\n2,t,s,flickr\n") == [(2, "it is another provider's"), (3, "2")]
    with pytest.raises(UnknownColumns):
        read("")


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("user_id,token\n1,t\n", UnknownColumns, "--column oauth_token_secret="),
        ("id,token,secret\n1,t,s\n", UnknownColumns, "--column user_id="),
        ("user_id,token,secret,token\n", Failure, "names a column twice"),
        ('"user_id,token,secret\n', Failure, "must name the columns"),
        ('[{"user_id": "1"}]', Failure, "jq -c"),
        (f"user_id,token,secret\n1,{MAX_LINE * 't'},s\n", Failure, "line 2 is longer"),
        ("PK\x03\x04\n", UnknownColumns, "no column is known"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_what_to_do(text: str, error: type[Exception], said: str) -> None:
    with pytest.raises(error) as raised:
        read(text)
    assert said in str(raised.value)


def test_what_is_no_utf_8_is_the_rows_flaw() -> None:
    broken: Any = b"user_id,token,secret\n1,t\xff,s\n2,t,s\n".decode(errors="surrogateescape")
    assert read(broken) == [(2, "its oauth_token is no printable text of 2048 bytes at most"), (3, "2")]


ROWS: list[dict[str, Any]] = [
    {"user_id": "1", "screen_name": 'a,"b"', "labels": ["x"]},
    {"user_id": "2", "extra": {"a": "é"}},
    {"user_id": "3"},
]
Opening = Callable[[str, Format], PrivateFile]
OPENINGS: dict[str, Opening] = {
    "new": PrivateFile.new,
    "replaced": lambda path, form: PrivateFile.new(path, form, replace=True),
    "resumed": PrivateFile.resumed,
}


def write(file: PrivateFile, rows: list[dict[str, Any]]) -> None:
    for row in rows:
        file.write(row)
    file.close()


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_file_that_was_begun_goes_on_after_its_last_whole_row(tmp_path: Path, form: Format) -> None:
    path = tmp_path / "users"
    write(PrivateFile.new(str(path), form), ROWS)
    whole = path.read_bytes()
    for end in range(len(whole) + 1):
        path.write_bytes(whole[:end])
        file = PrivateFile.resumed(str(path), form)
        write(file, [row for row in ROWS if row["user_id"] not in file.users])
        assert path.read_bytes() == whole
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_is_its_owners_alone_from_its_first_moment(tmp_path: Path) -> None:
    path = tmp_path / "users"
    begun = PrivateFile.new(str(path), "csv")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    begun.close()
    path.write_text("what others may read")
    path.chmod(0o644)
    write(PrivateFile.new(str(path), "jsonl", replace=True), ROWS[2:])
    assert (stat.S_IMODE(path.stat().st_mode), path.read_text()) == (0o600, '{"user_id": "3"}\n')


def test_a_file_that_is_there_is_replaced_only_if_that_is_said(tmp_path: Path) -> None:
    path = tmp_path / "users"
    path.write_text("kept")
    with pytest.raises(Failure, match="--resume goes on with it, --force replaces it"):
        PrivateFile.new(str(path), "csv")
    assert path.read_text() == "kept"


@pytest.mark.parametrize("opening", OPENINGS)
def test_a_link_is_not_followed_and_what_is_no_file_is_not_written_to(tmp_path: Path, opening: str) -> None:
    target, link, nowhere = tmp_path / "target", tmp_path / "link", tmp_path / "no folder" / "users"
    target.write_text("kept")
    target.chmod(0o600)
    link.symlink_to(target)
    for path in (link, tmp_path, nowhere):
        with pytest.raises(Failure):
            OPENINGS[opening](str(path), "csv")
    assert target.read_text() == "kept"


@pytest.mark.parametrize(
    ("content", "mode", "said"),
    [
        ('{"user_id": "1"}\n', 0o644, "chmod 600"),
        ("not json\n", 0o600, "none that export has begun"),
        ('["user_id"]\n', 0o600, "none that export has begun"),
    ],
)
def test_no_tokens_are_added_to_a_file_that_others_read_or_that_is_another(
    tmp_path: Path, content: str, mode: int, said: str
) -> None:
    path = tmp_path / "users"
    path.write_text(content)
    path.chmod(mode)
    with pytest.raises(Failure, match=said):
        PrivateFile.resumed(str(path), "jsonl")
    assert path.read_text() == content


def test_a_file_of_the_other_form_is_not_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "users"
    write(PrivateFile.new(str(path), "jsonl"), ROWS)
    with pytest.raises(Failure, match="in this format"):
        PrivateFile.resumed(str(path), "csv")


@pytest.mark.parametrize(("content", "lines"), [(b"", 0), (b"a\nb\n", 2), (b"a\nb", 2)])
def test_lines_are_counted_whether_or_not_the_last_one_ends(tmp_path: Path, content: bytes, lines: int) -> None:
    (tmp_path / "rows").write_bytes(content)
    assert line_count(str(tmp_path / "rows")) == lines
