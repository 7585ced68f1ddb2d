"""``python -m tools.scale [SIZES]``: measure growth; writes docs/performance.md's tables of it and docs/scale.svg."""

import os
import platform
import re
import sys
from pathlib import Path

from sandbox.repository import ROOT
from tools.scale import growth, report

SIZES = (1_000, 10_000, 100_000)
PAGE = ROOT / "docs/performance.md"


def main(*asked: int) -> int:
    """Measure, and write the page and the plot; prints each row as it comes."""
    rows = []
    for row in growth.measure(asked or SIZES):
        rows.append(row)
        print(f"{row.what}, {row.connections:,} in {row.store.title}, {row.owed:,} owed: {row.measured}", flush=True)
    machine = f"{_processor()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    lines = report.lines(rows, machine, " ".join(["python -m tools.scale", *map(str, asked)]) if asked else "make scale")
    PAGE.write_text(report.page(PAGE.read_text(), lines))
    (ROOT / "docs/scale.svg").write_text(report.svg(rows))
    print("\n".join(lines))
    return 0


def _processor() -> str:
    found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return found[1] if found else platform.machine()


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
