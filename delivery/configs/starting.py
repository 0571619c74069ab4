"""How a push or a reading comes to be: its row, the lock, and the leg with texts that were filled in before."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from adminset.errors import Conflict
from appconf.config.rendering import HostTexts
from appconf.models import Environment
from delivery.configs.holding import hold
from delivery.configs.judging import subject_of
from delivery.configs.programs import Load, program
from delivery.configs.pushed import sealed_of
from delivery.models import ConfigPush, ConfigPushHost
from delivery.safety.locks import ensure_free
from tasks.legs.asking import Leg, request_leg, send_leg

Kind = ConfigPush.Kind


@dataclass(frozen=True)
class Ready:
    """What goes to hosts, filled in before anything is locked.

    Attributes:
        files: as the row of a push keeps them, in the order of the load. rows: the hosts, not written yet and without their push.
    """

    files: list[dict[str, Any]]
    load: Load
    rows: Sequence[ConfigPushHost]


def ready(
    kind: str, files: list[dict[str, Any]], load: Load, texts: Sequence[HostTexts]
) -> Ready:
    """Make all that is slow before the transaction: hashes of the texts, and the secrets that stand in each."""
    return Ready(files, load, [_row(kind, each) for each in texts])


def is_large(texts: int) -> bool:
    """Say whether so many texts (hosts times files) are filled in by a worker, not while somebody waits for a page."""
    return texts > settings.CONFIG_PUSH_AT_ONCE


def alone_in(environment: Environment) -> Environment:
    """Let one at a time work on the files of an environment; whoever asks at the same moment waits for the row, which is given as it is now.

    Raises:
        Conflict (code "busy"): a push or a reading goes on.
    """
    locked = Environment.objects.select_for_update(of=("self",))
    fresh = locked.select_related("project").filter(pk=environment.pk).first()
    rows = ConfigPush.objects.filter(environment=environment)
    going = rows.filter(status=ConfigPush.Status.RUNNING).first()
    if going is not None:
        words = _("%(push)s of %(who)s is still running.")
        raise Conflict(
            words % {"push": going, "who": going.requested_by_name},
            _("Wait until it has ended, or cancel it."),
            code="busy",
        )
    if fresh is None:
        raise Conflict(_("The environment is not there any more."), code="gone")
    return fresh


def write(
    actor: Any,
    environment: Environment,
    kind: str,
    files: Sequence[dict[str, Any]],
    **fields: Any,
) -> ConfigPush:
    """Write down a push, which takes the lock of its environment, or a reading, which needs none.

    Raises:
        Conflict (code "locked"): somebody holds the environment.
    """
    if kind == Kind.PUSH:
        ensure_free(environment)
    person = actor if getattr(actor, "pk", None) else None
    token = getattr(actor, "token", None)
    push = ConfigPush.objects.create(
        environment=environment,
        kind=kind,
        files=list(files),
        requested_by=person,
        requested_by_name=actor.audit_name[:150],
        token=token,
        by_token=token is not None,
        **fields,
    )
    if kind == Kind.PUSH:
        hold(push)
        push.save(update_fields=["lock", "updated_at"])
    return push


def begin(actor: Any, push: ConfigPush, what: Ready) -> None:
    """Hand a push over to the run engine."""
    for row in what.rows:
        row.push = push
    ConfigPushHost.objects.bulk_create(what.rows)
    words = _("Push configuration: %(where)s")
    if push.kind == Kind.READ:
        words = _("Read configuration back: %(where)s")
    leg = Leg(
        title=words % {"where": push.environment},
        purpose=f"config.{push.kind}",
        program=program(push.kind),
        values=what.load.values,
        host_values=what.load.hosts,
        host_secret_values={pk: own for pk, own in what.load.secret.items() if own},
        host_ids=tuple(row.host_id for row in what.rows if row.host_id),
        forks=settings.CONFIG_PUSH_FORKS,
        timeout_seconds=settings.CONFIG_PUSH_SECONDS,
        subject=subject_of(push),
    )
    push.run = request_leg(actor=actor, leg=leg, key=f"config.push.{push.pk}")
    push.files = what.files
    push.save(update_fields=["run", "files", "updated_at"])
    send_leg(push.run)


def _row(kind: str, texts: HostTexts) -> ConfigPushHost:
    files = {str(pk): {"sha256": one.sha256} for pk, one in texts.files.items()}
    return ConfigPushHost(
        host=texts.host,
        host_name=texts.host.hostname,
        files=files,
        secrets=sealed_of(texts) if kind == Kind.PUSH else "",
    )
