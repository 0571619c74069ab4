"""Reads what programs send: where, what, on which hosts, why; anything else is refused in words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from adminset.errors import DomainError
from adminset.texts import number_of
from appconf.models import Environment
from cmdb.models import Host
from delivery.models import Artefact, Deploy, Pipeline

LONGEST_REF, LONGEST_REASON, LONGEST_NAME = 200, 500, 253
MOST_HOSTS = 10_000
RefKind, Kind = Deploy.RefKind, Deploy.Kind
PLAN = {"environment", "ref_kind", "ref", "hosts", "promote"}
DEPLOY = PLAN | {"plan_hash", "reason", "emergency_reason", "wait"}
RETRY = {"what", "reason", "emergency_reason"}
RESUME = {"reason", "emergency_reason"}
ROLLBACK = {"pipeline", "artefact", "hosts", "reason"}


@dataclass(frozen=True)
class Asked:
    """What a plan or a deploy is for."""

    environment: Environment
    ref_kind: str
    ref: str
    host_ids: list[int] = field(default_factory=list)
    kind: str = Kind.DEPLOY
    artefact: Artefact | None = None


def body_of(data: Any, known: set[str]) -> Mapping[str, Any]:
    """Give a body that has only what is known.

    Raises:
        DomainError: it is no object, or has something else.
    """
    if not isinstance(data, dict):
        raise DomainError(_("Send one JSON object."))
    for name in sorted(set(data) - known):
        words = _("There is no such field. Known: %(known)s.")
        raise refused(str(name)[:40], words % {"known": ", ".join(sorted(known))})
    return data


def refused(name: str, words: str) -> DomainError:
    """Say which input is not right."""
    return DomainError(_("Some fields are not right."), words, fields={name: words})


def text(body: Mapping[str, Any], name: str, most: int, *, needed: bool = False) -> str:
    """Read a text.

    Raises:
        DomainError: it is none, is too long, or is missing.
    """
    value = body.get(name, "")
    if not isinstance(value, str) or len(value) > most or "\0" in value:
        raise refused(
            name, _("Give a text of at most %(most)s characters.") % {"most": most}
        )
    if needed and not value.strip():
        raise refused(name, _("This is needed."))
    return value.strip()


def yes(body: Mapping[str, Any], name: str, usual: bool) -> bool:
    """Read yes or no.

    Raises:
        DomainError: it is neither.
    """
    value = body.get(name, usual)
    if not isinstance(value, bool):
        raise refused(name, _("Give true or false."))
    return value


def asked_of(user: Any, pipeline: Pipeline, body: Mapping[str, Any]) -> Asked:
    """Read where and what.

    Raises:
        DomainError: there is no such thing that the user may see.
    """
    environment = environment_of(user, pipeline.project_id, body.get("environment"))
    ref_kind = text(body, "ref_kind", 10) or RefKind.BRANCH
    if ref_kind not in RefKind.values:
        known = ", ".join(RefKind.values)
        raise refused("ref_kind", _("Known: %(known)s.") % {"known": known})
    ref = body.get("ref", "")
    body = {
        **body,
        "ref": str(ref) if isinstance(ref, int) and not isinstance(ref, bool) else ref,
    }
    name, artefact = text(body, "ref", LONGEST_REF), None
    if name.startswith("-") or not name.isprintable():
        raise refused("ref", _("This can be no name of a branch, a tag or a commit."))
    if ref_kind == RefKind.ARTEFACT:
        artefact = artefact_of(user, pipeline.project_id, name, "ref")
    promotes = yes(body, "promote", False)
    if promotes and artefact is None:
        raise refused("promote", _("Only an artefact is promoted."))
    hosts = hosts_of(user, environment, body.get("hosts"))
    kind = Kind.PROMOTE if promotes else Kind.DEPLOY
    return Asked(environment, ref_kind, name, hosts, kind, artefact)


def environment_of(user: Any, project_id: int, named: Any) -> Environment:
    """Find an environment of a project by number, code or name."""
    rows = Environment.objects.visible_to(user).filter(project=project_id)
    rows = rows.select_related("project")
    key = key_of(named)
    found = rows.filter(pk=key).first() if key else None
    if found is None and isinstance(named, str) and 0 < len(named) <= LONGEST_NAME:
        plain = named.replace("\0", "")
        found = rows.filter(code=plain).first() or rows.filter(name=plain).first()
    if found is None:
        words = _("The project has no such environment: give its number, code or name.")
        raise refused("environment", words)
    return found


def artefact_of(
    user: Any, project_id: int, named: Any, name: str = "artefact"
) -> Artefact:
    """Find an artefact of a project by its id, or by the name of its release."""
    rows = Artefact.objects.visible_to(user).filter(project=project_id)
    key = key_of(named)
    found = rows.filter(pk=key).first() if key else None
    number, dash, _sha = str(named).partition("-")
    if found is None and dash and key_of(number):
        found = next(
            (one for one in rows.filter(number=key_of(number)) if one.release == named),
            None,
        )
    if found is None:
        raise refused(name, _("The project has no such artefact."))
    return found


def hosts_of(user: Any, environment: Environment, named: Any) -> list[int]:
    """Find hosts of an environment, by number or name, that the user may see; none named: all of the environment."""
    if named in (None, []):
        return []
    if not isinstance(named, list) or len(named) > MOST_HOSTS:
        raise refused("hosts", _("Give a list of hosts of the environment."))
    seen = Host.objects.visible_to(user).order_by().values("pk")
    rows = environment.all_hosts().filter(pk__in=seen)
    known = dict(rows.values_list("hostname", "pk"))
    keys = set(known.values())
    found = []
    for one in named:
        key = known.get(one) if isinstance(one, str) else None
        key = key or key_of(one)
        if key not in keys:
            raise refused(
                "hosts",
                _("The environment has no host %(name)s.") % {"name": str(one)[:60]},
            )
        found.append(key)
    return sorted(set(found))


def key_of(value: Any) -> int:
    """Read the number of a row; 0: it is none."""
    return number_of(value) or 0
