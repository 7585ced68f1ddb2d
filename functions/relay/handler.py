"""Work off the outbox: store pending tokens, publish events, erase lapsed consents. Invoked by the table's stream and every minute."""

from typing import Any

from tripod_flow.app import App
from tripod_flow.edges import telemetry

RESERVE = 20_000  # milliseconds: time for one item's calls, and for what edges.deadline keeps after those to a provider

app = App()


def handler(event: dict[str, Any], context: Any) -> None:
    """Take a batch of the stream's records, or the schedule's event.

    An item that fails is left to a later sweep; a batch that fails as a whole is tried again by Lambda, in halves.
    """

    def has_time() -> bool:
        return bool(context.get_remaining_time_in_millis() > RESERVE)

    app.set_deadline(context)
    try:
        if "Records" in event:
            keys = dict.fromkeys(record["dynamodb"]["Keys"]["pk"]["S"] for record in event["Records"])
            app.relay.relay(keys, has_time)
        else:
            app.relay.sweep(has_time)
    finally:
        telemetry.flush()


app.prepare()
