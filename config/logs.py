"""How log records become lines, and which warnings of others are no more than information."""

import logging
import re

# What a program may rely on that reads the lines: time, level, logger, message.
LINE_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"


class IndentingFormatter(logging.Formatter):
    """Indents every line of a record after its first one, tracebacks too. So whoever reads the
    stream can tell where a record begins, and a file name with a line end in it forges none.
    """

    def __init__(self) -> None:
        super().__init__(LINE_FORMAT)

    def format(self, record: logging.LogRecord) -> str:
        return super().format(record).replace("\n", "\n    ")


class AsInformation(logging.Filter):
    """Lowers the records to INFO whose message, before its arguments are filled in, matches
    `pattern` as a whole: the library warns of something that is meant to be so.
    """

    def __init__(self, pattern: str) -> None:
        super().__init__()
        self._pattern = re.compile(pattern, re.DOTALL)

    def filter(self, record: logging.LogRecord) -> bool:
        if self._pattern.fullmatch(str(record.msg)):
            lower(record)
        return True


class ClientErrorsAsInformation(logging.Filter):
    """Lowers to INFO what Django says about requests that it answered with a status from 400 to
    499: the client is told what it did wrong, and nothing is wrong with the service.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if 400 <= getattr(record, "status_code", 0) < 500:
            lower(record)
        return True


class ErrorIdFilter(logging.Filter):
    """Puts the id of an error that nobody expected, which the client was told, into the line that
    Django logs about the request.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        error_id = getattr(getattr(record, "request", None), "error_id", None)
        if error_id is not None:
            record.msg, record.args = f"{record.getMessage()} [error_id {error_id}]", ()
        return True


def lower(record: logging.LogRecord) -> None:
    """Makes the record one of level INFO, unless it is below that."""
    if record.levelno > logging.INFO:
        record.levelno, record.levelname = logging.INFO, "INFO"
