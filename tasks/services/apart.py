"""Looking at many things one after the other: one that goes wrong does not keep the others from their turn."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import InterfaceError, OperationalError

logger = logging.getLogger(__name__)


@contextmanager
def apart(what: str) -> Iterator[None]:
    """Log what goes wrong with one thing and go on with the next; only a database that is away ends it all."""
    try:
        yield
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        logger.exception("%s could not be looked at; the others have their turn", what)
