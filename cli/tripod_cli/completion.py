"""What a shell offers for PROVIDER: the names of the consumer secrets that there are, and those that Tripod knows."""

import click
from botocore.exceptions import BotoCoreError, ClientError

from tripod.catalogue import CATALOGUE
from tripod_cli.consumer_secrets import ConsumerSecrets
from tripod_cli.options import Chosen


def kept(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001  # click's signature
    """Return the providers whose consumer secret there is; none where AWS can't be asked."""
    chosen = context.ensure_object(Chosen)
    try:
        found = ConsumerSecrets(chosen.stack).all()
        return [one.provider for one in found if one.deleted_at is None and one.provider.startswith(incomplete)]
    except (BotoCoreError, ClientError):
        return []


def known(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001  # likewise
    """Return the catalogue's names."""
    return [name for name in sorted(CATALOGUE) if name.startswith(incomplete)]
