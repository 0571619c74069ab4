"""What others did in a part's environment after the set had been there: nobody's newer release is switched away by a set."""

from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from delivery.models import Deploy, LiveRelease, SetPart
from delivery.releasesets.parts import key_of
from delivery.safety.giving_way import gives_way

BEGUN = (Deploy.Status.RUNNING, Deploy.Status.PAUSED)


@dataclass(frozen=True)
class Stay:
    """Why a part is not switched back.

    Attributes:
        state: how it stands then. newer: whether it is because somebody delivers, or delivered, there since.
    """

    state: str
    words: str
    newer: bool = False


def stay_of(part: SetPart) -> Stay | None:
    """Say why a part is not switched back; None where its hosts go to what they had before."""
    made = part.request.deploy if part.request else None
    if made is None or part.before is None:
        words = _("Nothing was live before: there is nothing to go back to.")
        return Stay(SetPart.State.STUCK, words)
    if made.artefact_id == part.before_id:
        words = _("It had this release before, too.")
        return Stay(SetPart.State.BACK, words)
    return _of_others(part, made)


def _of_others(part: SetPart, made: Deploy) -> Stay | None:
    # One that is paused and switched nothing is cancelled by the way back.
    beside = _others(part).exclude(pk__in=gives_way(part.environment).values("pk"))
    going = _named(beside.filter(status__in=BEGUN)).first()
    if going is not None:
        words = _("%(deploy)s of %(who)s is at work there.")
        return Stay(SetPart.State.STUCK, words % _who(going), newer=True)
    live = LiveRelease.objects.filter(environment=part.environment_id)
    since = live.filter(
        since__gt=made.started_at or made.created_at,
        deploy__in=_others(part).values("pk"),
    )
    newer = since.exclude(artefact__in=(made.artefact_id, part.before_id))
    last = _named(Deploy.objects.filter(made_live__in=newer)).first()
    if last is not None:
        words = _("%(deploy)s of %(who)s brought another release there since.")
        return Stay(SetPart.State.STUCK, words % _who(last), newer=True)
    if since.exists() and live.count() == live.filter(artefact=part.before_id).count():
        return Stay(SetPart.State.BACK, _("Somebody took it back already."))
    return None


def _others(part: SetPart) -> QuerySet[Deploy]:
    """Give the deploys of a part's environment that are none of its release run."""
    rows = Deploy.objects.filter(environment=part.environment_id)
    return rows.exclude(request__key__startswith=key_of(part.set_run_id)).order_by()


def _named(rows: QuerySet[Deploy]) -> QuerySet[Deploy]:
    related = ("pipeline__project", "environment")
    return rows.select_related(*related).defer("plan").order_by("-pk")


def _who(deploy: Deploy) -> dict[str, object]:
    return {"deploy": deploy, "who": deploy.requested_by_name}
