"""Reports: a provider has refused a user's tokens, so Tripod is to ask it whether it still takes them."""

import json
import logging

from tripod import process

_log = logging.getLogger(__name__)


def report(provider: str, user_id: str, token: str) -> None:
    """Have the function ``{prefix}-check`` ask about a user's ``token``, once for each token in this process.

    Nobody waits for the check, and nobody is told where it can't be asked for: the caller has an error of its own to read. After that
    this process reports nothing for some minutes, and then again: what was in the way may have passed, or the role have the right.
    """
    this = process.this()
    if not this.may_report(provider, user_id, token):
        return
    event = {"provider": provider, "user_id": user_id, "reported": True}
    try:
        this.client("lambda", quick=True).invoke(
            FunctionName=f"{this.prefix}-check", InvocationType="Event", Payload=json.dumps(event).encode()
        )
    except Exception as error:  # noqa: BLE001  # whatever it is
        this.rest_from_reports(provider, user_id)
        _log.debug("not reported for now: %s", type(error).__name__)
