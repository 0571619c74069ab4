"""What legs of the room are about: the subjects under which runs are found again, and the hosts on which anything may be done."""

from appconf.models import Environment
from appconf.vouching import hosts_of
from tasks.models import Run

SUBJECT = "delivery.deploy:"
LOOK = "delivery.environment:"
# Checks that somebody wants before there is a deploy (planning/preflight.py).
CHECK = "delivery.check:"
# Comparing all files of what is live (safety/deep_look.py), and bad marks (safety/marks.py).
DEEP = "delivery.compare:"
MARK = "delivery.mark:"
# Taking the lock of a host away (safety/host_locks.py).
HOST_LOCK = "delivery.lock:"
# The subjects of legs that are about an environment, and no deploy.
OF_ENVIRONMENTS = (LOOK, DEEP, MARK, CHECK, HOST_LOCK)
# No key of a row has more digits.
DIGITS = 18


def number_in(subject: str, start: str) -> int | None:
    """Give the number behind the beginning of a subject; None where that is another one."""
    number = subject.removeprefix(start)
    is_number = number.isascii() and number.isdecimal() and len(number) <= DIGITS
    return int(number) if subject.startswith(start) and is_number else None


def last_ended(subject: str) -> int:
    """Give the key of the last run about a subject that has ended; 0 where there is none: what is asked again goes by it."""
    rows = Run.objects.filter(subject=subject, ended_at__isnull=False).order_by("-pk")
    return rows.values_list("pk", flat=True).first() or 0


def vouched(environment: Environment) -> set[int]:
    """Give the hosts of an environment for which somebody vouches."""
    return {host.pk for host in hosts_of(environment)}
