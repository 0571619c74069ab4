"""The values that programs and hooks are told: the contract, shared paths, variables, what a pack is."""

from collections.abc import Mapping
from dataclasses import replace

from django.utils.translation import gettext as _

from adminset.errors import DomainError
from delivery.artefacts.packs import Pack
from delivery.onhost.context import LONGEST_VALUE, HostContext, check_release
from delivery.onhost.pack_lists import lists_sha256
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


def shared_of(context: HostContext) -> Values:
    """Give the shared paths."""
    return {"AS_SHARED": "\n".join(context.shared)}


def with_variables(context: HostContext, leg: Leg) -> Leg:
    """Add the variables of hooks: numbered, name and value apart, so that none stands in the place of a program's own.

    What comes later wins: first those of all hosts, then those of one.
    """
    plain, secret = _numbered(context.variables, context.secrets, 1)
    count = len(context.variables) + len(context.secrets)
    own: dict[int, Values] = {}
    sealed: dict[int, Values] = {}
    for pk in leg.host_ids:
        variables = context.host_variables.get(pk, {})
        secrets = context.host_secrets.get(pk, {})
        own[pk], sealed[pk] = _numbered(variables, secrets, count + 1)
        own[pk]["AS_VARS"] = str(count + len(variables) + len(secrets))
        own[pk]["ADMINSET_HOST"] = context.host_names.get(pk, "")
        own[pk] |= leg.host_values.get(pk, {})
    return replace(
        leg,
        values={**leg.values, **plain},
        host_values=own,
        secret_values=secret,
        host_secret_values=sealed,
    )


def _numbered(
    variables: Mapping[str, str], secrets: Mapping[str, str], first: int
) -> tuple[Values, Values]:
    plain: Values = {}
    sealed: Values = {}
    for number, (name, value) in enumerate(
        [*variables.items(), *secrets.items()], first
    ):
        plain[f"AS_N_{number}"] = name
        kept = plain if number - first < len(variables) else sealed
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
        "AS_LISTS_SHA256": lists_sha256(pack.path, pack.sha256),
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
