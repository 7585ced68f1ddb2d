"""What the API's stage does with every request: the throttle of each route, and the line of the access log.

Sources: API Gateway's developer guide, "Throttle requests to your HTTP APIs" and "Customize HTTP API access logs".
"""

import re
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sandbox.gateway.event import GatewayRequest


@dataclass
class _Bucket:
    """The tokens of one route: ``burst`` at most, ``rate`` more each second."""

    left: float
    seen: float


@dataclass
class ApiStage:
    """The stage's settings, ``rate`` and ``burst`` of each route and the log's ``format``; ``clock`` in seconds."""

    rate: float = 0.0  # 0: no throttle
    burst: float = 0.0
    format: str = ""
    clock: Callable[[], float] = time.monotonic
    _buckets: dict[str, _Bucket] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def of(cls, api: dict[str, Any], *, throttles: bool) -> "ApiStage":
        """Return the settings of an ``AWS::Serverless::HttpApi``; without ``throttles`` nothing is."""
        limits = api.get("DefaultRouteSettings", {}) if throttles else {}
        rate, burst = (float(limits.get(f"Throttling{what}Limit", 0)) for what in ("Rate", "Burst"))
        return cls(rate, burst, api.get("AccessLogSettings", {}).get("Format", ""))

    def takes(self, route: str) -> bool:
        """Take one request of a route; return False where it is beyond the throttle."""
        if not self.rate:
            return True
        with self._lock:
            now = self.clock()
            bucket = self._buckets.setdefault(route, _Bucket(self.burst, now))
            bucket.left = min(self.burst, bucket.left + (now - bucket.seen) * self.rate)
            bucket.seen = now
            if bucket.left < 1:
                return False
            bucket.left -= 1
            return True

    def line(self, request: GatewayRequest, status: int, seconds: float) -> str:
        """Return a request's line of the access log, as the format says; what has no value is a hyphen."""
        values = {
            "requestId": secrets.token_urlsafe(11),
            "requestTime": datetime.now(UTC).strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "identity.sourceIp": request.source_ip,
            "httpMethod": request.method,
            "path": request.path,
            "status": str(status),
            "responseLatency": str(round(seconds * 1000)),
        }
        return re.sub(r"\$context\.([\w.]+)", lambda found: values.get(found[1], "-"), self.format)
