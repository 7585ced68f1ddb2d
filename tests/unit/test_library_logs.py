import logging
from collections.abc import Iterator

import pytest

from tripod import library_logs


@pytest.fixture
def restored() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in ("", "botocore", "botocore.parsers")]
    handlers = logging.getLogger().handlers[:]
    levels = [logger.level for logger in loggers]
    yield
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)
    logging.getLogger().handlers[:] = handlers


class Heard(logging.Handler):
    """A handler of the root logger, as Lambda's own is."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@pytest.mark.usefixtures("restored")
def test_texts_of_the_libraries_go_nowhere_whatever_their_loggers_are_set_to() -> None:
    library_logs.withhold_texts()
    library_logs.withhold_texts()
    logging.getLogger().setLevel(logging.DEBUG)
    heard = Heard()
    logging.getLogger().addHandler(heard)
    for name in ("botocore", "botocore.parsers"):
        logging.getLogger(name).setLevel(logging.DEBUG)
        logging.getLogger(name).debug("the secret is 42")
        logging.getLogger(name).warning("the secret is %s", 42)
    assert [line.rpartition(",")[0] for line in heard.lines] == [
        "a message of botocore is withheld: test_library_logs",
        "a message of botocore.parsers is withheld: test_library_logs",
    ]


@pytest.mark.usefixtures("restored")
def test_what_the_root_logger_does_not_want_it_does_not_get() -> None:
    library_logs.withhold_texts()
    logging.getLogger().setLevel(logging.ERROR)
    heard = Heard()
    logging.getLogger().addHandler(heard)
    logging.getLogger("botocore.credentials").warning("no credentials")
    logging.getLogger("botocore.credentials").error("no credentials at all")
    assert len(heard.lines) == 1
