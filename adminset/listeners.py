"""Tells what happened to whoever joined in to hear of it, once it is written down."""

import logging
from collections.abc import Callable, Iterable
from functools import partial

from django.db import transaction

logger = logging.getLogger(__name__)


def tell_later(listeners: Iterable[Callable[[int], None]], pk: int) -> None:
    """Call each with the key of a row once this transaction is written; one that breaks does not keep it from the others.

    Not `on_commit(..., robust=True)`: Django 5.2 asks what breaks for its name, and a partial function has none.
    """
    transaction.on_commit(partial(_tell, list(listeners), pk))


def _tell(listeners: Iterable[Callable[[int], None]], pk: int) -> None:
    for each in listeners:
        try:
            each(pk)
        except Exception:
            logger.exception("%s broke when it was told of %s", each, pk)
