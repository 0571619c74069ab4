"""Makes legs of the programs: which values they are told, on which hosts, for how long."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from django.utils.translation import gettext as _

from delivery.artefacts.packs import Pack
from delivery.onhost.context import HostContext, check_release
from delivery.onhost.programs import program
from delivery.onhost.values import (
    Values,
    check_lengths,
    flag,
    one_line,
    pack_values,
    shared_of,
    told_always,
    told_to_hooks,
    with_variables,
)
from tasks.legs.asking import MOST_FORKS, Leg

# What neither waits nor copies.
QUICK_SECONDS = 180
MARGIN_SECONDS = 60
# So long a program waits for one before it that is still at work there, and a little more.
ALONE_SECONDS = 30
# What hardly costs anything goes to so many hosts at once.
QUICK_FORKS = 100


def read_leg(context: HostContext, hosts: Collection[int]) -> Leg:
    """Ask what is live, what was before, which releases there are, who holds the lock. Changes nothing."""
    return _quick(context, hosts, "read", _("Read what is live"))


def look_leg(context: HostContext, hosts: Collection[int]) -> Leg:
    """Ask what is live, and whether its files are still what was delivered. Changes nothing."""
    leg = _quick(context, hosts, "look", _("Compare files"))
    return replace(leg, timeout_seconds=context.stage_timeout)


def check_leg(context: HostContext, hosts: Collection[int]) -> Leg:
    """Look whether all is there that a deploy needs. Changes nothing."""
    values = shared_of(context) | {
        "AS_BRINGS": "\n".join(context.brings or ()),
        "AS_NOT_BUILT": flag(context.brings is None),
        "AS_NEED_BYTES": str(context.need_bytes),
        "AS_NEED_FILES": str(context.need_files),
        "AS_PORTS": " ".join(context.ports),
        "AS_HEALTH": context.health.kind,
        "AS_BAD_TOO": flag(context.bad_too),
        "AS_COMPRESSED": "1",
    }
    return _quick(context, hosts, "check", _("Checks before"), values)


def claim_leg(context: HostContext, hosts: Collection[int]) -> Leg:
    """Take the lock of the hosts for this deploy; where it has it already all is well."""
    values = {"AS_REASON": one_line(context.reason)}
    return _quick(context, hosts, "claim", _("Lock"), values)


def unlock_leg(
    context: HostContext,
    hosts: Collection[int],
    *,
    of: Mapping[int, str] | None = None,
) -> Leg:
    """Give the lock of the hosts back.

    Args:
        of: host -> deploy whose lock is broken there, and no other's.
    """
    own = {
        pk: {"AS_BREAK": "1", "AS_LOCK_OF": str(deploy)}
        for pk, deploy in (of or {}).items()
    }
    leg = _quick(context, hosts, "release_lock", _("Unlock"), own=own)
    return replace(leg, urgent=True)


def receive_leg(
    context: HostContext,
    packs: Mapping[int, Pack],
    bases: Mapping[int, str] | None = None,
) -> Leg:
    """Send to each host (its id) its pack, and make the release of it beside the others.

    Args:
        bases: host -> name of the release there that its pack builds on; for packs with a base.

    Raises:
        DomainError: a pack with a base has no name for it.
    """
    bases = bases or {}
    own = {pk: pack_values(pack, bases.get(pk, "")) for pk, pack in packs.items()}
    values = shared_of(context) | {
        "AS_ARTEFACT": context.artefact_sha256,
        "AS_COMMIT": context.commit,
    }
    leg = _leg(context, packs, "receive", _("Distribute"), values, own)
    return replace(leg, send=dict(packs), timeout_seconds=context.stage_timeout)


def activate_leg(context: HostContext, hosts: Collection[int]) -> Leg:
    """Make the release live: before, drain, switch, restart, health, after, return."""
    told = told_to_hooks(context)
    leg = _switching(context, hosts, "activate", _("Switch"), told)
    # Before it is live all of a release goes to the disk, and that may be slow.
    seconds = leg.timeout_seconds + context.stage_timeout
    return replace(leg, timeout_seconds=seconds)


def switch_back_leg(
    context: HostContext, hosts: Collection[int], to: str | Mapping[int, str] = ""
) -> Leg:
    """Make an earlier release live again: a named one (of all hosts, or each its own), or the one before.

    It waits for no other run, and runs on all hosts at once.
    """
    names = dict.fromkeys(hosts, to) if isinstance(to, str) else dict(to)
    for name in filter(None, names.values()):
        check_release(name)
    own = {pk: {"AS_TO": name} for pk, name in names.items() if pk in set(hosts)}
    values = told_to_hooks(context) | {
        "AS_MARK_BAD": flag(context.mark_bad),
        "ADMINSET_ROLLBACK": "1",
    }
    leg = _switching(context, hosts, "switch_back", _("Take back"), values, own)
    return replace(leg, urgent=True, forks=_most(context, hosts))


def finish_leg(context: HostContext, hosts: Collection[int]) -> Leg:
    """Mark the live release as good, clear old ones away, write the log, give the lock back."""
    values = {
        "AS_KEEP": str(max(context.keep, 2)),
        "AS_PINS": " ".join(context.pins),
        "AS_WORD": context.word or ("rolled back" if context.rollback else "deployed"),
    }
    leg = _quick(context, hosts, "finish", _("Finish"), values)
    return replace(leg, timeout_seconds=max(context.stage_timeout, QUICK_SECONDS))


def mark_leg(context: HostContext, hosts: Collection[int], *, bad: bool = True) -> Leg:
    """Mark the release as bad on the hosts, or no longer."""
    values = {"AS_GOOD_AGAIN": flag(not bad), "AS_REASON": one_line(context.reason)}
    leg = _quick(context, hosts, "mark", _("Mark a release"), values)
    return replace(leg, urgent=True)


def well_leg(context: HostContext, hosts: Collection[int]) -> Leg:
    """Ask once more whether the live release is well: what is watched may have fallen ill since its switch."""
    leg = _switching(
        context, hosts, "well", _("Ask for health"), told_to_hooks(context)
    )
    # It runs no hook.
    return replace(leg, timeout_seconds=context.health.most_seconds + MARGIN_SECONDS)


def command_leg(
    context: HostContext, hosts: Collection[int], text: str, stage: str = "command"
) -> Leg:
    """Run the command of a stage in the release that is on its way, or else in the live one.

    Raises:
        DomainError: the text is too long for a host.
    """
    title = " ".join(stage.split())[:100] or "command"
    values = told_to_hooks(context) | {"AS_COMMAND": text, "AS_STAGE": title}
    check_lengths(values)
    words = _("Command: %(stage)s") % {"stage": title}
    leg = with_variables(context, _leg(context, hosts, "command", words, values))
    return replace(leg, timeout_seconds=context.stage_timeout + MARGIN_SECONDS)


def _switching(
    context: HostContext,
    hosts: Collection[int],
    name: str,
    title: str,
    values: Values,
    own: Mapping[int, Values] | None = None,
) -> Leg:
    hooks, health = context.hooks, context.health
    values |= shared_of(context) | {
        "AS_BEFORE_SWITCH": hooks.before_switch,
        "AS_DRAIN": hooks.drain,
        "AS_RESTART": hooks.restart,
        "AS_SWITCH_COMMAND": hooks.switch,
        "AS_AFTER_SWITCH": hooks.after_switch,
        "AS_BACK": hooks.back,
        "AS_HEALTH": health.kind,
        "AS_HEALTH_TARGET": health.target,
        "AS_HEALTH_CONTENT": health.content,
        "AS_HEALTH_WAIT": str(health.wait_seconds),
        "AS_HEALTH_SECONDS": str(health.timeout_seconds),
        "AS_HEALTH_ATTEMPTS": str(health.attempts),
        "AS_HEALTH_PAUSE": str(health.pause_seconds),
        "AS_LOG_PATH": context.log_path,
        "AS_BAD_TOO": flag(context.bad_too),
    }
    check_lengths(values)
    leg = with_variables(context, _leg(context, hosts, name, title, values, own))
    texts = (hooks.before_switch, hooks.drain, hooks.restart, hooks.switch)
    count = sum(map(bool, (*texts, hooks.after_switch, hooks.back)))
    seconds = count * (context.stage_timeout + 10) + health.most_seconds
    return replace(leg, timeout_seconds=seconds + ALONE_SECONDS + MARGIN_SECONDS)


def _quick(
    context: HostContext,
    hosts: Collection[int],
    name: str,
    title: str,
    values: Values | None = None,
    own: Mapping[int, Values] | None = None,
) -> Leg:
    leg = _leg(context, hosts, name, title, values or {}, own)
    forks = min(max(context.forks, QUICK_FORKS), MOST_FORKS)
    return replace(leg, forks=forks, timeout_seconds=QUICK_SECONDS)


def _leg(
    context: HostContext,
    hosts: Collection[int],
    name: str,
    title: str,
    values: Values,
    own: Mapping[int, Values] | None = None,
) -> Leg:
    about = " ".join(filter(None, (context.project, context.environment)))
    return Leg(
        title=f"{title}: {about} {context.release}".strip(" :"),
        purpose=f"delivery.{name}",
        program=program(name),
        host_ids=tuple(hosts),
        values=told_always(context) | values,
        host_values=dict(own or {}),
        forks=min(max(context.forks, 1), MOST_FORKS),
        urgent=context.urgent,
        subject=f"delivery.deploy:{context.deploy_id}" if context.deploy_id else "",
    )


def _most(context: HostContext, hosts: Collection[int]) -> int:
    return min(max(context.forks, len(hosts), 1), MOST_FORKS)
