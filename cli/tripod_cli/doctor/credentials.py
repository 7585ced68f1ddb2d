"""Whose credentials they are, on which account and region; AWS's answer also has its time."""

import time
from collections.abc import Callable, Iterator

from botocore.exceptions import ClientError

from tripod_cli.doctor import clock
from tripod_cli.doctor.finding import Finding
from tripod_cli.stack import Stack


def look(stack: Stack, now: Callable[[], float] = time.time) -> Iterator[Finding]:
    """Yield whose credentials are used (it takes no permission), and how this machine's clock compares with AWS's."""
    client = stack.client("sts")
    try:
        answer = client.get_caller_identity()
    except ClientError as error:  # with a clock that is off, AWS takes every signature for expired
        ahead = clock.ahead(error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {}), now())
        if ahead is not None and abs(ahead) >= clock.TOLERATED:
            yield of_clock(ahead)
        raise
    found = f"{answer['Arn']}, account {answer['Account']}, region {client.meta.region_name}, prefix {stack.prefix}"
    yield Finding("your credentials", found)
    ahead = clock.ahead(answer["ResponseMetadata"]["HTTPHeaders"], now())
    if ahead is not None:
        yield of_clock(ahead)


def of_clock(ahead: float) -> Finding:
    """Return the finding about this machine's clock, by how many seconds AWS's is ahead of it."""
    at = "this machine's clock"
    if abs(ahead) < clock.NOTICED:
        return Finding(at, "as AWS's")
    found = f"{clock.words(-ahead)} AWS's"
    to_do = "Set it by the network's time (timedatectl set-ntp true). The functions have AWS's; what is signed here is refused"
    return clock.judged(at, found, to_do, ahead)
