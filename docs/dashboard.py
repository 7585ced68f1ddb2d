"""``make dashboard``: draw the template's dashboard into docs/dashboard.svg, with the names of its metrics instead of curves."""

import json
from html import escape
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

TEMPLATE = Path(__file__).parents[1] / "template.yaml"
PICTURE = Path(__file__).with_name("dashboard.svg")

COLUMNS = 24  # of CloudWatch's grid
WIDTH, HEIGHT, GAP = 50, 40, 6  # pixels: of a cell, and between widgets
ROW, ROWS = 36, 5  # pixels from one metric to the next, and how many are below one another
COLOURS = ("#0b57d0", "#b3261e", "#0b6b33", "#8a5a00", "#6a3fb5", "#00707a", "#a0306d", "#4b5560", "#c2410c", "#2f6f9f")


def widgets() -> list[dict[str, Any]]:
    """Return the widgets as the template has them, its references unresolved."""
    template = yaml_parse(TEMPLATE.read_text())
    body = template["Resources"]["WatchDashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    found: list[dict[str, Any]] = json.loads(body)["widgets"]
    return found


def picture() -> str:
    """Return the dashboard as SVG."""
    shown = widgets()
    height = max(one["y"] + one["height"] for one in shown) * HEIGHT
    size = f'viewBox="0 0 {COLUMNS * WIDTH} {height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="13">',
        "<title>The dashboard of a stack: each widget's question, and the metrics that answer it</title>",
        '<rect width="100%" height="100%" fill="#eef1f4"/>',
        *(_widget(one) for one in shown),
        "</svg>",
    ]
    return "".join(parts) + "\n"


def _widget(one: dict[str, Any]) -> str:
    left, top = one["x"] * WIDTH + GAP / 2, one["y"] * HEIGHT + GAP / 2
    width, height = one["width"] * WIDTH - GAP, one["height"] * HEIGHT - GAP
    properties = one["properties"]
    parts = [
        f'<rect x="{left:g}" y="{top:g}" width="{width}" height="{height}" rx="4" fill="#fff" stroke="#c5ccd3"/>',
        f'<text x="{left + 12:g}" y="{top + 24:g}" font-size="15" font-weight="600" fill="#14171a">{escape(properties["title"])}</text>',
    ]
    parts += _alarms(properties["alarms"], left, top) if one["type"] == "alarm" else _metrics(properties, left, top)
    return "".join(parts)


def _alarms(alarms: list[str], left: float, top: float) -> list[str]:
    """Draw a box for each alarm, four in a row."""
    parts, width = [], (COLUMNS * WIDTH - 4 * GAP) / 4 - GAP
    for number, arn in enumerate(alarms):
        x, y = left + 12 + number % 4 * (width + GAP), top + 34 + number // 4 * 38
        name = arn.removeprefix("${").removesuffix(".Arn}")
        parts.append(f'<rect x="{x:g}" y="{y:g}" width="{width - 6:g}" height="32" rx="3" fill="#e3f1e7" stroke="#0b6b33"/>')
        parts.append(f'<text x="{x + 10:g}" y="{y + 21:g}" fill="#14171a">{escape(name)}</text>')
    return parts


def _metrics(properties: dict[str, Any], left: float, top: float) -> list[str]:
    """Draw for each metric its colour, its label, and below it where CloudWatch has it from; a second column where one is full."""
    parts = []
    for number, metric in enumerate(properties["metrics"]):
        x, y = left + 12 + number // ROWS * 280, top + 54 + number % ROWS * ROW
        namespace, name, *dimensions = metric[:-1]
        whose = dimensions[1] if dimensions and "$" not in dimensions[1] else ""
        source = " ".join(filter(None, (namespace.replace("${Prefix}", "{prefix}"), name, whose)))
        parts.append(f'<rect x="{x:g}" y="{y - 7:g}" width="14" height="4" fill="{COLOURS[number]}"/>')
        parts.append(f'<text x="{x + 22:g}" y="{y:g}" fill="#14171a">{escape(metric[-1]["label"])}</text>')
        parts.append(f'<text x="{x + 22:g}" y="{y + 13:g}" font-size="10" fill="#4b5560">{escape(source)}</text>')
    return parts


if __name__ == "__main__":
    PICTURE.write_text(picture())
