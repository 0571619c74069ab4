"""Asks the workers of a site for the key that a host there shows: the portal itself may not reach it."""

import json
import secrets
import time

import redis
from celery import current_app
from django.conf import settings
from django.utils.translation import gettext as _
from kombu.exceptions import OperationalError

from adminset import redis_door
from adminset.errors import Unavailable
from cmdb.models import Host
from tasks.models import Site
from tasks.services.waiting import ASKED, workers_of
from tasks.sites.signs import nobody_words
from tasks.targets import HostKey

TASK = "tasks.tell_host_key"
# What the way to the worker and back takes at most, besides the connection to the host.
WAY_SECONDS = 5
LOOK_SECONDS = 0.1


def ask_site(site: Site, host: Host) -> HostKey:
    """Have a worker of a site read the key of a host, and wait for it.

    Raises:
        Unavailable: no worker answers in time, or the host does not answer it.
    """
    if redis_door.noted(ASKED) and not workers_of(site.queue):
        raise Unavailable(nobody_words(site.queue), code="no_worker")
    seconds = settings.RUN_CONNECT_TIMEOUT_SECONDS + WAY_SECONDS
    ticket = secrets.token_hex(16)
    try:
        current_app.send_task(
            TASK, (host.pk, site.queue, ticket), queue=site.queue, expires=seconds
        )
    except (OperationalError, redis.RedisError, OSError) as error:
        raise Unavailable(_("The dispatcher (Redis) cannot be reached.")) from error
    return _read(_wait(site, ticket, seconds))


def _wait(site: Site, ticket: str, seconds: float) -> str:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if answer := redis_door.noted(_place(ticket)):
            return answer
        time.sleep(LOOK_SECONDS)
    words = _("No worker of %(site)s answered within %(seconds)s s.")
    raise Unavailable(
        words % {"site": site, "seconds": int(seconds)},
        _("All of them may be busy: try it again, or start one more."),
        code="no_answer",
    )


def _read(answer: str) -> HostKey:
    told = json.loads(answer)
    if "key" in told:
        return HostKey.parse(str(told["key"]))
    raise Unavailable(str(told["message"]), str(told["hint"]), code="unreachable")


def tell(ticket: str, *, key: str = "", message: str = "", hint: str = "") -> None:
    """Answer: the key, or why there is none."""
    told = {"key": key} if key else {"message": message, "hint": hint}
    redis_door.note(_place(ticket), json.dumps(told), 60)


def _place(ticket: str) -> str:
    return f"host-key:{ticket}"
