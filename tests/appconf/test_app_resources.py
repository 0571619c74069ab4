"""Projects, environments, dependencies and packages: every model does and refuses what a resource must."""

from typing import Any, ClassVar

import pytest
from django.db import models

from accounts.models import User
from appconf.models import Dependency, Environment, Package, Project
from tests.app_factories import (
    make_dependency,
    make_environment,
    make_line,
    make_package,
    make_project,
)
from tests.crud import ResourceTests
from tests.factories import grant, make_host


class TestProject(ResourceTests):
    model: ClassVar[type[models.Model]] = Project
    scoped = True
    edit = ("description", "changed")

    @pytest.fixture(autouse=True)
    def _things(self, group: Any, operator: User) -> None:
        self.group, self.operator = group, operator
        grant(operator, ["appconf.view_project"], [group])

    def make(self, number: int = 0, *, outside: bool = False) -> Project:
        project = make_project()
        host = make_host(groups=[] if outside else [self.group])
        make_environment(project, hosts=[host])
        return project

    def valid(self) -> dict[str, Any]:
        return {
            "name": "shop",
            "code": "shop",
            "product_line": make_line().pk,
            "source_type": "git",
            "criticality": "high",
        }


class TestEnvironment(ResourceTests):
    model: ClassVar[type[models.Model]] = Environment
    scoped = True
    edit = ("notes", "changed")

    @pytest.fixture(autouse=True)
    def _things(self, group: Any, operator: User) -> None:
        self.group, self.operator = group, operator
        grant(operator, ["appconf.view_environment"], [group])

    def make(self, number: int = 0, *, outside: bool = False) -> Environment:
        host = make_host(groups=[] if outside else [self.group])
        return make_environment(hosts=[host])

    def valid(self) -> dict[str, Any]:
        return {
            "project": make_project().pk,
            "name": "live",
            "code": "live",
            "kind": "production",
            "position": 3,
        }


class TestDependency(ResourceTests):
    model: ClassVar[type[models.Model]] = Dependency
    edit = ("notes", "changed")

    def make(self, number: int = 0, *, outside: bool = False) -> Dependency:
        return make_dependency(make_project(), make_project())

    def valid(self) -> dict[str, Any]:
        return {
            "project": make_project().pk,
            "on_host": make_host().pk,
            "kind": "stores",
        }


class TestPackage(ResourceTests):
    model: ClassVar[type[models.Model]] = Package
    edit = ("notes", "changed")

    def make(self, number: int = 0, *, outside: bool = False) -> Package:
        return make_package()

    def valid(self) -> dict[str, Any]:
        return {"name": "jdk", "version": "21.0.4+7"}
