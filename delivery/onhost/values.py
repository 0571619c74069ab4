"""The values that programs and hooks are told: the contract, shared paths, variables, what a pack is."""

from collections.abc import Mapping
from dataclasses import replace

from django.utils.translation import gettext as _

from adminset.errors import DomainError
from delivery.artefacts.packs import Pack
from delivery.onhost.context import LONGEST_VALUE, HostContext, check_release
from tasks.legs.asking import Leg

Values = dict[str, str]
MEBIBYTE = 2**20


def told_to_hooks(context: HostContext) -> Values:
    """Give the hook contract, but for what the programs find out on the host."""
    return {
        "ADMINSET_PROJECT": context.project,
        "ADMINSET_ENVIRONMENT": context.environment,
        "ADMINSET_BRANCH": context.branch,
        "ADMINSET_DEPLOY": str(context.deploy_id),
        "ADMINSET_WHO": one_line(context.who),
        "ADMINSET_BATCH": context.batch,
        "ADMINSET_ROLLBACK": "1" if context.rollback else "0",
        "AS_HOOK_SECONDS": str(context.stage_timeout),
    }


def told_always(context: HostContext) -> Values:
    """Give what every program is told."""
    return {
        "AS_ROOT": context.root,
        "AS_DEPLOY": str(context.deploy_id),
        "AS_WHO": one_line(context.who),
        "AS_RELEASE": context.release,
        "AS_RUN_USER": context.run_user,
        "AS_RUN_GROUP": context.run_group,
    }


def shared_of(context: HostContext) -> Values:
    """Give the shared paths."""
    return {"AS_SHARED": "\n".join(context.shared)}


def with_variables(context: HostContext, leg: Leg) -> Leg:
    """Add the variables of each host's hooks: numbered, name and value apart, so that none stands in the place of a program's own."""
    own: dict[int, Values] = {}
    sealed: dict[int, Values] = {}
    for pk in leg.host_ids:
        variables = context.host_variables.get(pk, {})
        secrets = context.host_secrets.get(pk, {})
        own[pk], sealed[pk] = _numbered(variables, secrets)
        own[pk]["AS_VARS"] = str(len(variables) + len(secrets))
        own[pk]["ADMINSET_HOST"] = context.host_names.get(pk, "")
        own[pk] |= leg.host_values.get(pk, {})
    return replace(leg, host_values=own, host_secret_values=sealed)


def _numbered(
    variables: Mapping[str, str], secrets: Mapping[str, str]
) -> tuple[Values, Values]:
    plain: Values = {}
    sealed: Values = {}
    every = [*variables.items(), *secrets.items()]
    for number, (name, value) in enumerate(every, 1):
        plain[f"AS_N_{number}"] = name
        kept = plain if number <= len(variables) else sealed
        kept[f"AS_V_{number}"] = value
    return plain, sealed


def pack_values(pack: Pack, base: str) -> Values:
    """Give what is told of a pack; `base` is the release that it builds on. Raises DomainError where that is none."""
    if pack.base:
        check_release(base)
    # With a base the pack and the release stand beside each other for a while.
    room = pack.whole_size + MEBIBYTE + (pack.raw_size if pack.base else 0)
    return {
        "AS_SEND_SHA256": pack.sha256,
        "AS_SEND_SIZE": str(pack.size),
        "AS_LISTS_SHA256": pack.lists_sha256,
        "AS_RAW_BYTES": str(room),
        "AS_COMPRESSED": flag(pack.compressed),
        "AS_BASE": base if pack.base else "",
    }


def check_lengths(values: Values) -> None:
    """Refuse what no environment takes; raises DomainError."""
    for name, value in values.items():
        if "\0" in value or len(value.encode(errors="replace")) > LONGEST_VALUE:
            raise DomainError(
                _(
                    "A command is too long for a host, or holds a NUL character: %(name)s."
                )
                % {"name": name.removeprefix("AS_").lower()},
                code="bad_host_context",
            )


def flag(value: object) -> str:
    """Give a yes for a program: "1", or nothing."""
    return "1" if value else ""


def one_line(text: str) -> str:
    """Give a text for one line on a host."""
    return " ".join(text.split())[:500]
