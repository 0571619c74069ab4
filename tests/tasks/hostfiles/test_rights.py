"""Who may what: each right is its own, hosts out of scope are not there, critical hosts ask why, dangerous acts ask who."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from adminset.http import PROVED_AT
from adminset.models import AuditEntry
from cmdb.models import Host, HostGroup, Tag
from tasks.hostfiles.access import ACTIONS, BROWSE, permission
from tests.factories import grant, make_host, make_user
from tests.farm import SshFarm
from tests.tasks.hostfiles.things import FilesPage, refusal, told

pytestmark = pytest.mark.django_db
# (right, name of the page, how it is asked)
ACTS: list[tuple[str, str, str]] = [
    ("browsefiles", "host_files_rows", "get"),
    ("downloadfile", "host_files_download", "get"),
    ("downloadfile", "host_files_view", "get"),
    ("downloadfile", "host_files_hash", "call"),
    ("uploadfile", "host_files_upload", "call"),
    ("uploadfile", "host_files_folder", "call"),
    ("editfile", "host_files_edit", "get"),
    ("editfile", "host_files_rename", "call"),
    ("editfile", "host_files_mode", "call"),
    ("deletefile", "host_files_waste", "call"),
    ("purgefile", "host_files_purge", "call"),
]


def ask(page: FilesPage, name: str, how: str, file: Path) -> int:
    more: dict[str, Any] = {"to": file.with_name("other"), "mode": "0600"}
    more |= {"size": 1, "mark": "", "may_be_there": False}
    answer = page.get(name, file) if how == "get" else page.call(name, file, **more)
    answer.close()
    return answer.status_code


def test_into_the_waste_goes_only_what_may_be_deleted(
    client_of: Callable[[User], Client],
    group: HostGroup,
    host: Host,
    folder: Path,
    settings: Any,
) -> None:
    user = make_user("editor")
    grant(user, ["cmdb.view_host", "cmdb.editfile_host"], [group])
    grant(user, ["cmdb.use_credential"])
    page = page_of(client_of, user, host)
    waste = folder / Path(settings.FILES_WASTE).name
    waste.mkdir()
    (folder / "file").touch()
    answer = page.call("host_files_rename", folder / "file", to=waste / "file")
    assert answer.status_code == 403
    assert (folder / "file").exists()
    # Out of it is no deleting.
    (waste / "old").touch()
    back = page.call("host_files_rename", waste / "old", to=folder / "old")
    assert back.status_code == 200
    assert [line["to"] for line in told("rename")] == [str(folder / "old")]


def page_of(client_of: Callable[[User], Client], user: User, host: Host) -> FilesPage:
    return FilesPage(client_of(user), host)


@pytest.mark.parametrize(("right", "name", "how"), ACTS)
def test_each_right_is_its_own(
    client_of: Callable[[User], Client],
    group: HostGroup,
    host: Host,
    folder: Path,
    right: str,
    name: str,
    how: str,
) -> None:
    file = folder / "file"
    file.write_text("x")
    others = [permission(action) for action in ACTIONS if action != right]
    basics = ["cmdb.view_host", "cmdb.use_credential"]
    user = make_user(perms=[*basics, *others], groups=[group])
    page = page_of(client_of, user, host)
    assert ask(page, name, how, file) == 403
    assert file.read_text() == "x"
    grant(user, [permission(right)], [group])
    assert ask(page_of(client_of, user, host), name, how, file) != 403


def test_a_host_out_of_scope_is_not_there(
    page: FilesPage, other_group: HostGroup, folder: Path
) -> None:
    (folder / "file").write_text("x")
    page.host.groups.set([other_group])
    for _right, name, how in ACTS:
        assert ask(page, name, how, folder / "file") == 404
    assert (folder / "file").read_text() == "x"


def test_without_the_credential_nothing_is_opened(
    client_of: Callable[[User], Client], group: HostGroup, host: Host, folder: Path
) -> None:
    perms = ["cmdb.view_host", *(permission(action) for action in ACTIONS)]
    user = make_user(perms=perms, groups=[group])
    page = page_of(client_of, user, host)
    answer = page.rows(folder)
    assert "may not use the credential" in answer.content.decode()
    assert refusal(page.call("host_files_waste", folder)) == "credential_refused"
    assert told("list") == []


def test_a_host_without_an_accepted_key_is_not_spoken_to(
    page: FilesPage, host: Host, folder: Path
) -> None:
    Host.objects.filter(pk=host.pk).update(host_key="")
    assert "is not accepted yet" in page.get("host_files").content.decode()
    assert refusal(page.call("host_files_waste", folder)) == "no_host_key"
    assert folder.exists()


def test_a_changed_key_is_refused_with_a_sentence(
    page: FilesPage, host: Host, three_servers: SshFarm, folder: Path
) -> None:
    other = three_servers.hosts[1].host_key
    Host.objects.filter(pk=host.pk).update(host_key=other)
    answer = page.rows(folder)
    assert "changed: pinned" in answer.content.decode()
    answer = page.call("host_files_waste", folder)
    assert (answer.status_code, refusal(answer)) == (503, "unreachable")
    assert folder.exists()


def test_a_host_without_an_address_or_credential_says_so(
    client_of: Callable[[User], Client], keeper: User, group: HostGroup
) -> None:
    page = page_of(client_of, keeper, make_host("bare", groups=[group]))
    assert "has no credential" in page.get("host_files").content.decode()


def test_a_critical_host_asks_why_and_every_line_says_it(
    page: FilesPage, host: Host, folder: Path, settings: Any
) -> None:
    host.tags.add(Tag.objects.create(name=settings.RUN_CRITICAL_TAGS[0]))
    (folder / "file").write_text("x")
    assert 'name="reason"' in page.get("host_files").content.decode()
    assert refusal(page.call("host_files_waste", folder / "file")) == "reason_needed"
    assert page.client.post(page.url(), {"reason": "  "}).status_code == 422
    answer = page.client.post(page.url("host_files", folder), {"reason": "INC 42"})
    assert answer.status_code == 302
    assert "path=" in answer["Location"]
    assert page.call("host_files_waste", folder / "file").status_code == 200
    lines = AuditEntry.objects.filter(verb__startswith="hostfile.")
    assert {line.reason for line in lines} == {"INC 42"}
    session = page.client.session
    kept = session["host_files_reasons"]
    kept[str(host.pk)][1] = time.time() - settings.FILES_REASON_SECONDS - 1
    session["host_files_reasons"] = kept
    session.save()
    assert refusal(page.call("host_files_waste", folder)) == "reason_needed"


def test_a_reason_for_one_host_is_none_for_another(
    page: FilesPage, hosts: list[Host], folder: Path, settings: Any
) -> None:
    tag = Tag.objects.create(name=settings.RUN_CRITICAL_TAGS[0])
    for each in hosts[:2]:
        each.tags.add(tag)
    page.client.post(page.url(), {"reason": "INC 42"})
    other = FilesPage(page.client, hosts[1])
    assert refusal(other.call("host_files_waste", folder)) == "reason_needed"


def test_dangerous_acts_ask_once_more_who_is_there(
    page: FilesPage, folder: Path, settings: Any
) -> None:
    session = page.client.session
    session[PROVED_AT] = time.time() - settings.STEP_UP_SECONDS - 1
    session.save()
    assert page.rows(folder).status_code == 200
    for right, name, how in ACTS:
        if right == BROWSE or how != "call":
            continue
        assert refusal(page.call(name, folder)) == "proof_needed"
    assert page.get("host_files_download", folder).status_code == 302
    assert folder.exists()


def test_replacing_a_file_needs_the_right_to_edit(
    client_of: Callable[[User], Client], group: HostGroup, host: Host, folder: Path
) -> None:
    (folder / "file").write_text("old")
    perms = ["cmdb.view_host", "cmdb.use_credential", "cmdb.uploadfile_host"]
    user = make_user(perms=perms, groups=[group])
    page = page_of(client_of, user, host)
    assert page.upload(folder / "new", b"x").status_code == 200
    answer = page.begin(folder / "file", b"new", replace=True)
    assert answer.status_code == 403
    assert (folder / "file").read_text() == "old"


def test_the_page_offers_what_one_may(
    client_of: Callable[[User], Client], group: HostGroup, host: Host, folder: Path
) -> None:
    (folder / "file").write_text("x")
    perms = ["cmdb.view_host", "cmdb.use_credential", "cmdb.browsefiles_host"]
    user = make_user(perms=perms, groups=[group])
    page = page_of(client_of, user, host)
    rows = page.rows(folder).content.decode()
    shown = page.get("host_files").content.decode() + rows
    for word in ("data-pick", "data-do=", "/download/"):
        assert word not in shown
    assert "data-chosen=" not in rows
