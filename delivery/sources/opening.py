"""Opens the source of a project, whatever kind it is."""

from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _

from delivery.sources.face import Source, SourceError
from delivery.sources.git import GitRepository
from delivery.sources.svn import SvnRepository
from delivery.sources.upload import Uploads


def source_of(
    project: Any,
    *,
    actor: Any,
    ref_kind: str = "",
    told: Callable[[int], None] = lambda percent: None,
    seconds: int | None = None,
) -> Source:
    """Give the source of a project. Nothing is asked before one of its methods is called.

    Args:
        ref_kind: what is asked for: an upload may be delivered of any project.
        actor: for whom it is read; named in the audit trail when its credential is used.
        told: called with the percentage of a fetch. seconds: patience; none: ADMINSET_SOURCE_SECONDS.

    Raises:
        SourceError: the project has none.
    """
    kind, address = project.source_type, project.source_address
    if "upload" in (kind, ref_kind):
        return Uploads(project)
    if not address:
        raise SourceError(
            _("%(project)s has no address of a source.") % {"project": project},
            _("Write it on the project's page."),
            code="no_source",
            status=422,
        )
    if kind == "svn":
        return SvnRepository(project, actor, seconds)
    return GitRepository(project, actor, told, seconds)
