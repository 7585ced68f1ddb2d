"""Keep the libraries' DEBUG lines out of every log: they contain tokens, signatures and secrets."""

import logging

LIBRARIES = ("requests_oauthlib", "oauthlib", "urllib3", "botocore", "boto3")


class _ForwardToRoot(logging.Handler):
    """Forwards records of INFO and above to the root logger."""

    def emit(self, record: logging.LogRecord) -> None:
        """Pass ``record`` to the root logger's handlers if its level is enabled there (in Lambda: WARNING and above)."""
        root = logging.getLogger()
        if root.isEnabledFor(record.levelno):
            root.handle(record)


def mute_debug() -> None:
    """Drop the libraries' log records below INFO. Calling it again changes nothing.

    A level on these loggers is not enough: a child logger (``botocore.parsers``) set to DEBUG would still reach the root's
    handlers. So they do not propagate, and a handler forwards INFO and above.
    """
    for name in LIBRARIES:
        logger = logging.getLogger(name)
        if not any(isinstance(handler, _ForwardToRoot) for handler in logger.handlers):
            logger.addHandler(_ForwardToRoot(logging.INFO))
        logger.propagate = False
        logger.setLevel(max(logger.level, logging.INFO))
