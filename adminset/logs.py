"""Log lines: key=value, one line each, with the request's id."""

import logging

from adminset.context import current


class RequestFilter(logging.Filter):
    """Put the request's id on each record."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep every record."""
        record.request_id = current.get().request_id or "-"
        return True


class LineFormatter(logging.Formatter):
    """`time level logger request=id message`, control characters escaped so that a hostile text cannot forge a line."""

    def __init__(self) -> None:
        super().__init__(
            "%(asctime)s %(levelname)s %(name)s request=%(request_id)s %(message)s"
        )

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Escape what could start a new line or drive a terminal."""
        line = super().formatMessage(record)
        return "".join(
            char if char.isprintable() else repr(char)[1:-1] for char in line
        )
