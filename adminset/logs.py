"""Log lines: key=value, one line each, with the request's id and without secrets."""

import logging
from types import TracebackType

from adminset.context import current
from adminset.redaction import clean

ExcInfo = (
    tuple[type[BaseException], BaseException, TracebackType | None]
    | tuple[None, None, None]
)


class RequestFilter(logging.Filter):
    """Put the request's id on each record."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep every record."""
        record.request_id = current.get().request_id or "-"
        return True


class LineFormatter(logging.Formatter):
    """`time level logger request=id message`: secrets masked, control characters escaped so that a hostile text cannot forge a line.

    The formatter masks and no filter does: here the message, its arguments and the traceback are one text, and the record
    stays as it is for other handlers.
    """

    def __init__(self) -> None:
        super().__init__(
            "%(asctime)s %(levelname)s %(name)s request=%(request_id)s %(message)s"
        )

    def format(self, record: logging.LogRecord) -> str:
        """Mask once more: another handler may have put its own traceback on the record."""
        return clean(super().format(record))

    def formatException(self, ei: ExcInfo) -> str:  # noqa: N802 - logging's name
        """Mask what exceptions say, the chained ones too: this text stays on the record."""
        return clean(super().formatException(ei))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Escape what could start a new line or drive a terminal, once secrets are masked as they were written."""
        line = clean(super().formatMessage(record))
        return "".join(
            char if char.isprintable() else repr(char)[1:-1] for char in line
        )
