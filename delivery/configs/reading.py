"""Asks for files of configuration to be read back from hosts; nothing is changed there."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction

from adminset import audit
from appconf.models import Environment
from appconf.vouching import ensure_may_deploy
from delivery.configs import preparing
from delivery.configs.drift import READER
from delivery.configs.starting import alone_in, begin, is_large, write
from delivery.models import ConfigPush


def request_read(
    *,
    actor: Any,
    environment: Environment,
    file_ids: Sequence[int] | None = None,
) -> ConfigPush:
    """Read the files of an environment back from its hosts; what belongs there is filled in before anything is locked.

    Args:
        actor: a person who may deploy there, or the portal itself (READER). file_ids: only these files; None: all.

    Raises:
        Forbidden: the actor may not deploy there. Conflict: there is nothing to read, or a push or reading goes on.
    """
    if actor is not READER:
        ensure_may_deploy(actor, environment)
    listed = preparing.readable(actor, environment, file_ids)
    what = None
    # The portal's own readings are asked for by a worker already.
    if actor is READER or not is_large(listed.size):
        what = preparing.ready_read(listed)
    with transaction.atomic():
        fresh = alone_in(environment)
        push = write(actor, fresh, ConfigPush.Kind.READ, listed.files_told())
        if what is None:
            preparing.call(push)
        else:
            begin(actor, push, what)
        if actor is not READER:
            audit.record(actor, "configpush.read", push)
    return push
