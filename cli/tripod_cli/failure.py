"""What ends a command early: a sentence that says what is wrong and what to do, and the exit code.

Exit codes: 0 all is well; 1 the command did its work and found something wrong, or could not do all of it, because of a provider too;
2 the command line is wrong; 3 AWS or the stack could not be asked: no credentials, no permission, no stack, no network, a function that
fails; 130 interrupted.
"""

import errno
from types import UnionType
from typing import Any

import click
from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError

from tripod.errors import ConsumerNotFound, TokenNotFound, TripodError, TripodUnavailable
from tripod_flow.flows.pacing import SIGNED_OUT
from tripod_flow.rules.errors import FlowError

FOUND = 1
OUT_OF_REACH = 3
INTERRUPTED = 130

_OF_PROVIDERS = ("provider_unavailable", "provider_rejected")  # what a function says where it is not the stack that fails
_DENIED = ("AccessDenied", "UnauthorizedOperation", "NotAuthorized")
_SDK: tuple[tuple[type[Exception] | UnionType, str], ...] = (
    (
        exceptions.NoCredentialsError | exceptions.PartialCredentialsError,
        "there are no AWS credentials: configure a profile (aws configure sso), or choose one with --profile",
    ),
    (exceptions.NoRegionError, "no AWS region is chosen: --region, or AWS_REGION in the environment"),
    (exceptions.InvalidRegionError, "that is no AWS region: --region takes a name such as eu-west-1"),
    (
        exceptions.ConfigParseError,
        "AWS's configuration can't be read: ~/.aws/config, or the file that AWS_CONFIG_FILE names",
    ),
    (exceptions.ProfileNotFound, "there is no such profile: `aws configure list-profiles` says which there are"),
    (exceptions.TokenRetrievalError | exceptions.SSOError, "your AWS sign-in has expired: aws sso login"),
    (
        exceptions.EndpointConnectionError | exceptions.HTTPClientError,
        "AWS can't be reached from here: is the region right, and is there a network?",
    ),
    (ValueError, "AWS's address is no URL: AWS_ENDPOINT_URL in the environment, or endpoint_url in the profile"),
)


class Failure(click.ClickException):
    """The command ends with this text on stderr, and with ``exit_code``."""

    def __init__(self, text: str, exit_code: int = FOUND) -> None:
        super().__init__(text)
        self.exit_code = exit_code  # type: ignore[misc]  # click's own subclasses do so

    def show(self, file: Any = None) -> None:
        """Print the text to stderr."""
        click.echo(f"tripod: {self.message}", err=True, file=file)


def of(error: Exception) -> Failure | None:
    """Return the failure that an error of AWS's SDK, of Tripod or of its flows means; None: it is a defect."""
    if isinstance(error, ClientError):
        return _of_answer(error)
    if isinstance(error, BotoCoreError) or str(error).startswith("Invalid endpoint: "):  # a ValueError, when a client is made
        return Failure(_of_sdk(error), OUT_OF_REACH)
    if isinstance(error, ConsumerNotFound):
        return Failure(f"{error}. `tripod consumer list` says which there are")
    if isinstance(error, TokenNotFound):
        return Failure(f"{error}. `tripod users <provider>` says who has")
    if isinstance(error, TripodUnavailable) and error.code not in _OF_PROVIDERS:
        return Failure(str(error), OUT_OF_REACH)
    if isinstance(error, TripodError | FlowError):
        return Failure(str(error))
    if isinstance(error, OSError) and error.strerror and error.errno != errno.EPIPE:  # a pipe that was closed is no failure
        return Failure(f"{error.filename}: {error.strerror}" if error.filename else error.strerror)
    return None


def is_denied(error: ClientError) -> bool:
    """Return True if AWS has refused the call for want of a permission."""
    return error.response["Error"]["Code"].startswith(_DENIED)


def _of_answer(error: ClientError) -> Failure:
    code = error.response["Error"]["Code"]
    call = f"{error.operation_name} ({code})"
    if is_denied(error):
        text = f"your credentials may not do this: {call}. docs/command.md says what each command needs"
    elif code.startswith(SIGNED_OUT):
        text = (
            f"AWS takes your credentials for expired or wrong: {call}. Sign in again (aws sso login), or choose another --profile"
        )
    else:
        text = f"AWS refused a call: {call}. `tripod doctor` says what is wrong with the stack"
    return Failure(text, OUT_OF_REACH)


def _of_sdk(error: Exception) -> str:
    return next((text for kinds, text in _SDK if isinstance(error, kinds)), f"AWS could not be asked: {type(error).__name__}")
