"""What guards deploys is changed by whoever may, and not by everybody who sets up pipelines: approvals, windows, freezes, order, where to."""

from dataclasses import dataclass
from typing import Any

from django.db import models, transaction
from django.utils.translation import gettext as _

from adminset.crud import services as crud
from adminset.errors import Forbidden
from appconf.models import Environment
from delivery.models import Pipeline
from delivery.safety.rights import holds_in

GUARD = "delivery.guard_pipeline"
WHO_AND_WHERE = ("approve_groups", "environments")


@dataclass(frozen=True)
class Guards:
    """What a pipeline asks for before a deploy begins, and where it goes.

    `kinds` and `environments` empty: everywhere; `roles` empty: whoever may approve.
    """

    kinds: frozenset[str]
    approvals: int
    roles: frozenset[int]
    minutes: int
    calendar: int | None
    freezes: int | None
    in_order: bool
    environments: frozenset[int] = frozenset()

    @property
    def holds_up(self) -> bool:
        """Whether it asks for anything where it goes."""
        return bool(self.approvals or self.calendar or self.freezes or self.in_order)

    @property
    def is_any(self) -> bool:
        """Whether it asks for anything, or does not go everywhere."""
        return self.holds_up or bool(self.environments)

    def is_weaker_than(self, other: "Guards") -> bool:
        """Whether a deploy may begin by these that the other ones would hold up, or would not bring there at all."""
        if not self.stays_within(other.environments):
            return True
        if not other.holds_up:
            return False
        wider = other.roles and (not self.roles or not self.roles <= other.roles)
        return bool(
            not self.covers(other.kinds)
            or self.approvals < other.approvals
            or (other.approvals and wider)
            or (other.calendar and self.calendar != other.calendar)
            or (other.freezes and self.freezes != other.freezes)
            or (other.in_order and not self.in_order)
        )

    def covers(self, kinds: frozenset[str]) -> bool:
        """Whether it guards all kinds of environments that are guarded where these are listed."""
        return not self.kinds or bool(kinds and kinds <= self.kinds)

    def stays_within(self, environments: frozenset[int]) -> bool:
        """Whether it goes nowhere where one that names these environments does not go."""
        own = self.environments
        return not environments or bool(own and own <= environments)


def guards_of(pipeline: Pipeline, roles: Any, environments: Any = ()) -> Guards:
    """Give a pipeline's guards, with the roles that approve and the environments to which it goes (rows)."""
    return Guards(
        kinds=frozenset(pipeline.guarded_kinds),
        approvals=pipeline.approvals_needed,
        roles=frozenset(role.pk for role in roles),
        minutes=pipeline.approval_minutes,
        calendar=pipeline.calendar_id,
        freezes=pipeline.freezes_id,
        in_order=pipeline.in_order,
        environments=frozenset(row.pk for row in environments),
    )


def stored_guards(stored: Pipeline) -> Guards:
    """Give the guards of a pipeline as they are in the database."""
    return guards_of(stored, stored.approve_groups.all(), stored.environments.all())


@transaction.atomic
def save_pipeline(*, actor: Any, form: Any) -> Pipeline:
    """Save a pipeline.

    Raises:
        Forbidden: it changes what guards deploys, or would deliver with less than another pipeline of the project asks for,
            and the person may not.
    """
    pipeline: Pipeline = form.instance
    chosen = (form.cleaned_data.get(name) or () for name in WHO_AND_WHERE)
    wanted = guards_of(pipeline, *chosen)
    stored = None
    if not pipeline._state.adding:
        stored = Pipeline.objects.select_for_update(of=("self",)).get(pk=pipeline.pk)
        if stored_guards(stored) != wanted:
            _ensure_may_guard(form.user, stored.project_id)
    if stored is None or stored.project_id != pipeline.project_id:
        others = Pipeline.objects.filter(project=pipeline.project_id)
        for other in others.exclude(pk=pipeline.pk).prefetch_related(*WHO_AND_WHERE):
            if wanted.is_weaker_than(stored_guards(other)):
                _ensure_may_guard(form.user, pipeline.project_id, other)
        if stored is not None:
            _ensure_may_drop(form.user, stored)
    return crud.save(actor=actor, form=form)  # type: ignore[return-value]


@transaction.atomic
def delete_pipeline(*, actor: Any, instance: models.Model) -> None:
    """Delete a pipeline; one that guards something goes only with the right to change guards.

    Raises:
        Forbidden: the actor may not.
    """
    _ensure_may_drop(actor, Pipeline.objects.get(pk=instance.pk))
    crud.delete(actor=actor, instance=instance)


def ensure_may_change(user: Any, form: Any) -> None:
    """Let pass a change of an environment by which it stays as guarded as it is.

    Raises:
        Forbidden: a pipeline would guard it no more, or count another one as that before it, and the person may not do that.
    """
    changed = {"kind", "position"} & set(form.changed_data)
    if not changed:
        return
    stored = Environment.objects.get(pk=form.instance.pk)
    for pipeline in Pipeline.objects.filter(project=stored.project_id):
        holds = pipeline.guards(stored) and guards_of(pipeline, ()).holds_up
        loses = holds and not pipeline.guards(form.instance)
        if loses or (pipeline.in_order and "position" in changed):
            _ensure_may_guard(user, stored.project_id, pipeline)


def _ensure_may_drop(user: Any, stored: Pipeline) -> None:
    if stored_guards(stored).is_any:
        _ensure_may_guard(user, stored.project_id, stored)


def _ensure_may_guard(
    user: Any, project_id: int, other: Pipeline | None = None
) -> None:
    if holds_in(user, GUARD, project_id):
        return
    words = _("You may not change what guards deploys of this project.")
    if other is not None:
        words = _("You may not weaken what %(pipeline)s asks for.") % {
            "pipeline": other
        }
    raise Forbidden(
        words,
        _(
            "Approvals, windows, freezes, order and environments take the permission %(permission)s."
        )
        % {"permission": GUARD},
        code="may_not_guard",
    )
