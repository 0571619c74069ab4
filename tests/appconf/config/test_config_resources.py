"""Variables, configuration files, versions and pull tokens: every model does and refuses what a resource must."""

from typing import Any, ClassVar

import pytest
from django.db import models

from accounts.models import User
from appconf.models import ConfigFile, ConfigVersion, PullToken, Variable
from appconf.pull.tokens import create_token
from tests.app_factories import make_environment, make_project
from tests.appconf.config_things import make_file, make_variable, newest
from tests.crud import ResourceTests


class TestVariable(ResourceTests):
    model: ClassVar[type[models.Model]] = Variable
    edit = ("notes", "changed")

    def make(self, number: int = 0, *, outside: bool = False) -> Variable:
        return make_variable(make_project(), "PORT", "80")

    def valid(self) -> dict[str, Any]:
        return {
            "name": "PORT",
            "level": "project",
            "project": make_project().pk,
            "value": "80",
        }


class TestConfigFile(ResourceTests):
    model: ClassVar[type[models.Model]] = ConfigFile
    edit = ("name", "renamed")

    @pytest.fixture(autouse=True)
    def _things(self, admin: User) -> None:
        self.admin = admin

    def make(self, number: int = 0, *, outside: bool = False) -> ConfigFile:
        return make_file(self.admin, make_project(), "port = 1\n")

    def valid(self) -> dict[str, Any]:
        return {
            "project": make_project().pk,
            "name": "main",
            "path": "/etc/app.conf",
            "mode": "0644",
            "drift_minutes": 60,
            "text": "port = ${PORT}\n",
        }


class TestConfigVersion(ResourceTests):
    model: ClassVar[type[models.Model]] = ConfigVersion

    @pytest.fixture(autouse=True)
    def _things(self, admin: User) -> None:
        self.admin = admin

    def make(self, number: int = 0, *, outside: bool = False) -> ConfigVersion:
        return newest(make_file(self.admin, make_project(), "port = 1\n"))

    def valid(self) -> dict[str, Any]:
        return {}


class TestPullToken(ResourceTests):
    model: ClassVar[type[models.Model]] = PullToken

    @pytest.fixture(autouse=True)
    def _things(self, admin: User) -> None:
        self.admin = admin

    def make(self, number: int = 0, *, outside: bool = False) -> PullToken:
        made = create_token(
            actor=self.admin, environment=make_environment(), name="app", days=1
        )
        return made[0]

    def valid(self) -> dict[str, Any]:
        return {"name": "app", "environment": make_environment().pk, "days": 1}
