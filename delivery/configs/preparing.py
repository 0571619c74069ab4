"""Fills in what goes to hosts: at once, or, for very many hosts and files, by a worker while the page of the push says so."""

import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from redis import RedisError

from adminset.calling import send_later
from adminset.errors import Conflict, DomainError
from appconf.config.questions import files_of, in_force, path_in
from appconf.config.rendering import for_hosts
from appconf.models import ConfigVersion, Environment
from appconf.vouching import ensure_may_deploy, hosts_of
from cmdb.models import Host
from delivery.configs.drift import READER
from delivery.configs.ending import give_up
from delivery.configs.frames import Frame, frame_of, row_of
from delivery.configs.planning import filled_in
from delivery.configs.programs import MOST_FILES, Placed, push_load, read_load
from delivery.configs.pushed import places, still_there, with_former
from delivery.configs.starting import Ready, begin, ready
from delivery.configs.windows import pass_windows
from delivery.models import ConfigPush
from delivery.safety.rights import limit_by

PREPARE = "delivery.prepare_push"
# For so long another worker leaves a push to the one that fills it in; after it that one counts as lost.
CLAIMED_SECONDS = 600
Kind = ConfigPush.Kind
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Readable:
    """What can be read back: files, the version of each that is in force, hosts."""

    environment: Environment
    files: Sequence[Placed]
    force: Mapping[int, ConfigVersion]
    hosts: Sequence[Host]

    @property
    def size(self) -> int:
        """How many texts are to be filled in."""
        return len(self.files) * len(self.hosts)

    def files_told(self) -> list[dict[str, Any]]:
        """Give the files as the row of a reading keeps them."""
        return [row_of(one, self.force[one.file.pk]) for one in self.files]


def ready_push(actor: Any, frame: Frame, plan_hash: str | None) -> Ready:
    """Fill in a push that somebody said yes to; None: to whatever its plan is now.

    Raises:
        Conflict: it is another one by now, or a file cannot be filled in.
    """
    plan = filled_in(actor, frame)
    if plan.problems:
        raise Conflict(
            _("Not all files can be filled in."),
            " ".join(plan.problems[:5]),
            code="template",
        )
    if plan_hash is not None and plan.hash != plan_hash:
        raise stale()
    stamp = timezone.now().strftime("%Y%m%d-%H%M%S")
    load = push_load(plan.placed, plan.texts, stamp)
    return ready(Kind.PUSH, frame.files_told(), load, plan.texts)


def stale() -> Conflict:
    """Say that a plan is not what somebody said yes to any more."""
    return Conflict(
        _("Something changed since you looked."),
        _("Look at the plan again and say yes to that."),
        code="stale",
    )


def readable(
    actor: Any, environment: Environment, file_ids: Sequence[int] | None
) -> Readable:
    """List what can be read back of some files (None: all).

    Raises:
        Conflict: nothing.
    """
    listed = files_of(environment)
    if file_ids is not None:
        listed = [file for file in listed if file.pk in set(file_ids)]
    force, files = in_force(listed), []
    for file in listed:
        try:
            files += [Placed(file, path_in(file, environment))]
        except DomainError:
            # Its page says that it has no absolute path.
            continue
    files = [one for one in files if one.file.pk in force][:MOST_FILES]
    if actor is READER:
        # What somebody names as a path is read for him only where it was brought by who may.
        files = still_there(files, places(environment, [one.file.pk for one in files]))
    hosts = list(hosts_of(environment).order_by("hostname", "pk"))
    if not files or not hosts:
        raise Conflict(
            _("There is nothing to read back here."),
            _("It takes a file with a version in force, and a host."),
            code="nothing_to_read",
        )
    own = {one.file.pk: force[one.file.pk] for one in files}
    return Readable(environment, files, own, hosts)


def ready_read(what: Readable) -> Ready:
    """Fill in what belongs on hosts, to be compared there.

    Raises:
        Conflict: no file can be filled in.
    """
    environment, files = what.environment, what.files
    texts = for_hosts(what.force.values(), environment, what.hosts, reveal=True)
    texts = [each for each in texts if not each.problems]
    if not texts:
        raise Conflict(_("No file can be filled in for its hosts."), code="template")
    known = places(environment, [one.file.pk for one in files])
    load = read_load(files, with_former(environment, texts), known)
    return ready(Kind.READ, what.files_told(), load, texts)


def call(push: ConfigPush) -> None:
    """Call a worker to prepare a push once this transaction is written; where Redis is away the sweeper does it later."""
    send_later(PREPARE, push.pk, queue=settings.CELERY_TASK_DEFAULT_QUEUE)


def is_being_prepared(push: ConfigPush) -> bool:
    """Say whether a worker is still to fill in the texts: no host was asked for yet."""
    going = push.status == ConfigPush.Status.RUNNING and push.run_id is None
    return going and not push.hosts.exists()


def prepare(pk: int) -> None:
    """Fill in a push or a reading, and hand it to the run engine; one that cannot be filled in has failed. Twice is once.

    One worker at a time does it. Should another come in between nevertheless, what the first has begun goes on.
    """
    claim = f"delivery:prepare:{pk}"
    try:
        if not cache.add(claim, 1, CLAIMED_SECONDS):
            return
    except RedisError:
        # It only saves work: the row says what was begun.
        logger.warning("push %s: prepared without a claim, Redis is away", pk)
    try:
        _prepare(pk)
    finally:
        with suppress(RedisError):
            cache.delete(claim)


def _prepare(pk: int) -> None:
    rows = ConfigPush.objects.select_related("environment__project", "requested_by")
    push = rows.filter(pk=pk).first()
    if push is None or not is_being_prepared(push):
        return
    try:
        what = _ready(push)
        with transaction.atomic():
            locked = ConfigPush.objects.select_for_update().get(pk=pk)
            if is_being_prepared(locked):
                begin(push.requested_by, locked, what)
    except (OperationalError, InterfaceError):
        # The database is away: the sweep comes again.
        raise
    except DomainError as error:
        give_up(pk, error.sentence, only=is_being_prepared)
    except Exception:
        logger.exception("push %s: could not be prepared", pk)
        words = _("It could not be prepared; the log of the portal says why.")
        give_up(pk, words, only=is_being_prepared)


def _ready(push: ConfigPush) -> Ready:
    actor, environment = push.requested_by, push.environment
    if actor is None or not actor.may_sign_in:
        raise Conflict(_("Whoever asked for it may not sign in any more."))
    if push.by_token:
        limit_by(actor, push.token_id)
    ensure_may_deploy(actor, environment)
    file_ids = [one["file"] for one in push.files]
    if push.kind == Kind.READ:
        return ready_read(readable(actor, environment, file_ids))
    # A freeze may have begun meanwhile, or the right to pass one may be gone.
    pass_windows(actor, environment, push.emergency_reason)
    frame = frame_of(actor, environment, file_ids, push.host_ids or None)
    if frame.files_told() != push.files:
        raise stale()
    return ready_push(actor, frame, push.plan_hash or None)
