"""What the tests of every resource share: its model, how to make one, who asks."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from django.db import models
from django.test import Client

from accounts.models import User
from adminset.crud.resource import Resource, all_resources
from tests.factories import make_user

Signed = Callable[[User], Client]


class ResourceCase(ABC):
    """Base: name the model, and how to make one and what to send.

    Attributes:
        model: the model under test.
        scoped: whether a grant limited to a host group sees only some rows (then `make(outside=True)` makes one outside).
    """

    model: ClassVar[type[models.Model]]
    scoped: ClassVar[bool] = False
    # Names a value of `valid` that may be sent alone to change something, and how the object then reads.
    edit: ClassVar[tuple[str, Any]] = ("name", "renamed")

    @abstractmethod
    def make(self, number: int = 0, *, outside: bool = False) -> Any:
        """Make an object."""

    @abstractmethod
    def valid(self) -> dict[str, Any]:
        """Give what a person would type to add one."""

    @property
    def resource(self) -> Resource:
        """The resource of the model."""
        return next(r for r in all_resources() if r.model is self.model)

    @pytest.fixture(autouse=True)
    def _urls_are_loaded(self, settings: Any) -> None:
        __import__(settings.ROOT_URLCONF)

    def _needs(self, verb: str) -> None:
        if verb not in self.resource.verbs:
            pytest.skip(f"{self.resource.model_name} does not offer {verb}")

    def _holder(self, *actions: str) -> User:
        return make_user(
            perms=[
                "cmdb.view_hostgroup",
                *(self.resource.permission(a) for a in actions),
            ]
        )

    def _form(self, instance: Any, **values: Any) -> dict[str, Any]:
        """What the edit page would send for an object: its own values, with some replaced."""
        form = self.resource.form(user=make_user(is_superuser=True), instance=instance)
        sent: dict[str, Any] = {}
        for name, field in form.fields.items():
            value = form.get_initial_for_field(field, name)
            if isinstance(value, list | models.QuerySet):
                sent[name] = [getattr(each, "pk", each) for each in value]
            elif value not in (None, False):
                sent[name] = getattr(value, "pk", value)
        return sent | values

    def _changed(self, instance: Any) -> dict[str, Any]:
        return self._form(instance, **dict([self.edit]))

    def _api(self, pk: int | None = None) -> str:
        return f"/api/v1/{self.resource.path}/" + (f"{pk}/" if pk else "")
