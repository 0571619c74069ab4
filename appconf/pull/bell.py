"""Rings when configuration changes: whoever waits for it looks again. A bell that is not heard costs time only."""

from collections.abc import Iterable

from django.db import transaction

from adminset.redis_door import publish

CHANNEL = "adminset:config:changed"
# For what concerns every project.
ALL = "*"


def ring(projects: Iterable[str]) -> None:
    """Tell who waits, once the transaction is written.

    Args:
        projects: codes of the projects whose configuration changed; `ALL` for every one.
    """
    codes = sorted(set(projects))

    def tell() -> None:
        for code in codes:
            publish(CHANNEL, code)

    if codes:
        transaction.on_commit(tell)
