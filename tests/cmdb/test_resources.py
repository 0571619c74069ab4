"""Every model of the room does and refuses what a resource must."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from cmdb.models import (
    Agent,
    AssetStatus,
    Cabinet,
    Credential,
    EnrolmentToken,
    Host,
    HostGroup,
    Idc,
)
from tests.crud import ResourceTests
from tests.factories import make_cabinet, make_group, make_host, make_idc


class TestIdc(ResourceTests):
    model = Idc
    edit = ("address", "Shanghai")

    def make(self, number: int = 0, *, outside: bool = False) -> Idc:
        return make_idc()

    def valid(self) -> dict[str, Any]:
        return {"name": "Shanghai 1", "code": "sh1", "address": "Pudong"}


class TestCabinet(ResourceTests):
    model = Cabinet

    def make(self, number: int = 0, *, outside: bool = False) -> Cabinet:
        return make_cabinet()

    def valid(self) -> dict[str, Any]:
        return {"idc": make_idc().pk, "name": "A01", "units": 42}


class TestAssetStatus(ResourceTests):
    model = AssetStatus

    def make(self, number: int = 0, *, outside: bool = False) -> AssetStatus:
        return AssetStatus.objects.create(name=f"status {number}")

    def valid(self) -> dict[str, Any]:
        return {"name": "on loan", "state": "warning", "monitored": "on"}


class TestHostGroup(ResourceTests):
    model = HostGroup
    edit = ("description", "front ends")
    scoped = True

    def make(self, number: int = 0, *, outside: bool = False) -> HostGroup:
        if outside:
            return make_group("far-away")
        inside = HostGroup.objects.filter(name="web")
        return (inside.first() if number == 0 else None) or make_group()

    def valid(self) -> dict[str, Any]:
        return {"name": "cache", "description": "Redis"}


class TestHost(ResourceTests):
    model = Host
    edit = ("owner", "Li Lei")
    scoped = True

    def make(self, number: int = 0, *, outside: bool = False) -> Host:
        groups = [] if outside else HostGroup.objects.filter(name="web")
        status, _new = AssetStatus.objects.get_or_create(name="in use")
        host = make_host(
            "far-away" if outside else "",
            groups=groups,
            status=status,
            cabinet=(cabinet := make_cabinet()),
            idc=cabinet.idc,
        )
        Agent.objects.create(host=host, last_seen_at=timezone.now())
        return host

    def valid(self) -> dict[str, Any]:
        return {"hostname": "db-1", "address": "10.9.8.7", "kind": "virtual"}


class TestCredential(ResourceTests):
    model = Credential
    edit = ("username", "deploy")

    def make(self, number: int = 0, *, outside: bool = False) -> Credential:
        return Credential.objects.create(
            name=f"login {number}", username="root", password="hunter2-hunter2"
        )

    def valid(self) -> dict[str, Any]:
        return {"name": "root of web", "username": "root", "port": 22}


class TestAgent(ResourceTests):
    model = Agent
    scoped = True

    def make(self, number: int = 0, *, outside: bool = False) -> Agent:
        groups = [] if outside else HostGroup.objects.filter(name="web")
        host = make_host("far-away" if outside else "", groups=groups)
        return Agent.objects.create(host=host, secret_hash="x" * 64)

    def valid(self) -> dict[str, Any]:
        return {}


class TestEnrolmentToken(ResourceTests):
    model = EnrolmentToken

    def make(self, number: int = 0, *, outside: bool = False) -> EnrolmentToken:
        return EnrolmentToken.objects.create(
            name=f"token {number}",
            prefix=f"prefix{number}",
            expires_at=timezone.now() + timedelta(days=1),
        )

    def valid(self) -> dict[str, Any]:
        return {"name": "rack 2", "use_limit": 3}
