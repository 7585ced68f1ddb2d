"""Keeps the libraries' DEBUG lines out of every log: they print tokens, signatures and secrets."""

import logging

LOUD = ("requests_oauthlib", "oauthlib", "urllib3", "botocore", "boto3")


class _Upwards(logging.Handler):
    """Hands records of INFO and above on to the root logger, whatever level the loggers below are set to."""

    def emit(self, record: logging.LogRecord) -> None:
        """Pass ``record`` to the root logger's handlers, if the root logger takes its level (in Lambda: WARNING and above)."""
        root = logging.getLogger()
        if root.isEnabledFor(record.levelno):
            root.handle(record)


def mute_debug() -> None:
    """Cut the libraries' loggers off below INFO; doing it again changes nothing.

    A level alone would not hold: whoever sets a child logger (``botocore.parsers``) to DEBUG would hear it all. So their
    records end at a gate that only INFO and above pass.
    """
    for name in LOUD:
        logger = logging.getLogger(name)
        if not any(isinstance(handler, _Upwards) for handler in logger.handlers):
            logger.addHandler(_Upwards(logging.INFO))
        logger.propagate = False
        logger.setLevel(max(logger.level, logging.INFO))
