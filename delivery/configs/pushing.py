"""Asks for a push of configuration, and for reading it back: written down, handed to the run engine, on the trail."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import audit
from adminset.errors import Conflict, DomainError
from adminset.querysets import may
from appconf.config.questions import files_of, in_force, path_in
from appconf.config.rendering import HostTexts, for_hosts
from appconf.models import ConfigFile, ConfigVersion, Environment
from appconf.vouching import ensure_may_deploy, hosts_of
from cmdb.models import Host
from delivery.configs.drift import READER
from delivery.configs.holding import hold
from delivery.configs.judging import subject_of
from delivery.configs.planning import ConfigPlan, make_plan
from delivery.configs.programs import (
    MOST_FILES,
    Load,
    Placed,
    program,
    push_load,
    read_load,
)
from delivery.configs.pushed import places, sealed_of, still_there, with_former
from delivery.models import ConfigPush, ConfigPushHost
from delivery.safety.locks import ensure_free
from tasks.legs.asking import Leg, cancel_leg, request_leg, send_leg

Kind = ConfigPush.Kind


@transaction.atomic
def request_push(
    *,
    actor: Any,
    environment: Environment,
    plan_hash: str,
    reason: str = "",
    file_ids: Sequence[int] | None = None,
) -> ConfigPush:
    """Bring the files of an environment that are in force to its hosts, as a person saw it in a plan and said yes to.

    Args:
        plan_hash: of that plan. file_ids: only these files; None: all.

    Raises:
        Forbidden: the actor may not deploy there. Conflict: something changed since the plan, a file cannot be filled in,
            another push goes on, or the environment is locked.
    """
    ensure_may_deploy(actor, environment)
    _ensure_alone(environment)
    ensure_free(environment)
    plan = make_plan(actor, environment, file_ids)
    if plan.problems:
        raise Conflict(
            _("Not all files can be filled in."),
            " ".join(plan.problems[:5]),
            code="template",
        )
    if plan.hash != plan_hash:
        raise Conflict(
            _("Something changed since you looked."),
            _("Look at the plan again and say yes to that."),
            code="stale",
        )
    push = _write(actor, environment, Kind.PUSH, plan.placed, _versions(plan), reason)
    push.plan_hash = plan.hash
    hold(actor, push)
    stamp = timezone.now().strftime("%Y%m%d-%H%M%S")
    load = push_load(push.pk, plan.placed, plan.texts, stamp)
    _begin(actor, push, load, plan.texts, urgent=False)
    _record(actor, push, plan)
    return push


@transaction.atomic
def request_read(
    *,
    actor: Any,
    environment: Environment,
    file_ids: Sequence[int] | None = None,
    host_ids: Sequence[int] | None = None,
) -> ConfigPush:
    """Read the files of an environment back from its hosts; nothing is changed there.

    Args:
        actor: a person who may deploy there, or the portal itself (READER).

    Raises:
        Forbidden: the actor may not deploy there. Conflict: there is nothing to read, or a push or reading goes on.
    """
    if actor is not READER:
        ensure_may_deploy(actor, environment)
    _ensure_alone(environment)
    files = _readable(environment, file_ids)
    known = places(environment, [one.file.pk for one in files])
    if actor is READER:
        # What somebody names as a path is read for him only where it was brought by who may.
        files = still_there(files, known)
    hosts = hosts_of(environment).order_by("hostname", "pk")
    listed = list(hosts if host_ids is None else hosts.filter(pk__in=list(host_ids)))
    if not files or not listed:
        raise Conflict(
            _("There is nothing to read back here."),
            _("It takes a file with a version in force, and a host."),
            code="nothing_to_read",
        )
    force = in_force([one.file for one in files])
    texts = for_hosts(force.values(), environment, listed, reveal=True)
    texts = [each for each in texts if not each.problems]
    if not texts:
        raise Conflict(_("No file can be filled in for its hosts."), code="template")
    push = _write(actor, environment, Kind.READ, files, force, "")
    load = read_load(files, with_former(environment, texts), known)
    _begin(actor, push, load, texts, urgent=False)
    if actor is not READER:
        audit.record(actor, "configpush.read", push)
    return push


@transaction.atomic
def cancel_push(*, actor: Any, push: ConfigPush) -> None:
    """Stop a push or a reading that goes on; what is in place stays there.

    Raises:
        Forbidden: the actor may not deploy there. Conflict: it has ended.
    """
    ensure_may_deploy(actor, push.environment)
    if push.status != ConfigPush.Status.RUNNING or push.run is None:
        raise Conflict(_("It has ended already."), code="ended")
    cancel_leg(actor=actor, run=push.run)
    audit.record(actor, "configpush.cancel", push)


def _ensure_alone(environment: Environment) -> None:
    """Let one at a time work on the files of an environment; whoever asks at the same moment waits for the row."""
    Environment.objects.select_for_update().filter(pk=environment.pk).first()
    rows = ConfigPush.objects.filter(environment=environment)
    going = rows.filter(status=ConfigPush.Status.RUNNING).first()
    if going is not None:
        words = _("%(push)s of %(who)s goes on.")
        raise Conflict(
            words % {"push": going, "who": going.requested_by_name},
            _("Wait until it has ended, or cancel it."),
            code="busy",
        )


def _readable(environment: Environment, file_ids: Sequence[int] | None) -> list[Placed]:
    listed = files_of(environment)
    if file_ids is not None:
        listed = [file for file in listed if file.pk in set(file_ids)]
    force, found = in_force(listed), []
    for file in listed:
        try:
            found += [Placed(file, path_in(file, environment))]
        except DomainError:
            # Its page says that it has no absolute path.
            continue
    return [one for one in found if one.file.pk in force][:MOST_FILES]


def _versions(plan: ConfigPlan) -> dict[int, ConfigVersion]:
    return {one.file.pk: one.version for one in plan.files}


def _write(
    actor: Any,
    environment: Environment,
    kind: ConfigPush.Kind,
    placed: Sequence[Placed],
    versions: dict[int, ConfigVersion],
    reason: str,
) -> ConfigPush:
    person = actor if getattr(actor, "pk", None) else None
    return ConfigPush.objects.create(
        environment=environment,
        kind=kind,
        files=[_told(one.file, versions[one.file.pk], one.path) for one in placed],
        reason=reason[:250],
        requested_by=person,
        requested_by_name=actor.audit_name[:150],
    )


def _told(file: ConfigFile, version: ConfigVersion, path: str) -> dict[str, Any]:
    return {
        "file": file.pk,
        "name": file.name,
        "version": version.pk,
        "number": version.number,
        "path": path,
    }


def _begin(
    actor: Any,
    push: ConfigPush,
    load: Load,
    texts: Sequence[HostTexts],
    *,
    urgent: bool,
) -> None:
    ConfigPushHost.objects.bulk_create([_row(push, each) for each in texts])
    words = _("Push configuration: %(where)s")
    if push.kind == Kind.READ:
        words = _("Read configuration back: %(where)s")
    leg = Leg(
        title=words % {"where": push.environment},
        purpose=f"config.{push.kind}",
        program=program(push.kind),
        values=load.values,
        host_values=load.hosts,
        host_secret_values={pk: own for pk, own in load.secret.items() if own},
        host_ids=tuple(each.host.pk for each in texts),
        forks=settings.CONFIG_PUSH_FORKS,
        timeout_seconds=settings.CONFIG_PUSH_SECONDS,
        urgent=urgent,
        subject=subject_of(push),
    )
    push.run = request_leg(actor=actor, leg=leg, key=f"config.push.{push.pk}")
    push.save(update_fields=["run", "lock", "plan_hash", "updated_at"])
    send_leg(push.run)


def _row(push: ConfigPush, texts: HostTexts) -> ConfigPushHost:
    host: Host = texts.host
    files = {str(pk): {"sha256": one.sha256} for pk, one in texts.files.items()}
    return ConfigPushHost(
        push=push,
        host=host,
        host_name=host.hostname,
        files=files,
        secrets=sealed_of(texts) if push.kind == Kind.PUSH else "",
    )


def _record(actor: Any, push: ConfigPush, plan: ConfigPlan) -> None:
    told = {
        "files": [f"{one['path']} v{one['number']}" for one in push.files],
        "hosts": len(plan.texts),
        "reload_commands": plan.reloads,
    }
    changes = [{"field": name, "old": None, "new": told[name]} for name in told]
    audit.record(actor, "configpush.start", push, changes=changes, reason=push.reason)


def may_push(user: Any, environment: Environment) -> bool:
    """Say whether a user may push to an environment, or read back from it."""
    return may(user, "deploy", environment)
