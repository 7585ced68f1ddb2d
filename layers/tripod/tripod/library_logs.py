"""Keep what the libraries log out of every log: tokens, signatures, URLs with their queries, a provider's own text."""

import logging

LIBRARIES = ("requests_oauthlib", "oauthlib", "requests", "urllib3", "charset_normalizer", "botocore", "boto3")


class _Withhold(logging.Handler):
    """Forwards to the root logger that a library has logged something, and where: not the text, which may quote anything."""

    def emit(self, record: logging.LogRecord) -> None:
        """Pass a record without ``record``'s text to the root logger's handlers, if its level is enabled there."""
        root = logging.getLogger()
        if root.isEnabledFor(record.levelno):
            text = f"a message of {record.name} is withheld: {record.module}, line {record.lineno}"
            root.handle(
                logging.LogRecord(record.name, record.levelno, record.pathname, record.lineno, text, None, None, record.funcName)
            )


def withhold_texts() -> None:
    """Withhold the texts of the libraries' log records; drop those below WARNING. Calling it again changes nothing.

    A level on these loggers is not enough: a child logger (``botocore.parsers``) set to DEBUG would still reach the root's
    handlers. So they do not propagate, and a handler forwards the place of WARNING and above: even a warning of urllib3's
    ("Failed to parse headers") quotes the URL and the response.
    """
    for name in LIBRARIES:
        logger = logging.getLogger(name)
        if not any(isinstance(handler, _Withhold) for handler in logger.handlers):
            logger.addHandler(_Withhold(logging.WARNING))
        logger.propagate = False
        logger.setLevel(max(logger.level, logging.WARNING))
