"""After the browser has gone: store what is unstored, publish events, erase what lapsed. Woken by the table's stream and every minute."""

from typing import Any

from tripod_flow import service, telemetry

RESERVE = 5000  # milliseconds: one item's calls end within it, so that none is cut off by the function's timeout


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take a batch of the stream's records, or the schedule's event.

    An item that fails is left to the next sweep, so no record is ever reported as failed; a batch that dies as a whole is tried again
    by Lambda, in halves.
    """

    def has_time() -> bool:
        return bool(context.get_remaining_time_in_millis() > RESERVE)

    service.begin(context)
    try:
        if "Records" in event:
            keys = dict.fromkeys(record["dynamodb"]["Keys"]["pk"]["S"] for record in event["Records"])
            service.relay().relay(keys, has_time)
        else:
            service.relay().sweep(has_time)
    finally:
        telemetry.flush()
    return {"batchItemFailures": []}


service.prepare()
