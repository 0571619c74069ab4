"""A revert that takes long: a worker does it in one transaction, and a page says how far it is."""

import logging
import time
import uuid
from typing import Any

from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.utils import translation
from django.utils.translation import gettext as _

from adminset import context
from adminset.crud.revert import revert
from adminset.errors import DomainError

logger = logging.getLogger(__name__)

KEPT_SECONDS = 24 * 3600
# A worker says each second how far it is; one that has been silent for so long is lost.
LOST_SECONDS = 120
EVERY_SECONDS = 1.0
OPEN = ("waiting", "running")


def note(user: Any, *, pk: int, whole: bool, reason: str, total: int) -> str:
    """Write down what is asked of a worker, and give the name under which its page asks how far it is."""
    key = uuid.uuid4().hex
    here = context.current.get()
    job = {
        "user": user.pk,
        "pk": pk,
        "whole": whole,
        "reason": reason,
        "language": translation.get_language(),
        "request_id": here.request_id,
        "address": here.address,
        "state": "waiting",
        "done": 0,
        "total": total,
        "message": "",
    }
    _keep(key, job)
    return key


def state_of(key: str, user: Any) -> dict[str, Any] | None:
    """Say how far a job is, to whoever asked for it; None to others, and when it is long over."""
    job: dict[str, Any] | None = cache.get(_name(key))
    if job is None or job["user"] != user.pk:
        return None
    if job["state"] in OPEN and time.time() - job["at"] > LOST_SECONDS:
        job |= {
            "state": "lost",
            "message": _(
                "No worker has said anything for a while. Look at the history before you try again."
            ),
        }
    return job | {"open": job["state"] in OPEN}


def do(key: str) -> None:
    """Do a job that was noted; a second time finds nothing left to take back."""
    job = cache.get(_name(key))
    user = get_user_model().objects.filter(pk=job["user"]).first() if job else None
    if job is None or user is None or job["state"] != "waiting":
        return
    here = context.RequestContext(job["request_id"], job["address"])
    token = context.current.set(here)
    try:
        with translation.override(job["language"]):
            _work(key, job, user)
    finally:
        context.current.reset(token)


def _work(key: str, job: dict[str, Any], user: Any) -> None:
    _keep(key, job | {"state": "running"})
    told = time.monotonic()

    def progress(done: int, total: int) -> None:
        nonlocal told
        if time.monotonic() - told >= EVERY_SECONDS:
            told = time.monotonic()
            _keep(key, job | {"state": "running", "done": done, "total": total})

    wanted = {name: job[name] for name in ("pk", "whole", "reason")}
    try:
        done = revert(user=user, progress=progress, **wanted)
    except DomainError as error:
        _keep(
            key, job | {"state": "refused", "message": f"{error.message} {error.hint}"}
        )
    except Exception:
        logger.exception("revert of line %s failed", job["pk"])
        said = _("It failed, and nothing was changed. The log says why.")
        _keep(key, job | {"state": "failed", "message": said})
    else:
        _keep(key, job | {"state": "done", "done": done.total, "total": done.total})


def _keep(key: str, job: dict[str, Any]) -> None:
    cache.set(_name(key), job | {"at": time.time()}, KEPT_SECONDS)


def _name(key: str) -> str:
    return f"revert:{key}"
