"""Who may run what where: asked when a run is asked for, and when something is saved that will ask for it."""

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from adminset.errors import Conflict, DomainError, Forbidden
from adminset.querysets import everywhere, permission_for
from cmdb.models import Credential, Host
from tasks.ansible_modules import is_control, is_safe
from tasks.library.choosing import ensure_usable
from tasks.models import Playbook, Role, Run, StoredFile, Work
from tasks.selectors import resolve_hosts
from tasks.services.script_lane import environment_name
from tasks.services.shape import check_shape
from tasks.services.specs import RunSpec
from tasks.taskmodules.resolving import resolve

Kind = Work.Kind
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Texts that only the library has; anybody may write a script.
GONE = {Kind.PLAYBOOK: Playbook, Kind.ROLE: Role}


def judge(*, actor: Any, spec: RunSpec) -> list[Host]:
    """Give the hosts that the actor may run this on now, maybe none; a schedule is saved under the same rules.

    Raises:
        Forbidden: the user may not start runs, or not this one: by its module or what it takes from the library, its hosts
            or their credentials.
        DomainError: too many hosts, a variable or an answer that cannot be.
    """
    return judge_resolved(actor, resolve(spec, actor), spec.kind == Kind.TASK_MODULE)


def judge_resolved(actor: Any, spec: RunSpec, by_module: bool) -> list[Host]:
    """The same of a spec whose task module was resolved.

    Args:
        by_module: what it takes from the library was chosen by the task module, not by the actor.
    """
    if not actor.has_perm("tasks.add_run"):
        raise Forbidden(
            _("You may not start runs."),
            _("Ask an administrator for the permission tasks.add_run."),
        )
    _check_module(actor, spec)
    if not by_module:
        _check_library(actor, spec)
    _check_variables(spec)
    check_shape(spec)
    hosts = resolve_hosts(actor, spec.host_ids, spec.group_ids, spec.host_filter)
    _check_hosts(hosts, spec)
    check_credentials(actor, hosts)
    return hosts


def _check_module(actor: Any, spec: RunSpec) -> None:
    """A module that reads or writes on the portal's machine is as good as a playbook: only for who may write those.

    Playbooks have no scope: only who holds the permission everywhere can write one.
    """
    name = spec.module.strip()
    if spec.kind != Kind.MODULE or not name:
        return
    trusted = everywhere(actor, "tasks.add_playbook")
    if is_control(name) or not (is_safe(name) or trusted):
        words = _("The module %(name)s may touch the portal's own machine.")
        raise Forbidden(
            words % {"name": name[:100]},
            _(
                "Use a module that works on the host alone, or ask somebody who may write playbooks."
            ),
            code="module_refused",
        )


def _check_library(actor: Any, spec: RunSpec) -> None:
    """What the library has is run by who may use it, also where a run that is repeated brings its own text."""
    kind = Kind(spec.kind)
    item = {
        Kind.SCRIPT: spec.script,
        Kind.PLAYBOOK: spec.playbook,
        Kind.ROLE: spec.role,
    }.get(kind)
    if item is not None:
        ensure_usable(actor, item)
    elif kind in GONE and spec.playbook_text:
        _ensure_gone_usable(actor, permission_for(GONE[kind], "use"))
    for one in files_of(spec) if kind == Kind.FILES else ():
        ensure_usable(actor, one)


def _ensure_gone_usable(actor: Any, permission: str) -> None:
    """The text of an item that was deleted since is run by who may use such items."""
    if not actor.has_perm(permission):
        raise Forbidden(
            _("What this runs is not in the library any more."),
            _("Ask for the permission to use such items (%(permission)s).")
            % {"permission": permission},
            code="library_refused",
        )


def files_of(spec: RunSpec) -> list[StoredFile]:
    """Give the files of the library that a run brings to hosts.

    Raises:
        DomainError: one of them is not there.
    """
    wanted = [one.get("file") for one in spec.distribution]
    keys = {key for key in wanted if isinstance(key, int)}
    found = StoredFile.objects.in_bulk(keys)
    if len(found) != len(set(wanted)):
        raise DomainError(
            _("A file that should be brought to hosts is not in the library."),
            _("Choose it anew."),
            fields={"distribution": _("Choose files of the library.")},
        )
    return list(found.values())


