"""Writes the parts of status pages; the page counts as changed with them, so that readers see it at once."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from adminset.audit import Actor
from adminset.crud import services as crud
from adminset.crud.forms import ResourceForm
from monitor.models import StatusPage


@transaction.atomic
def save_part(*, actor: Actor, form: ResourceForm) -> Any:
    """Save a line or a note."""
    saved: Any = crud.save(actor=actor, form=form)
    _touch(saved.page_id)
    return saved


@transaction.atomic
def delete_part(*, actor: Actor, instance: Any) -> None:
    """Delete a line or a note."""
    page = instance.page_id
    crud.delete(actor=actor, instance=instance)
    _touch(page)


def _touch(page: int) -> None:
    StatusPage.objects.filter(pk=page).update(updated_at=timezone.now())
