"""What an operator gives as a consumer secret: what came along is cut off, and what can't be one is told without quoting it."""

import base64
import json
from typing import Any

import pytest

from tripod_cli import given

CLIENT_ID = base64.urlsafe_b64encode(b"3S9GpLW-wBjRqy3MKy8N:1:ci").decode().rstrip("=")


@pytest.mark.parametrize("around", [" {} ", '"{}"', "“{}”", "'{}\n'", "\ufeff{}\r\n", "\u200b`{}`"])
def test_what_came_along_with_a_credential_is_cut_off(around: str) -> None:
    fields = {"consumer_key": "key", "consumer_secret": around.format("se cret"), "store": None}
    assert given.cleaned(fields) == ({"consumer_key": "key", "consumer_secret": "se cret"}, ("consumer_secret",))
    assert given.cleaned({"consumer_key": 1}) == ({"consumer_key": 1}, ())


@pytest.mark.parametrize("content", [b'\xef\xbb\xbf{"a": 1}', '{"a": 1}'.encode("utf-16"), ' {"a":\n1}\r\n'])
def test_a_file_is_read_whatever_editor_has_written_it(content: bytes | str) -> None:
    assert given.parse(content) == {"a": 1}


@pytest.mark.parametrize(("content", "said"), [("[1]", "not a JSON object"), ("a=1", "not JSON"), (b"\xff\xff", "not JSON")])
def test_a_file_that_is_none_is_told_without_its_content(content: bytes | str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        given.parse(content)


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (CLIENT_ID, "OAuth 2.0 client id"),
        ("2244994945-Zm9vYmFyYmF6cXV4Zm9vYg", "access token"),
        ("A" * 20 + "%2Fb", "bearer token"),
        ("…", "the dots"),
        ("secret", "pasted twice"),
        ("xvz1evFS4wEEPTGEFPHBog", None),
        ("cChZNFj6T5R0TigYB9yd1w", None),
        ("AAAAAAAAAAAAAAAAAAA", None),
        ("2244994945-Zm9v", None),
    ],
)
def test_what_can_not_be_a_consumer_key_at_x_is_told(key: str, said: str | None) -> None:
    fields = {"consumer_key": key, "consumer_secret": "secret"}
    _, x = given.understood(json.dumps(fields), "x")
    found = given.flaw(fields, x)
    assert (found is None) if said is None else (said in str(found))
    _, flickr = given.understood(json.dumps(fields), "flickr")
    assert said in ("the dots", "pasted twice") or given.flaw(fields, flickr) is None


@pytest.mark.parametrize(
    ("former", "like", "site", "expected"),
    [
        (None, "flickr", None, "flickr"),
        (None, "usos", "https://a.example", {"like": "usos", "site": "https://a.example"}),
        (None, None, "https://a.example", {"like": "own", "site": "https://a.example"}),
        ("usos", None, "https://a.example", {"like": "usos", "site": "https://a.example"}),
        (
            {"like": "usos", "keep": ["a"]},
            None,
            "https://a.example",
            {"like": "usos", "keep": ["a"], "site": "https://a.example"},
        ),
        ({"like": "usos"}, "zaim", None, "zaim"),
    ],
)
def test_options_describe_a_provider(former: Any, like: str | None, site: str | None, expected: object) -> None:
    assert given.described(former, "own", like, site) == expected


@pytest.mark.parametrize(
    ("definition", "name"),
    [
        ("Flickr ", "Flickr"),
        (None, "X"),
        ({}, "X"),
        ({"like": "zaim"}, "Zaim"),
        ({"request_token_url": "a"}, None),
        ("nobody", None),
    ],
)
def test_what_the_catalogue_knows_is_found(definition: Any, name: str | None) -> None:
    found = given.entry(definition, "x")
    assert (found.definition["name"] if found else None) == name
