"""Service checks and heartbeats as resources: the tests that every resource passes."""

from typing import Any

import pytest

from accounts.models import User
from cmdb.models import HostGroup
from monitor.models import (
    Heartbeat,
    ServiceCheck,
    StatusItem,
    StatusNote,
    StatusPage,
)
from tests.crud import ResourceTests
from tests.factories import grant, make_group
from tests.monitor.check_things import make_check, make_heartbeat, make_page


def place(*, outside: bool) -> HostGroup:
    """Give the operator's group, or one that is none of the operator's business."""
    return HostGroup.objects.get_or_create(name="elsewhere" if outside else "web")[0]


class TestServiceCheck(ResourceTests):
    model = ServiceCheck
    scoped = True

    @pytest.fixture(autouse=True)
    def _operator_sees_them(self, operator: User, group: HostGroup) -> None:
        grant(operator, ["monitor.view_servicecheck"], [group])

    def _holder(self, *actions: str) -> User:
        user = super()._holder(*actions)
        grant(user, ["monitor.anywhere_servicecheck"])
        return user

    def make(self, number: int = 0, *, outside: bool = False) -> Any:
        return make_check(
            host_group=place(outside=outside),
            name=f"check-{number}",
            kind="dns",
            target="",
            port=None,
            query_name="example.org",
        )

    def valid(self) -> dict[str, Any]:
        return {
            "name": "new check",
            "kind": "dns",
            "query_name": "example.org",
            "record_type": "A",
            "every_seconds": 60,
            "timeout_seconds": 10,
            "retries": 2,
            "recover_after": 1,
            "method": "GET",
            "statuses": "200-399",
            "warn_days": 21,
            "bad_days": 7,
            "enabled": "on",
            "verify_tls": "on",
        }


class TestHeartbeat(ResourceTests):
    model = Heartbeat
    scoped = True

    @pytest.fixture(autouse=True)
    def _operator_sees_them(self, operator: User, group: HostGroup) -> None:
        grant(operator, ["monitor.view_heartbeat"], [group])

    def make(self, number: int = 0, *, outside: bool = False) -> Any:
        return make_heartbeat(host_group=place(outside=outside), name=f"job-{number}")

    def valid(self) -> dict[str, Any]:
        return {
            "name": "new job",
            "period_seconds": 3600,
            "time_zone": "UTC",
            "grace_seconds": 60,
            "enabled": "on",
        }


class TestStatusPage(ResourceTests):
    model = StatusPage
    edit = ("slug", "renamed")

    def make(self, number: int = 0, *, outside: bool = False) -> Any:
        return make_page(f"page-{number}", title_en=f"page-{number}")

    def valid(self) -> dict[str, Any]:
        return {"slug": "new-page", "title_en": "New page"}


class TestStatusNote(ResourceTests):
    model = StatusNote
    edit = ("title_en", "renamed")

    def make(self, number: int = 0, *, outside: bool = False) -> Any:
        return StatusNote.objects.create(page=_page(), title_en=f"note-{number}")

    def valid(self) -> dict[str, Any]:
        return {
            "page": _page().pk,
            "kind": "incident",
            "title_en": "New note",
            "starts_at": "2026-01-01T10:00",
        }


class TestStatusItem(ResourceTests):
    model = StatusItem
    edit = ("name_en", "renamed")

    def _holder(self, *actions: str) -> Any:
        user = super()._holder(*actions)
        grant(user, ["monitor.view_servicecheck", "monitor.view_heartbeat"])
        return user

    def make(self, number: int = 0, *, outside: bool = False) -> Any:
        return StatusItem.objects.create(
            page=_page(), name_en=f"line-{number}", service_check=make_check()
        )

    def valid(self) -> dict[str, Any]:
        return {
            "page": _page().pk,
            "position": 1,
            "name_en": "New line",
            "heartbeat": make_heartbeat(host_group=make_group()).pk,
        }


def _page() -> StatusPage:
    return StatusPage.objects.filter(slug="home").first() or make_page("home")
