"""``python -m tripod_cli``, and the installed command."""

import os

from tripod_cli.main import main


def run() -> None:
    """Run the command. The flows log and count as in Lambda, unless told otherwise; here it is the command that says what happens."""
    os.environ |= {"POWERTOOLS_LOG_LEVEL": "CRITICAL", "POWERTOOLS_METRICS_DISABLED": "true"}
    main(prog_name="tripod")


if __name__ == "__main__":
    run()
