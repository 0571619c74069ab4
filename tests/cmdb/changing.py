"""Changes objects as their forms do, each time as a request of its own name, for tests that take the changes back."""

from collections.abc import Iterator
from typing import Any

import pytest

from accounts.models import User
from adminset import context
from adminset.crud.forms import bound_form
from adminset.crud.resource import Resource, resource_of
from adminset.models import AuditEntry


def request(name: str) -> Any:
    """Let what follows be part of a request of this name."""
    return context.current.set(context.RequestContext(request_id=name))


@pytest.fixture
def in_a_request() -> Iterator[None]:
    """Begin with the request "r1"."""
    token = request("r1")
    yield
    context.current.reset(token)


def resource(label: str) -> Resource:
    """Give the resource of a model."""
    found = resource_of(label)
    assert found is not None
    return found


def last() -> AuditEntry:
    """Give the newest line of the trail."""
    return AuditEntry.objects.latest("pk")


def put(user: User, instance: Any, **values: Any) -> AuditEntry:
    """Change an object (or make one, where a label is given) as its form would, and give the line of it."""
    made = isinstance(instance, str)
    found = resource(instance if made else instance._meta.label_lower)
    row = None if made else found.model._default_manager.get(pk=instance.pk)
    form = bound_form(found.form, user=user, values=values, instance=row)
    assert form.is_valid(), form.errors
    found.save_checked(user=user, form=form)
    return last()


def delete(user: User, instance: Any) -> AuditEntry:
    """Delete an object as its page would, and give the line of it."""
    label = instance._meta.label_lower
    row = type(instance)._default_manager.get(pk=instance.pk)
    resource(label).delete(actor=user, instance=row)
    verb = f"{instance._meta.model_name}.delete"
    return AuditEntry.objects.filter(verb=verb).latest("pk")
