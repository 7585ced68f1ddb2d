import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripod_flow.api import pages
from tripod_flow.api.pages import Look, PinForm


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@given(st.integers(0, 0xFFFFFF))
def test_the_buttons_text_reads_well_on_any_colour(number: int) -> None:
    colour = f"#{number:06x}"
    style = pages.render(Look("", colour), "t", "d")
    ink = re.search(r"--on:(#[0-9a-f]{3})[;}]", style)
    assert ink
    assert contrast(colour, "#" + "".join(letter * 2 for letter in ink[1][1:])) >= 4.5


def test_every_word_from_outside_is_escaped() -> None:
    nasty = '"><script>'
    page = pages.render(
        Look(nasty),
        nasty,
        nasty,
        link=(nasty, nasty),
        form=PinForm(nasty, nasty, nasty, nasty, nasty),
        again=(nasty, nasty),
        reference=nasty,
    )
    assert "<script" not in page
    assert len(page) < 8192


def test_the_stylesheets_hash_is_the_colours_own() -> None:
    assert pages.style_hash(Look()) != pages.style_hash(Look("", "#000000"))
    assert pages.style_hash(Look("a")) == pages.style_hash(Look("b"))


@pytest.mark.parametrize("app_name", ["", "Acme"])
def test_a_page_has_one_heading_a_language_and_a_title_that_names_the_app(app_name: str) -> None:
    page = pages.render(Look(app_name), "Title", "Detail")
    assert page.count("<h1>") == 1
    assert '<html lang="en" dir="ltr">' in page
    assert ("<title>Title – Acme</title>" in page) == bool(app_name)
