"""What a process has used: from outside, threads that have ended included."""

import re
import time
from pathlib import Path

GRACE = 5.0  # seconds for killed processes to be gone
POLL = 0.005  # seconds between looks


def of_session(session: int) -> int:
    """Return the id of the session's process that is Python or Node: the runtime, not its emulator."""
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            command = (status.parent / "cmdline").read_bytes()
        except OSError:  # it has just ended
            continue
        first = command.split(b"\0")[0]
        if _session(status) == session and re.search(rb"/(python3|node)[^/]*$", first):
            return int(status.parent.name)
    raise LookupError(session)


def wait_for_the_end(session: int) -> None:
    """Return when no process of the session is left, which would take its share of the next one's core."""
    deadline = time.monotonic() + GRACE
    while time.monotonic() < deadline:
        if not any(_session(status) == session for status in Path("/proc").glob("[0-9]*/stat")):
            return
        time.sleep(POLL)
    raise TimeoutError(session)


def _session(status: Path) -> int:
    """Return the session of a process that still runs; 0 of one that has ended, waited for or not."""
    try:
        fields = status.read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return 0 if fields[0] in {"Z", "X"} else int(fields[3])


def cpu(process: int) -> float:
    """Return the seconds of CPU that a process has used, all its threads together (clock_getcpuclockid(3))."""
    return time.clock_gettime((~process << 3) | 2)


def peak(process: int) -> float:
    """Return the most memory that a process has held, in MB (VmHWM)."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1000  # type: ignore[index]  # Linux has it
