"""Logging to stderr in key=value lines; foreign text is made harmless first."""

import json
import logging
import sys
import time
from typing import Optional

SENTENCE_LIMIT = 300


class LowerFormatter(logging.Formatter):
    """time=... level=... event=...: one line a record, UTC."""

    def converter(self, seconds: Optional[float]) -> time.struct_time:
        return time.gmtime(seconds)

    def format(self, record: logging.LogRecord) -> str:
        record.levelname = record.levelname.lower()
        return super().format(record)


def configure(level: str) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        LowerFormatter(
            "time=%(asctime)s level=%(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%SZ"
        )
    )
    logger = logging.getLogger("agent")
    logger.handlers[:] = [handler]
    logger.setLevel(level.upper())
    logger.propagate = False


def clean(text: object, limit: int = SENTENCE_LIMIT) -> str:
    """Foreign text without control characters, cut to `limit` characters."""
    head = str(text)[: limit * 4]
    return "".join(c if c.isprintable() else " " for c in head)[:limit].strip()


def quoted(text: object) -> str:
    """Foreign text as the value of a key=value pair."""
    return json.dumps(clean(text), ensure_ascii=False)
