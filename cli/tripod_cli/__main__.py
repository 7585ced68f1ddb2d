"""``python -m tripod_cli``, and the installed command."""

import os
import sys


def run() -> None:
    """Run the command. The flows log and count as in Lambda, unless told otherwise; here it is the command that says what happens."""
    os.environ |= {"POWERTOOLS_LOG_LEVEL": "CRITICAL", "POWERTOOLS_METRICS_DISABLED": "true"}
    try:
        from tripod_cli.main import main  # noqa: PLC0415  # with it comes all that takes its time, in which Ctrl-C may come

        main(prog_name="tripod")
    except KeyboardInterrupt:
        sys.exit(130)  # as failure.INTERRUPTED, which may not be loaded yet


if __name__ == "__main__":
    run()
