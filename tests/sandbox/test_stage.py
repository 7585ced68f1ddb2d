"""The API's throttle and its access log, as the template sets them."""

import json

from sandbox.gateway.event import GatewayRequest
from sandbox.gateway.stage import ApiStage
from tests.support.clock import Clock

API = {"DefaultRouteSettings": {"ThrottlingRateLimit": "2", "ThrottlingBurstLimit": "3"}}


def test_a_route_takes_a_burst_and_then_so_many_a_second() -> None:
    clock = Clock()
    stage = ApiStage.of(API, throttles=True)
    stage.clock = clock
    assert [stage.takes("GET /a") for _ in range(4)] == [True, True, True, False]
    assert stage.takes("GET /b")  # each route has its own
    clock.now += 1
    assert [stage.takes("GET /a") for _ in range(3)] == [True, True, False]


def test_without_the_throttle_everything_is_taken() -> None:
    stage = ApiStage.of(API, throttles=False)
    assert all(stage.takes("GET /a") for _ in range(100))


def test_a_line_of_the_log_has_the_path_and_not_the_query() -> None:
    stage = ApiStage.of(
        {"AccessLogSettings": {"Format": '{"path":"$context.path","status":"$context.status","error":"$context.x"}'}},
        throttles=True,
    )
    request = GatewayRequest("GET", "/a/b?oauth_verifier=v", "HTTP/1.1", [], b"", "127.0.0.1", 80)
    assert json.loads(stage.line(request, 302, 0.1)) == {"path": "/a/b", "status": "302", "error": "-"}