def _check_variables(spec: RunSpec) -> None:
    """Variables are names for values, and never settings of Ansible: those could turn a run against the portal."""
    for name in (*spec.variables, *spec.secret_answers):
        low = str(name).lower()
        # $ADMINSET_RUN marks the processes of a run: with another value a stop would not find them.
        taken = low.startswith("ansible_") or low == "run"
        if taken or not VARIABLE.fullmatch(str(name)):
            words = _(
                "%(name)s cannot be a variable: letters, digits and _ only, never ansible_ in front, and not run."
            )
            told = words % {"name": repr(name)[:60]}
            raise DomainError(
                told, _("Rename it."), code="bad_variable", fields={"variables": told}
            )
    _check_once(spec)


def _check_once(spec: RunSpec) -> None:
    """A name stands for one value: of two the host would get the one that is not shown to who approves it."""
    in_environment = spec.kind in {Kind.COMMAND, Kind.SCRIPT}
    written = environment_name if in_environment else str
    plain = {*spec.variables, *spec.answers}
    names = [*map(str, plain), *map(str, spec.secret_answers)]
    met = Counter(map(written, names))
    twice = sorted(name for name in names if met[written(name)] > 1)
    if twice:
        told = _("These names stand for more than one value: %(names)s.") % {
            "names": ", ".join(dict.fromkeys(twice))[:200]
        }
        hint = _(
            "Give each once, as a plain or as a secret one; for commands and scripts small and capital letters are the same."
        )
        raise DomainError(told, hint, code="name_twice", fields={"variables": told})


def _check_hosts(hosts: list[Host], spec: RunSpec) -> None:
    count = len(hosts)
    refused = set(spec.host_ids) - {host.pk for host in hosts}
    if refused:
        words = ngettext(
            "You may not run work on %(count)s of the chosen hosts.",
            "You may not run work on %(count)s of the chosen hosts.",
            len(refused),
        )
        raise Forbidden(
            words % {"count": len(refused)},
            _("Choose hosts of your own groups."),
            code="host_refused",
        )
    if count > settings.RUN_MAX_TARGETS:
        raise DomainError(
            _("%(count)s hosts are too many for one run.") % {"count": count},
            _("Choose at most %(most)s, or raise ADMINSET_RUN_MAX_TARGETS.")
            % {"most": settings.RUN_MAX_TARGETS},
            code="too_many_hosts",
        )


def check_credentials(actor: Any, hosts: list[Host]) -> None:
    """Let pass only who may use the credential of each host: running there means signing in with it.

    Raises:
        Forbidden: names hosts whose credential the actor may not use.
    """
    needed = {host.credential_id for host in hosts if host.credential_id}
    usable = Credential.objects.visible_to(actor, "use").filter(pk__in=needed)
    barred = needed - set(usable.values_list("pk", flat=True))
    names = [host.hostname for host in hosts if host.credential_id in barred]
    if names:
        listed = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
        raise Forbidden(
            _("You may not use the credential of %(hosts)s.") % {"hosts": listed},
            _("Ask for the permission to use it (cmdb.use_credential)."),
            code="credential_refused",
        )


MISSING: dict[str, tuple[tuple[str, ...], Callable[[], str]]] = {
    Kind.COMMAND: (("command",), lambda: _("Enter a command.")),
    Kind.SCRIPT: (("script", "script_text"), lambda: _("Choose or write a script.")),
    Kind.MODULE: (("module",), lambda: _("Enter the name of a module.")),
    Kind.PLAYBOOK: (("playbook",), lambda: _("Choose a playbook.")),
    Kind.ROLE: (("role",), lambda: _("Choose a role.")),
    Kind.FILES: (("distribution",), lambda: _("Choose files.")),
    Kind.TASK_MODULE: (("task_module",), lambda: _("Choose a task module.")),
}


def check_work(work: Work, *, has_text: bool = False) -> None:
    """Raise DomainError where a kind of work lacks what it runs."""
    names, words = MISSING[Kind(work.kind)]
    values = [getattr(work, name, None) for name in names]
    told = any(v.strip() if isinstance(v, str) else v for v in values)
    if not (told or has_text):
        raise DomainError(
            _("There is nothing to run."), words(), fields={names[0]: words()}
        )


def check_alone(run: Run) -> None:
    """Refuse a run while the same is going on, where it wants that.

    Raises:
        Conflict: names the other run.
    """
    if run.together != Run.Together.REFUSE:
        return
    same = Run.objects.open().filter(same_key=run.same_key).defer("playbook_text")
    other = same.first()
    if other is not None:
        raise Conflict(
            # By its number: who asks may not be among those who may see it.
            _("#%(run)s does the same on the same hosts and has not ended.")
            % {"run": other.pk},
            _("Wait for its end or stop it, or let this one wait."),
            code="runs_already",
        )
