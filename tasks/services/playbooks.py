"""Writes playbooks. What somebody else changed runs in nobody's name by itself."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from adminset.crud import services as crud
from tasks.models import Playbook, Schedule
from tasks.services.schedules import speaks_in_part, switch_schedule


@transaction.atomic
def save_playbook(*, actor: Any, form: Any) -> Playbook:
    """Save a playbook; schedules that run it as somebody else are turned off until their owner looks at it.

    What a token with limits has written runs in nobody's name either, its user's included.
    """
    changed = form.instance.pk is not None and "content" in form.changed_data
    saved: Playbook = crud.save(actor=actor, form=form)  # type: ignore[assignment]
    if changed:
        words = _(
            "Turned off: %(name)s changed the playbook. Look at it, then turn the schedule on."
        )
        using = Schedule.objects.filter(playbook=saved, enabled=True)
        if not speaks_in_part(actor):
            using = using.exclude(run_as=actor)
        for schedule in using.select_related("run_as", "periodic_task"):
            switch_schedule(
                actor=actor,
                schedule=schedule,
                enabled=False,
                reason=words % {"name": actor.username},
            )
    return saved
