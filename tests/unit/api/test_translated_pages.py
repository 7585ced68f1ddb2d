"""What every page is like, in every language."""

import json
import re
from html.parser import HTMLParser

import pytest

from tests.support.every_page import every_page, made, request
from tripod_flow.api import languages, pages, responses
from tripod_flow.rules import errors

LARGEST = 8192  # bytes of a page
EVERY = ("en", *languages.MODULES)


class Elements(HTMLParser):
    """The elements of a page, with what each is in."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, list[str]]] = []
        self.unclosed: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "input", "circle", "path"):
            self.open.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("circle", "path"):
            opened, _ = self.open.pop()
            assert opened == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((data, [tag for tag, _ in self.open]))


@pytest.mark.parametrize("language", EVERY)
def test_every_page_is_small_whole_and_says_its_language(language: str) -> None:
    said = languages.words(language).LANGUAGE
    for name, page in every_page(language, "An app with the longest name there can be, which is 60 long"):
        body = page["body"]
        assert len(body.encode()) <= LARGEST, name
        assert f'<html lang="{said[0]}" dir="{said[1]}">' in body, name
        assert page["headers"]["content-language"] == said[0], name
        assert "vary" not in page["headers"], name  # no cache keeps it: no-store
        assert "style=" not in body, name
        assert not Elements(body).open, name
        assert "{" not in re.sub(r"<style>.*?</style>", "", body, flags=re.S), name


@pytest.mark.parametrize("language", EVERY)
def test_what_is_no_word_of_the_language_stands_apart_from_it(language: str) -> None:
    for name, page in every_page(language):
        found = Elements(page["body"]).texts
        for data, within in found:
            if data in ("@ada", "W8cJ-jHMjoEEPrw="):
                assert within[-1] == "bdi", name
            assert "@" not in data or data == "@ada" or "style" in within, name
        if "@ada" in page["body"]:
            assert ("X", "bdi") in [(data, within[-1]) for data, within in found], name
        assert not re.search("[\u2066-\u2069]", page["body"]), name


def test_no_value_closes_the_element_that_it_is_in() -> None:
    value = pages.isolated("b\u2069c\u2068")
    title = f"a {value} d"
    page = pages.render(pages.PLAIN, title, title)
    assert "<title>a bc d</title>" in page
    assert "<h1>a <bdi>bc</bdi> d</h1><p>a <bdi>bc</bdi> d</p>" in page


def test_the_operators_part_says_that_it_is_english() -> None:
    page = responses.problem(request(page=True, accept_language="ar"), errors.BadRequest(detail="It is missing."))["body"]
    assert '<details><summary>لمشغّل هذه الخدمة</summary><p lang="en" dir="ltr">It is missing.</p></details>' in page


def test_a_pin_is_written_from_left_to_right() -> None:
    page = responses.problem(request(page=True, accept_language="he", posted=True), made(errors.WrongPin))["body"]
    assert re.search(r'<input id="pin" [^>]*dir="ltr"', page)


@pytest.mark.parametrize("language", EVERY)
def test_problems_told_to_programs_are_english(language: str) -> None:
    for error in (errors.Expired(), errors.ProviderUnavailable("busy", 120), made(errors.WrongPin)):
        told, english = (responses.problem(request(accept_language=one), error) for one in (language, "en"))
        assert told == english
        assert "content-language" not in told["headers"]
        assert json.loads(told["body"])["title"]
