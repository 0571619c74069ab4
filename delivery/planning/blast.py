"""What a deploy touches besides its hosts: how much of the environment, who owns it, what depends on it, what is critical."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from adminset.names import listed
from appconf.models import Dependency, Environment
from cmdb.models import Host
from tasks.launching.preview import why_critical


def blast_of(user: Any, environment: Environment, hosts: Sequence[Host]) -> list[str]:
    """Say in sentences what a deploy to some hosts of an environment touches, as far as the reader may know."""
    project = environment.project
    told = [_share(environment, len(hosts))]
    critical = [host.hostname for host in hosts if critical_words(host)]
    if critical:
        words = _("Critical hosts: %(hosts)s.")
        told.append(words % {"hosts": listed(critical)})
    if project.criticality:
        words = _("Criticality: %(word)s.")
        told.append(words % {"word": project.get_criticality_display()})
    needs = Dependency.objects.visible_to(user).filter(on_project=project)
    names = sorted(set(needs.values_list("project__name", flat=True)))
    if names:
        told.append(
            _("These applications need it: %(names)s.") % {"names": listed(names)}
        )
    if project.owner or project.on_call:
        words = _("Owner: %(owner)s. On call: %(call)s.")
        nobody = _("nobody named")
        told.append(
            words
            % {"owner": project.owner or nobody, "call": project.on_call or nobody}
        )
    return told


def critical_words(host: Host) -> str:
    """Say why a host counts as critical; "" where it does not."""
    marks = set(settings.RUN_CRITICAL_TAGS)
    return why_critical(host, sorted({tag.name for tag in host.tags.all()} & marks))


def _share(environment: Environment, count: int) -> str:
    total = environment.all_hosts().count()
    words = ngettext(
        "%(count)s host of %(total)s in %(environment)s (%(kind)s).",
        "%(count)s hosts of %(total)s in %(environment)s (%(kind)s).",
        count,
    )
    return words % {
        "count": count,
        "total": total,
        "environment": environment,
        "kind": environment.get_kind_display(),
    }
