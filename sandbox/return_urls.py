"""Return URLs on this machine: whoever develops an app runs it on any port, and no parameter needs to name it."""

import re
import threading
from typing import Any

from sandbox.runtime.functions import Functions

VARIABLE = "TRIPOD_RETURN_URLS"  # of the environment of the function start: the parameter AllowedReturnUrls
MOST = 32  # ports that are allowed beside the parameter's URLs; each has start begin in new processes

_LOOPBACK = re.compile(r"https?://(?:127\.0\.0\.1|localhost|\[::1\])(?P<port>(?::[0-9]{1,5})?)(?:[/?].*)?")


class LoopbackReturnUrls:
    """Allows each ``return_to`` on this machine when it is first asked for, as a deployment with another parameter would.

    The functions themselves know nothing of it: they have the URLs of one port more in their environment.
    """

    def __init__(self, functions: Functions, start: str) -> None:
        self._functions = functions
        self._start = start
        self._allowed = functions.function(start).environment.get(VARIABLE, "")
        self._ports: set[str] = set()
        self._lock = threading.Lock()

    def notice(self, name: str, event: Any) -> None:
        """Allow what an event asks for, if it is for the function start."""
        if name != self._start or (port := _port(event)) is None:
            return
        with self._lock:
            if port in self._ports or len(self._ports) >= MOST:
                return
            self._ports.add(port)
            hosts = ("127.0.0.1", "localhost", "[::1]")
            added = (f"{scheme}://{host}{port}/*" for scheme in ("http", "https") for host in hosts)
            self._allowed = ",".join(filter(None, (self._allowed, *added)))
            self._functions.reconfigure(self._start, {VARIABLE: self._allowed})


def _port(event: Any) -> str | None:
    """Return the port of an event's ``return_to``, as it is written there: ``:5000``, or nothing. None where that isn't on this machine."""
    asked = event.get("queryStringParameters") or event if isinstance(event, dict) else {}
    found = _LOOPBACK.fullmatch(str(asked.get("return_to", ""))) if isinstance(asked, dict) else None
    return found["port"] if found and int(found["port"][1:] or 0) <= 65535 else None
