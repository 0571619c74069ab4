"""What is to be delivered: a reference of the source as it is now, or an artefact that is there."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from adminset.errors import DomainError, NotFound
from delivery.models import Artefact, Deploy, LiveRelease, Pipeline
from delivery.planning.plan import PlanCommit
from delivery.selectors import most_live
from delivery.sources.face import Commit, Ref
from delivery.sources.opening import source_of

RefKind = Deploy.RefKind


@dataclass(frozen=True)
class Wanted:
    """What a plan is for: one commit or one artefact, whatever moves meanwhile."""

    kind: str
    ref: str
    commit: str = ""
    branch: str = ""
    artefact: Artefact | None = None

    @property
    def release(self) -> str:
        """Folder of the release; "" before it is built."""
        return self.artefact.release if self.artefact else ""


def wanted_of(
    actor: Any,
    pipeline: Pipeline,
    ref_kind: str,
    ref: str,
    artefact: Artefact | None = None,
) -> Wanted:
    """Find out what a reference is now; it may ask the source.

    Raises:
        DomainError: there is no such reference, or the source does not answer.
    """
    if artefact is not None or ref_kind == RefKind.ARTEFACT:
        return _of_artefact(pipeline, artefact or _artefact(pipeline, ref))
    if ref_kind not in RefKind.values:
        raise DomainError(
            _("%(kind)s is no kind of reference.") % {"kind": ref_kind[:40]}
        )
    return _of_source(actor, pipeline, ref_kind, ref)


def _artefact(pipeline: Pipeline, ref: str) -> Artefact:
    rows = Artefact.objects.filter(project=pipeline.project_id)
    found = (
        rows.filter(pk=int(ref)).first() if ref.isdecimal() and len(ref) < 19 else None
    )
    if found is None:
        raise NotFound(_("The project has no such artefact."))
    return found


def _of_artefact(pipeline: Pipeline, artefact: Artefact) -> Wanted:
    if artefact.project_id != pipeline.project_id:
        raise NotFound(_("The project has no such artefact."))
    return Wanted(
        RefKind.ARTEFACT, str(artefact.pk), artefact.commit, artefact.branch, artefact
    )


def _of_source(actor: Any, pipeline: Pipeline, ref_kind: str, ref: str) -> Wanted:
    source = source_of(pipeline.project, actor=actor, ref_kind=ref_kind)
    name = ref.strip() or (source.refs().default if ref_kind == RefKind.BRANCH else "")
    if not name:
        words = _("Say which branch, tag or commit is to be delivered.")
        raise DomainError(words, fields={"ref": words})
    found = source.commits(until=Ref(ref_kind, name)).commits
    if not found or (ref_kind == RefKind.UPLOAD and found[0].id != name):
        raise NotFound(_("There is no %(ref)s in the source.") % {"ref": name[:100]})
    branch = name if ref_kind == RefKind.BRANCH else ""
    return Wanted(ref_kind, name, found[0].id, branch)


def commits_between(
    actor: Any, pipeline: Pipeline, wanted: Wanted, live: Iterable[LiveRelease]
) -> list[PlanCommit]:
    """Give the commits that come with a deploy (or that it takes away: `gone`); none where nothing is live, or nobody knows."""
    now = next((artefact.commit for artefact in most_live(live)), "")
    if not now or not wanted.commit or now == wanted.commit:
        return []
    kind = RefKind.UPLOAD if wanted.kind == RefKind.UPLOAD else RefKind.COMMIT
    try:
        source = source_of(pipeline.project, actor=actor, ref_kind=wanted.kind)
        come = source.commits(until=Ref(kind, wanted.commit), since=now)
        if come.commits and come.since_known:
            return [_told(one) for one in come.commits]
        gone = source.commits(until=Ref(kind, now), since=wanted.commit)
    except DomainError:
        # The source is away, or knows these commits no more: the plan holds without them.
        return []
    listed = gone.commits if gone.since_known else []
    return [_told(one, gone=True) for one in listed]


def _told(one: Commit, *, gone: bool = False) -> PlanCommit:
    at = one.when.isoformat() if one.when else ""
    return PlanCommit(one.id, one.subject, one.author, at, gone)
