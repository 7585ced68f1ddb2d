"""The queue of dead letters: what should have woken the relay and did not."""

from collections.abc import Iterator

from tripod_cli.doctor import functions
from tripod_cli.doctor.finding import Finding, wrong
from tripod_cli.stack import Stack


def look(stack: Stack) -> Iterator[Finding]:
    """Yield how many there are."""
    client, name = stack.client("sqs"), f"{stack.prefix}-dead-letters"
    at = f"queue {name}"
    try:
        url = client.get_queue_url(QueueName=name)["QueueUrl"]
    except client.exceptions.QueueDoesNotExist:
        yield wrong(at, "there is no such queue", functions.AGAIN)
        return
    kinds = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = client.get_queue_attributes(QueueUrl=url, AttributeNames=kinds)["Attributes"]
    number = sum(int(attributes.get(kind, 0)) for kind in kinds)
    if not number:
        yield Finding(at, "empty")
        return
    text = f"{number} dead {'letter' if number == 1 else 'letters'}: so often the relay was not woken. Nothing is lost by it"
    yield wrong(
        at, text, "Read the relay's log of their time, mend what it says, and purge the queue: docs/operating.md#relayalarm"
    )
