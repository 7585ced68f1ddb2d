"""The tables and the plot of growth, made of figures that were not measured, and those of the page, which were."""

import re
from xml.etree import ElementTree as ET

import pytest

from sandbox.repository import ROOT
from tools.scale import report
from tools.scale.fill import KeptIn
from tools.scale.growth import BESIDE, Row
from tools.scale.probe import Measured

PAGE = (ROOT / "docs/performance.md").read_text()


def rows(slower: float = 1.0) -> list[Row]:
    """Return flat figures; at the most connections a user of ``users()`` takes so many times as long."""
    made = []
    for store in KeptIn:
        for size in (1_000, 100_000):
            more = slower if size > 1_000 else 1.0
            made += [
                Row("first page", store, size, Measured(1, 0.05, 1)),
                Row("users", store, size, Measured(size, size * 15e-6 * more, size // 1_000, 6.5)),
                Row("uncached", store, size, Measured(100, 0.1, 200)),
                Row("cached", store, size, Measured(2_000, 0.03, 0)),
                Row("sweep", store, size, Measured(0, 0.014, 8), 0),
                Row("sweep", store, size, Measured(100, 0.85, 808), 100),
            ]
        made.append(Row("sweep", store, BESIDE, Measured(500, 4.25, 4_008, 3.0), 10_000, backlog=True))
    return made


def test_what_is_flat_is_one_everywhere() -> None:
    for points in report.curves(rows()).values():
        assert [round(ratio, 6) for _, ratio in points] == [1.0] * len(points)


def test_what_grows_is_more_than_one() -> None:
    assert report.curves(rows(slower=3.0))["users", KeptIn.TABLE] == [(1_000, 1.0), (100_000, pytest.approx(3.0))]


def test_each_figure_is_in_the_tables_for_each_item_too() -> None:
    text = "\n".join(report.lines(rows(), "a machine", "make scale"))
    assert "| 100,000 connections, tokens in the table | 100 | 50.0 ms | 1.5 s | 15 µs | **1.00** | +6.5 MB |" in text
    assert "| 1,000 connections, tokens in Secrets Manager | 2 | 1,000 µs | **1.00** | 15 µs |" in text
    assert "in the table | 10,000 | 500 | 4,008 | 4.2 s | 8.02 | 8.5 ms | **1.00** | +3.0 MB |" in text
    assert "a machine" in text
    assert "not by sign-ins" in text


def test_a_sweep_of_nothing_has_no_share_for_an_item() -> None:
    text = "\n".join(report.lines(rows(), "a machine", "make scale"))
    assert "| 1,000 connections, tokens in the table | 0 | 0 | 8 | 14.0 ms |  |  |  | +0.0 MB |" in text


def test_the_plot_has_a_line_for_each_thing_and_store_and_stays_within_its_frame() -> None:
    picture = ET.fromstring(report.svg(rows(slower=4.0)))  # noqa: S314  # our own
    _, _, width, height = map(float, picture.attrib["viewBox"].split())
    lines = [element.attrib["points"] for element in picture if element.tag.endswith("polyline")]
    assert len(lines) == len(report.NAMES) * len(KeptIn)
    for x, y in (map(float, point.split(",")) for line in lines for point in line.split()):
        assert 0 <= x <= width
        assert 0 <= y <= height


def test_the_page_keeps_what_is_around_the_marks() -> None:
    text = "before\n{}\nold\n{}\nafter\n".format(*report.MARKS)
    assert report.page(text, ["new"]) == "before\n{}\nnew\n{}\nafter\n".format(*report.MARKS)
    assert [PAGE.count(mark) for mark in report.MARKS] == [1, 1]


def test_what_the_page_says_was_measured_is_flat() -> None:
    measured = PAGE.partition(report.MARKS[0])[2].partition(report.MARKS[1])[0]
    found = re.findall(r"^\| ([\d,]+) connections, .*\| \*\*([\d.]+)\*\* \|", measured, re.M)
    assert {connections for connections, _ in found} == {"1,000", "10,000", "100,000"}
    assert max(float(ratio) for _, ratio in found) < 1.5
