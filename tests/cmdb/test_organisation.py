"""Whom and what assets belong to: every model does and refuses what a resource must; a product line is a scope."""

from typing import Any, ClassVar

import pytest
from django.db import models

from cmdb.models import (
    Branch,
    Cluster,
    Contact,
    Host,
    ProductLine,
    Region,
    Supplier,
    Tag,
)
from tests.crud import ResourceTests
from tests.factories import make_host, make_user


class NamedTests(ResourceTests):
    """Base of models that need a name and little else."""

    edit: ClassVar[tuple[str, Any]] = ("notes", "changed")
    further: ClassVar[dict[str, Any]] = {}

    def _values(self, name: str) -> dict[str, Any]:
        coded = "code" in {f.name for f in self.model._meta.concrete_fields}
        return self.further | {"name": name} | ({"code": name} if coded else {})

    def make(self, number: int = 0, *, outside: bool = False) -> Any:
        manager: Any = self.model._default_manager
        values = self._values(f"one-{manager.count()}")
        return manager.create(**values)

    def valid(self) -> dict[str, Any]:
        return self._values("sent")


class TestProductLine(NamedTests):
    model: ClassVar[type[models.Model]] = ProductLine
    edit = ("description", "shops")


class TestContact(NamedTests):
    model = Contact


class TestRegion(NamedTests):
    model = Region


class TestBranch(NamedTests):
    model = Branch


class TestTag(NamedTests):
    model = Tag
    edit = ("description", "shops")
    further: ClassVar[dict[str, Any]] = {"state": "ok"}


class TestCluster(NamedTests):
    model = Cluster
    further: ClassVar[dict[str, Any]] = {"kind": "kvm"}


class TestSupplier(NamedTests):
    model = Supplier


@pytest.mark.django_db
def test_a_hypervisor_lists_its_guests_and_a_host_runs_not_on_itself(
    client_of: Any, admin: Any
) -> None:
    metal = make_host("metal")
    guest = make_host("guest", hypervisor=metal)
    page = client_of(admin).get(f"{metal.get_absolute_url()}?tab=guests")
    assert guest.get_absolute_url() in page.content.decode()
    answer = client_of(admin).patch(
        f"/api/v1/hosts/{metal.pk}/", {"hypervisor": metal.pk}, "application/json"
    )
    assert answer.status_code == 422


@pytest.mark.django_db
def test_a_grant_on_a_product_line_opens_its_hosts_only() -> None:
    shop = ProductLine.objects.create(name="shop", code="shop")
    make_host("in-shop", product_line=shop)
    make_host("elsewhere")
    user = make_user(perms=["cmdb.view_host", "cmdb.view_productline"], groups=[])
    grant = user.grants.get()
    grant.everything = False
    grant.save()
    grant.scopes.create(kind="cmdb.productline", object_id=shop.pk)
    assert [str(host) for host in Host.objects.visible_to(user)] == ["in-shop"]
    assert list(ProductLine.objects.visible_to(user)) == [shop]
