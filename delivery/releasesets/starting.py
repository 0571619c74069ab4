"""Sets in people's hands: saved with their places, started, cancelled."""

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.limits import ensure_whole_user
from adminset import audit
from adminset.crud import services as crud
from adminset.errors import Conflict, DomainError, Forbidden
from appconf.models import Environment
from appconf.vouching import ensure_may_deploy
from delivery.models import ReleaseSet, ReleaseSetItem, SetPart, SetRun
from delivery.releasesets.calls import call
from delivery.safety.reach import ensure_goes_to


@transaction.atomic
def save_set(*, actor: Any, form: Any) -> ReleaseSet:
    """Save a set's form with its places.

    Raises:
        Forbidden: there is a place to which the actor may not deploy.
    """
    creating = form.instance._state.adding
    before = [] if creating else _told(form.instance)
    saved: Any = crud.save(actor=actor, form=form)
    items = form.cleaned_data.get("items")
    if items is None:
        return saved
    for item in items:
        ensure_may_deploy(actor, item.environment)
    ReleaseSetItem.objects.filter(release_set=saved).delete()
    for position, item in enumerate(items, 1):
        item.pk, item.release_set, item.position = None, saved, position
        item.save()
    after = _told(saved)
    if after != before:
        changes: list[audit.Change] = [{"field": "items", "old": before, "new": after}]
        audit.record(actor, "releaseset.places", saved, changes=changes)
    return saved


def _told(row: ReleaseSet) -> list[str]:
    places = row.places.select_related("pipeline__project", "environment")
    return [f"{one} {one.ref_kind} {one.ref}" for one in places.order_by("position")]


@transaction.atomic
def start_set(*, actor: Any, release_set: ReleaseSet, reason: str) -> SetRun:
    """Start a set, as the actor; windows and approvals of each pipeline count as ever.

    Raises:
        Forbidden: there is a place to which the actor may not deploy, or a token with limits asks. Conflict: it is
            running already, or a pipeline does not go to its place. DomainError: it is empty, or no reason is given.
    """
    ensure_whole_user(actor, _("A token with limits may not start a set of releases."))
    if not actor.has_perm("delivery.add_deploy"):
        raise Forbidden(_("You may not start deploys."))
    held = ReleaseSet.objects.select_for_update().get(pk=release_set.pk)
    items = list(
        held.places.select_related("pipeline", "environment").order_by("position")
    )
    if not items:
        raise DomainError(_("The set is empty."), _("Put pipelines into it first."))
    if not reason.strip():
        words = _("Say what it is for: it stands in the history.")
        raise DomainError(words, fields={"reason": words})
    for item in items:
        ensure_may_deploy(actor, item.environment)
        ensure_goes_to(item.pipeline, item.environment)
    ensure_alone([item.environment_id for item in items])
    run = SetRun.objects.create(
        release_set=held,
        name=held.name,
        reason=reason.strip()[:500],
        requested_by=actor,
        requested_by_name=actor.username[:150],
    )
    SetPart.objects.bulk_create(_part(run, item) for item in items)
    changes: list[audit.Change] = [{"field": "places", "old": None, "new": _told(held)}]
    audit.record(actor, "releaseset.start", held, changes=changes, reason=reason)
    call(run.pk)
    return run


def ensure_alone(environments: list[int]) -> None:
    """Two that go through one environment could not come back as one.

    The environments are held until this transaction has ended, in the same order by everybody: two that start at once see
    each other, and neither waits for ever.

    Raises:
        Conflict: another release run goes through one of them (code "goes_on").
    """
    held = Environment.objects.select_for_update().filter(pk__in=environments)
    list(held.order_by("pk").values_list("pk"))
    open_parts = SetPart.objects.filter(
        environment__in=environments, set_run__state__in=SetRun.OPEN
    )
    other = open_parts.select_related("set_run").first()
    if other is not None:
        words = _("%(run)s of %(who)s is still running.")
        told = {"run": other.set_run, "who": other.set_run.requested_by_name}
        raise Conflict(words % told, _("Wait until it has ended."), code="goes_on")


def _part(run: SetRun, item: ReleaseSetItem) -> SetPart:
    return SetPart(
        set_run=run,
        position=item.position,
        pipeline=item.pipeline,
        environment=item.environment,
        ref_kind=item.ref_kind,
        ref=item.ref,
    )


@transaction.atomic
def cancel_set(*, actor: Any, run: SetRun, reason: str = "") -> None:
    """Stop a release run: what is running is cancelled, what was delivered is taken back; twice is once.

    Raises:
        Forbidden: the actor may not stop one of its deploys. Conflict: it has ended.
    """
    held = SetRun.objects.select_for_update().get(pk=run.pk)
    if not actor.has_perm("delivery.cancel_deploy"):
        raise Forbidden(_("You may not stop deploys."))
    for part in held.parts.select_related("environment"):
        ensure_may_deploy(actor, part.environment)
    if not held.is_open:
        raise Conflict(_("It has ended."), code="ended")
    if held.cancel_requested_at is not None:
        return
    held.cancel_requested_at, held.cancelled_by = timezone.now(), actor
    held.save(update_fields=["cancel_requested_at", "cancelled_by"])
    audit.record(actor, "releaseset.cancel", held, reason=reason)
    call(held.pk)
