"""``python -m tools.bench [ROUNDS]``: measure everything, and write docs/performance.md's tables and docs/performance.svg."""

import json
import platform
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import distributions

from layers.sizes import sizes
from sandbox.repository import BUILT, ROOT
from sandbox.runtime.emulator import python
from tools.bench import cold, memory, parts, warm

ROUNDS = 15
WARM_ROUNDS = 150
PAGE = ROOT / "docs/performance.md"
MARKS = "<!-- measured by tools/bench -->", "<!-- to here -->"


def main(rounds: int = ROUNDS) -> int:
    """Measure, and write the page and the plot; prints the tables as well."""
    measured = cold.measure(rounds, rivals=True)
    plain = [row for row in measured if not row.name.startswith(cold.LEFT_OUT)]
    secure = cold.measure(rounds, tls=True, rivals=True)
    thinking = cold.measure(rounds, tls=True, thinks=0.15)
    warmed, warmed_secure = warm.measure(WARM_ROUNDS), warm.measure(WARM_ROUNDS, tls=True)
    memory_rounds = max(1, rounds // 3)
    lines = [
        f"Machine: {_processor()}, 2 cores, of which the measured process has one; Python {_version()}, botocore {_shipped('botocore')}, "
        f"Powertools {_shipped('aws-lambda-powertools')}; Node {_node()}, grant {_grant()}. `make bench{'' if rounds == ROUNDS else f' BENCH={rounds}'}`: "
        f"{rounds} cold starts of each kind, {WARM_ROUNDS} warm invocations in {warm.PROCESSES} processes, {memory_rounds} cold and {memory_rounds * memory.WARM_ROUNDS} warm ones for each "
        "size of memory, all interleaved; medians, where nothing else is said.",
        *_cold_table("Cold, AWS and the provider over http", plain),
        *_cold_table("Cold, both over https", secure),
        *_cold_table("Cold, over https, the provider thinking for 150 ms", thinking),
        *_left_out_table(measured),
        *_warm_table("Warm, over http", warmed),
        *_warm_table("Warm, over https", warmed_secure),
        *_size_table(),
        *_reader_lines(rounds),
        *_memory_table(memory.measure(memory_rounds)),
        *_imports(),
    ]
    before, _, rest = PAGE.read_text().partition(MARKS[0])
    PAGE.write_text(f"{before}{MARKS[0]}\n" + "\n".join(lines) + f"\n{MARKS[1]}" + rest.partition(MARKS[1])[2])
    (ROOT / "docs/performance.svg").write_text(svg([*_bars("https", secure), *_bars("http", plain)]))
    print("\n".join(lines))
    return 0


def _shipped(package: str) -> str:
    """Return the version of a package of the built layer, which is what is measured."""
    return next(iter(distributions(name=package, path=[str(BUILT / "FlowLayer/python")]))).version


def _table(title: str, heads: list[str], rows: list[list[str]]) -> list[str]:
    return [
        "",
        f"| {' | '.join([title, *heads])} |",
        f"|{'---|' * (len(heads) + 1)}",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]


def _cold_table(title: str, rows: list[cold.ColdRow]) -> list[str]:
    cells = [
        [
            row.name,
            *(f"{row.cpu * 1000:.0f} ms", f"**{row.cpu_ratio:.2f}**", f"{row.wall * 1000:.0f} ms", f"{row.wall_ratio:.2f}"),
            f"{row.peak:.0f} MB ({row.peak_ratio:.2f})",
        ]
        for row in rows
    ]
    return _table(title, ["CPU", "ratio", "clock", "ratio", "peak memory"], cells)


def _left_out_table(rows: list[cold.ColdRow]) -> list[str]:
    whole = next(row for row in rows if row.name == "callback")
    cells = [
        [row.name.removeprefix(cold.LEFT_OUT), f"**{row.cpu_ratio:.2f}**", f"{row.cpu_ratio - whole.cpu_ratio:.2f}"]
        for row in rows
        if row.name.startswith(cold.LEFT_OUT)
    ]
    return _table("The callback, cold, over http, with one thing left out", ["ratio", "so it takes off"], cells)


def _bars(scheme: str, rows: list[cold.ColdRow]) -> list[tuple[str, float]]:
    return [(f"{scheme}, {row.name}", row.cpu_ratio) for row in rows]


def _warm_table(title: str, figures: warm.Figures) -> list[str]:
    cells = [
        [
            row.name,
            *(f"{one:.2f} ms" for one in (row.cpu_p50, row.cpu_p99, row.wall_p50, row.wall_p99)),
            "{} and {}".format(*figures.calls[row.name]) if row.name in figures.calls else "the same",
        ]
        for row in figures.rows
    ]
    return _table(title, ["CPU p50", "p99", "clock p50", "p99", "calls to AWS and the provider"], cells)


def _size_table() -> list[str]:
    measured = [(name, *sizes(BUILT / name)) for name in ("TripodLayer", "FlowLayer")]
    measured.append(("together", sum(one[1] for one in measured), sum(one[2] for one in measured)))
    cells = [[name, f"{unzipped / 1e6:.1f} MB", f"{zipped / 1e6:.1f} MB"] for name, unzipped, zipped in measured]
    return _table("Layer", ["unzipped", "zipped"], cells)


def _reader_lines(rounds: int) -> list[str]:
    read = warm.reader(rounds)
    return [
        "",
        f"The public layer, from a cold start to the first signed request, with the runtime's boto3: {read.cpu_ratio:.2f} of the "
        f"reference's CPU. A cached `user_tokens` takes {read.cached:.0f} µs.",
    ]


def _memory_table(rows: list[memory.MemoryRow]) -> list[str]:
    cells = [
        [
            f"{row.memory} MB",
            *(f"{each:.2f} s" for each in (row.cold, row.warm)),
            *(f"${row.cost(each):.2f}" for each in (row.cold, row.warm)),
        ]
        for row in rows
    ]
    return _table("Memory", ["callback, cold", "callback, warm", "a million cold", "a million warm"], cells)


def _imports() -> list[str]:
    """Return the ten most expensive imports of the callback, in ms, with what they import in turn."""
    places = ":".join(str(BUILT / name) for name in ("FlowLayer/python", "TripodLayer/python"))
    environment = {
        "PYTHONPATH": places,
        "AWS_LAMBDA_RUNTIME_API": "x",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    environment |= {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "TRIPOD_PREFIX": "x", "TRIPOD_TABLE": "x"}
    command = [python(), "-B", "-S", "-s", "-X", "importtime", "-c", "import handler"]
    told = subprocess.run(
        command, env=environment, cwd=BUILT / "CallbackFunction", capture_output=True, text=True, check=True
    ).stderr
    found = [(int(ms), name) for ms, name in re.findall(r"^import time:\s+\d+ \|\s+(\d+) \|\s+(\S+)", told, re.MULTILINE)]
    whole = {"handler", "tripod_flow"}  # they import all the others
    packages = [(ms, name) for ms, name in sorted(found, reverse=True) if "." not in name and name not in whole]
    cells = [[f"`{name}`", f"{ms / 1000:.0f} ms"] for ms, name in packages[:10]]
    return _table("Import (by `-X importtime`, which slows it)", ["with all it imports"], cells)


def _processor() -> str:
    told = re.search(r"model name\s*: (.*)", open("/proc/cpuinfo").read())  # noqa: SIM115  # a process that ends
    return told[1] if told else platform.machine()


def _node() -> str:
    return subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip().removeprefix("v")


def _grant() -> str:
    return str(json.loads((parts.grant() / "node_modules/grant/package.json").read_text())["version"])


def _version() -> str:
    return subprocess.run([python(), "-V"], capture_output=True, text=True, check=True).stdout.split()[1]


def svg(ratios: list[tuple[str, float]]) -> str:
    """Return the ratios as bars, the reference's end marked."""
    height, left, right, scale = 26, 360, 60, 150
    most = max(ratio for _, ratio in ratios)
    width, total = left + most * scale + right, height * len(ratios) + 20

    def bars() -> Iterator[str]:
        for number, (name, ratio) in enumerate(ratios):
            y = 10 + number * height
            colour = "#0b57d0" if name.partition(", ")[2] in {"start", "callback"} else "#9aa5b1"
            yield f'<text x="{left - 8}" y="{y + 16}" text-anchor="end">{name.replace("`", "")}</text>'
            yield f'<rect x="{left}" y="{y + 3}" width="{ratio * scale:.0f}" height="{height - 8}" fill="{colour}"/>'
            yield f'<text x="{left + ratio * scale + 6:.0f}" y="{y + 16}">{ratio:.2f}</text>'

    mark = f'<line x1="{left + scale}" x2="{left + scale}" y1="4" y2="{total - 6}" stroke="#c02942" stroke-dasharray="4 3"/>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {total}" font-family="sans-serif" font-size="13">'
        f'<title>CPU of a cold start, as a ratio to the reference of the same scheme</title><rect width="100%" height="100%" fill="#fff"/>'
        f"{''.join(bars())}{mark}</svg>\n"
    )


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:2])))
