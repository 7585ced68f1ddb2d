"""What was measured, as docs/performance.md's tables and as the plot docs/scale.svg."""

import math
from collections.abc import Iterator, Sequence

from tools.scale.fill import READ, KeptIn
from tools.scale.growth import RELAYED, Row

MARKS = "<!-- measured by tools/scale -->", "<!-- to here, growth -->"
COLOURS = {"users": "#0b57d0", "uncached": "#188038", "sweep": "#c02942", "backlog": "#e37400"}
NAMES = {
    "users": "a user of users()",
    "uncached": "a read",
    "sweep": "a relayed item",
    "backlog": "a relayed item, by those owed",
}


def page(text: str, lines: Sequence[str]) -> str:
    """Return the page with these lines between its marks."""
    before, _, rest = text.partition(MARKS[0])
    return f"{before}{MARKS[0]}\n" + "\n".join(lines) + f"\n{MARKS[1]}" + rest.partition(MARKS[1])[2]


def lines(rows: Sequence[Row], machine: str, command: str) -> list[str]:
    """Return the paragraph that says what was filled how, and the tables."""
    return [
        f"Machine: {machine}. `{command}`: the connections were written into moto's table directly, as the rules make them, not by sign-ins; "
        f"{READ} of them have tokens that can be read. What is owed are committed grants, written likewise, of which neither the tokens are stored nor the event "
        f"published: to the relay an import is just that. A sweep ends after {RELAYED} items here, as a function's runs out of time, because moto takes so long. Each line "
        "was measured once, in a process of its own, warm; CPU is that process's, in which moto is not. The ratio is an item's CPU to what it is with the fewest; "
        "differences of a quarter mean nothing: what was measured twice differs as much. A page of `users()` is moto's: a megabyte of whole items, where "
        "DynamoDB counts the index's attributes alone.",
        *_table(
            ("`users()`", "calls", "CPU, first page", "CPU, all", "for a user", "ratio", "memory"),
            (
                (
                    _beside(row),
                    f"{row.measured.calls:,}",
                    _time(first.measured.cpu),
                    _time(row.measured.cpu),
                    _us(row),
                    *_ratio(rows, row),
                    _mb(row),
                )
                for first, row in _pairs(rows, "first page", "users")
            ),
        ),
        *_table(
            ("A reader", "calls for a read", "CPU for a read", "ratio", "CPU for one that is remembered"),
            (
                (_beside(row), f"{row.measured.calls / row.measured.items:.0f}", _us(row), *_ratio(rows, row), _us(cached))
                for row, cached in _pairs(rows, "uncached", "cached")
            ),
        ),
        *_table(
            ("The relay's sweep", "owed", "relayed", "calls", "CPU", "calls for an item", "CPU for an item", "ratio", "memory"),
            (_sweep(rows, row) for row in rows if row.what == "sweep"),
        ),
    ]


def _table(heads: Sequence[str], cells: Iterator[tuple[str, ...]]) -> list[str]:
    return ["", f"| {' | '.join(heads)} |", "|" + "---|" * len(heads), *(f"| {' | '.join(row)} |" for row in cells)]


def _pairs(rows: Sequence[Row], one: str, other: str) -> Iterator[tuple[Row, Row]]:
    return zip((row for row in rows if row.what == one), (row for row in rows if row.what == other), strict=True)


def _beside(row: Row) -> str:
    return f"{row.connections:,} connections, tokens in {row.store.title}"


def _sweep(rows: Sequence[Row], row: Row) -> tuple[str, ...]:
    measured, each = row.measured, ("", "", "")
    if measured.items:
        each = (f"{measured.calls / measured.items:.2f}", _time(row.per_item), *_ratio(rows, row))
    return (_beside(row), f"{row.owed:,}", f"{measured.items:,}", f"{measured.calls:,}", _time(measured.cpu), *each, _mb(row))


def _time(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.1f} ms"


def _us(row: Row) -> str:
    return f"{row.per_item * 1e6:,.0f} µs"


def _mb(row: Row) -> str:
    return f"+{row.measured.grown:.1f} MB"


def _ratio(rows: Sequence[Row], row: Row) -> tuple[str]:
    return (f"**{ratio(rows, row):.2f}**",)


def ratio(rows: Sequence[Row], row: Row) -> float:
    """Return what an item costs, to what it costs where there are the fewest."""
    fewest = next(one for one in rows if (one.what, one.store) == (row.what, row.store) and one.measured.items)
    return row.per_item / fewest.per_item


def curves(rows: Sequence[Row]) -> dict[tuple[str, KeptIn], list[tuple[int, float]]]:
    """Return the points (how many, ratio) by what was measured and the store."""
    found: dict[tuple[str, KeptIn], list[tuple[int, float]]] = {}
    for row in rows:
        if row.what in {"users", "uncached"} or (row.what == "sweep" and row.owed == 100 and not row.backlog):
            found.setdefault((row.what, row.store), []).append((row.connections, ratio(rows, row)))
        elif row.backlog:
            found.setdefault(("backlog", row.store), []).append((row.owed, ratio(rows, row)))
    return found


def svg(rows: Sequence[Row]) -> str:
    """Return the curves as a picture: how many along the bottom, each ten times the one before; a flat line is what is wanted."""
    drawn = curves(rows)
    every = [point for points in drawn.values() for point in points]
    fewest, most = (math.log10(choose(many for many, _ in every)) for choose in (min, max))
    highest = max(1.5, *(height for _, height in every)) + 0.1
    width, height, left, bottom, right = 780.0, 350.0, 50.0, 50.0, 350.0

    def at(many: float, upward: float) -> tuple[float, float]:
        x = left + (math.log10(many) - fewest) / max(most - fewest, 1) * (width - left - right)
        return x, height - bottom - upward / highest * (height - bottom - 20)

    def parts() -> Iterator[str]:
        for power in range(math.ceil(fewest), math.floor(most) + 1):
            yield f'<text x="{at(10**power, 0)[0]:.0f}" y="{height - 32:.0f}" text-anchor="middle">{10**power:,}</text>'
        yield f'<text x="{(left + width - right) / 2:.0f}" y="{height - 10:.0f}" text-anchor="middle">connections, or items that are owed</text>'
        for mark in (0.0, 0.5, 1.0, 1.5):
            y = at(10**fewest, mark)[1]
            yield f'<text x="{left - 8:.0f}" y="{y + 4:.1f}" text-anchor="end">{mark}</text>'
            yield f'<line x1="{left:.0f}" x2="{width - right:.0f}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>'
        for number, ((what, store), points) in enumerate(drawn.items()):
            line = " ".join("{:.1f},{:.1f}".format(*at(*point)) for point in points)
            look = f'stroke="{COLOURS[what]}" stroke-width="2"' + (' stroke-dasharray="5 3"' if store is KeptIn.TABLE else "")
            y = 30 + number * 22
            yield f'<polyline points="{line}" fill="none" {look}/>'
            yield f'<line x1="{width - right + 20:.0f}" x2="{width - right + 44:.0f}" y1="{y - 4}" y2="{y - 4}" {look}/>'
            yield f'<text x="{width - right + 50:.0f}" y="{y}">{NAMES[what]}, {store.title}</text>'

    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" font-family="sans-serif" font-size="12">'
        "<title>CPU of an item by how many there are, as a ratio to the fewest</title>"
        f'<rect width="100%" height="100%" fill="#fff"/>{"".join(parts())}</svg>\n'
    )
