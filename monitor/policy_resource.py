"""Collection policies: their pages and their REST endpoints."""

from typing import Any

from adminset.audit import Actor
from adminset.crud import services
from adminset.crud.plain import plain_filter, plain_form, plain_table
from adminset.crud.resource import Resource
from monitor.policy import policies
from monitor.policy_models import CollectionPolicy

NUMBERS = (
    "sample_seconds",
    "flush_seconds",
    "raw_hours",
    "minute_days",
    "ten_minute_days",
    "two_hour_days",
)


def save_policy(*, actor: Actor, form: Any) -> Any:
    """Save a policy; this process sees it at once, others within a minute."""
    saved = services.save(actor=actor, form=form)
    policies.forget()
    return saved


def delete_policy(*, actor: Actor, instance: Any) -> None:
    """Delete a policy: its hosts go by the settings again."""
    services.delete(actor=actor, instance=instance)
    policies.forget()


COLLECTION_POLICY = Resource(
    model=CollectionPolicy,
    table=plain_table(CollectionPolicy, "host_group", *NUMBERS),
    form=plain_form(CollectionPolicy, "host_group", *NUMBERS, "notes"),
    filterset=plain_filter(CollectionPolicy, "host_group"),
    path="collection-policies",
    icon="stopwatch",
    search=("host_group__name", "notes"),
    bulk_fields=(*NUMBERS, "notes"),
    list_queryset=lambda rows: rows.select_related("host_group"),
    save=save_policy,
    delete=delete_policy,
)
