"""``python -m sandbox``: the sandbox until Ctrl-C. It prints one line, ``ready {json}``; on stderr are the functions' logs, and
``event {json}`` for each event that they publish.
"""

import argparse
import json
import os
import re
import signal
import sys
import tomllib
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.world import Sandbox

PLAYS = Path(__file__).with_name("provider") / "plays.toml"  # read here: importing the provider takes most of a second
PARAMETERS = {  # the template's, as an operator would choose them who tries everything
    "EnablePin": "true",
    "TokenKey": "on",
    "AlarmTopicArn": "arn:aws:sns:us-east-1:123456789012:operators",
}
CANNOT_START = 2  # exit code if a port is taken or the build is missing; argparse's own for a wrong argument


class _StopSignal:
    """SIGINT or SIGTERM, remembered from now on.

    It raises nothing: an exception out of a signal's handler may come in a destructor, which loses it and prints it.
    """

    def __init__(self) -> None:
        self._received, self._send = os.pipe()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._handle)

    def _handle(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the signature is Python's
        os.write(self._send, b"!")

    def wait(self) -> None:
        """Return when a signal has come."""
        os.read(self._received, 1)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return int(text)


def _app_name(text: str) -> str:
    if len(text) > 60:
        raise argparse.ArgumentTypeError("an app's name has 60 characters at most")
    return text


def _colour(text: str) -> str:
    if not re.fullmatch("#[0-9a-fA-F]{6}", text):
        raise argparse.ArgumentTypeError("a colour is # and six hexadecimal digits, such as #0b57d0")
    return text


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    for server in ("api", "aws", "provider", "lambda"):
        parser.add_argument(f"--{server}-port", type=_port, default=0, metavar="N", help="0, the default: any free port")
    parser.add_argument("--consumer-key", help="of your app at the real X, which then replaces the local provider")
    parser.add_argument("--consumer-secret", help="of the same app")
    told = tomllib.loads(PLAYS.read_text())
    plays = ["x", *(name for name in told if told[name].get("names_user", True))]  # the others begin by direct invocation alone
    parser.add_argument("--provider", choices=plays, default="x", help="whom the provider plays, beside X (never tried live)")
    parser.add_argument("--aws-url", help="an AWS endpoint that is already running, instead of the sandbox's own")
    parser.add_argument("--allowed-return-urls", default="", help="the template's AllowedReturnUrls, beside this machine's")
    parser.add_argument("--app-name", type=_app_name, default="", help="the template's AppName")
    parser.add_argument("--colour", type=_colour, help="the template's Colour, as #rrggbb")
    parser.add_argument("--built", action="store_true", help="run what `make build` has built, in Lambda's own runtime")
    arguments = parser.parse_args()
    if bool(arguments.consumer_key) != bool(arguments.consumer_secret):
        parser.error("--consumer-key and --consumer-secret belong together")
    return arguments


def _print_instructions(sandbox: "Sandbox") -> None:
    """Print to standard error how to sign in, and how other processes reach the sandbox."""
    from sandbox.front_page import exports  # noqa: PLC0415  # loaded by now, with the sandbox

    played = sandbox.play.name != "x"
    print(f"Open {sandbox.api}{sandbox.start_path if played else '/'} and sign in", file=sys.stderr)
    if played or not sandbox.with_real_x:
        for user in sandbox.provider_server.users:
            print(f"  as {user.screen_name}, password {user.password}", file=sys.stderr)
    if sandbox.app:
        print(f"The app at X has the API key {sandbox.app.key} and the API key secret {sandbox.app.secret}", file=sys.stderr)
    print("A script or an app of yours reaches it with this in its terminal:", file=sys.stderr)
    print(exports(sandbox.environment()), file=sys.stderr)
    print("Ctrl-C ends it all.", file=sys.stderr, flush=True)


def main() -> int:
    """Run the sandbox and return the exit code."""
    arguments = _arguments()
    stop = _StopSignal()
    # Only now: these imports take most of a second, in which a signal may come.
    from sandbox.loopback import PortTakenError  # noqa: PLC0415  # after the arguments are read: it takes a second
    from sandbox.runtime.emulator import NotBuiltError  # noqa: PLC0415  # after the arguments are read: it takes a second
    from sandbox.world import Sandbox  # noqa: PLC0415  # after the arguments are read: it takes a second

    parameters = {
        **PARAMETERS,
        "AllowedReturnUrls": arguments.allowed_return_urls,
        "AppName": arguments.app_name,
        **({"Colour": arguments.colour} if arguments.colour else {}),
    }
    consumer = (arguments.consumer_key, arguments.consumer_secret) if arguments.consumer_key else None
    try:
        with Sandbox(
            api_port=arguments.api_port,
            aws_port=arguments.aws_port,
            provider_port=arguments.provider_port,
            lambda_port=arguments.lambda_port,
            aws_url=arguments.aws_url,
            consumer=consumer,
            provider=arguments.provider,
            parameters=parameters,
            built=arguments.built,
            echo=sys.stderr,
            schedules=True,
            any_loopback=True,
        ) as sandbox:
            print("ready", json.dumps(sandbox.ready()), flush=True)
            _print_instructions(sandbox)
            stop.wait()
    except (PortTakenError, NotBuiltError) as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return CANNOT_START
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # everything has ended; the interpreter's own end would take another half second
