"""Batches: how many hosts a run takes at a time, and which come first."""

import re
from collections.abc import Sequence

from django.conf import settings
from django.utils.translation import gettext as _

from adminset.errors import DomainError
from cmdb.models import Host

WORD = re.compile(r"\A(?P<sign>[*+]?)(?P<number>[0-9]{1,6})(?P<percent>%?)\Z")


def sizes(expression: str, count: int) -> list[int]:
    """Give the size of each batch of `count` hosts: numbers, shares of all hosts, `*2` and `+5` on the one before.

    The last word repeats until no host is left; an empty expression is one batch of all.

    Raises:
        DomainError: the expression cannot be understood; says which word.
    """
    words = expression.replace(",", " ").split()
    steps = [_step(word, first=not at) for at, word in enumerate(words)]
    found: list[int] = []
    left = count
    while left > 0:
        if not steps:
            return [count]
        sign, number, percent = steps[min(len(found), len(steps) - 1)]
        before = found[-1] if found else 0
        if sign == "*":
            size = before * number
        elif sign == "+":
            size = before + number
        else:
            size = -(-count * number // 100) if percent else number
        found.append(min(size, left))
        left -= found[-1]
    return found


def check(expression: str) -> None:
    """Raise DomainError where a batch expression cannot be understood."""
    for at, word in enumerate(expression.replace(",", " ").split()):
        _step(word, first=not at)


def _step(word: str, *, first: bool) -> tuple[str, int, bool]:
    found = WORD.match(word)
    if found is not None:
        sign, number, percent = found["sign"], int(found["number"]), found["percent"]
        whole = bool(percent) and (bool(sign) or number > 100)
        if number and not whole and not (first and sign):
            return sign, number, bool(percent)
    message = _("%(word)s is no size of a batch.") % {"word": repr(word)[:40]}
    hint = _(
        "Write numbers of hosts, shares of all or steps, such as `1 10% 50%` or `1 *2`."
    )
    raise DomainError(message, hint, fields={"batches": f"{message} {hint}"})


def assign(expression: str, hosts: Sequence[Host]) -> list[tuple[Host, int]]:
    """Give each host its batch, counted from 0, in the order given."""
    numbers = [
        number
        for number, size in enumerate(sizes(expression, len(hosts)))
        for _host in range(size)
    ]
    return list(zip(hosts, numbers, strict=True))


def default_batches(hosts: Sequence[Host]) -> str:
    """Give the batches that are proposed where a target is critical: one host first, then more."""
    return settings.RUN_CRITICAL_BATCHES if len(hosts) > 1 else ""


def critical_last(hosts: Sequence[Host]) -> list[Host]:
    """Put the hosts that the CMDB calls critical behind the others: what goes wrong goes wrong elsewhere first."""
    links = Host.tags.through.objects.filter(
        host__in=[host.pk for host in hosts], tag__name__in=settings.RUN_CRITICAL_TAGS
    )
    tagged = set(links.values_list("host_id", flat=True))
    return sorted(hosts, key=lambda host: host.pk in tagged or _has_field(host))


def _has_field(host: Host) -> bool:
    custom = host.custom if isinstance(host.custom, dict) else {}
    rules = (rule.partition("=") for rule in settings.RUN_CRITICAL_FIELDS)
    return any(
        str(custom.get(key.strip(), "")).lower() == value.strip().lower()
        for key, _equals, value in rules
    )
