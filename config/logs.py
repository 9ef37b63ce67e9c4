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


class RefusalsAsInformation(logging.Filter):
    """Lowers to INFO what Django says about requests that were refused, as their clients are told:
    with a status from 400 to 499 for what a client did wrong; with 507 where the disk is nearly
    full, which is a WARNING at most once a minute, for somebody should look.
    """

    WARNING_SECONDS = 60

    def __init__(self) -> None:
        super().__init__()
        self._warned = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        status = getattr(record, "status_code", 0)
        if status == 507 and record.created - self._warned >= self.WARNING_SECONDS:
            self._warned = record.created
            lower(record, logging.WARNING)
        elif status == 507 or 400 <= status < 500:
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


def lower(record: logging.LogRecord, level: int = logging.INFO) -> None:
    """Makes the record one of that level, unless it is below that."""
    if record.levelno > level:
        record.levelno, record.levelname = level, logging.getLevelName(level)
