"""Signing in by a directory, against a real slapd: search and bind, TLS, groups to roles, and what a directory must not get us to do."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ldap3
import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from accounts import directory
from accounts.directory_checks import check_directory
from accounts.models import Grant, GroupMapping, Role, User
from accounts.services import mappings
from accounts.services.mappings import names_of
from adminset.models import AuditEntry
from tests import directory as real
from tests.factories import grant, make_group, make_host, make_user

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(bool(real.missing()), reason=real.missing()),
    pytest.mark.xdist_group("directory"),
]
Signed = Callable[[User], Client]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[real.Directory]:
    server = real.Directory(tmp_path_factory.mktemp("slapd"))
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def ldap(running: real.Directory, settings: Any) -> real.Directory:
    """The portal, told of the directory."""
    settings.LDAP_URLS = [running.url]
    settings.LDAP_START_TLS = True
    settings.LDAP_CA_FILE = str(running.authority_file)
    settings.LDAP_BIND_DN, settings.LDAP_BIND_PASSWORD = real.ADMIN, real.ADMIN_PASSWORD
    settings.LDAP_BASE_DN = real.BASE
    return running


def _sign_in(name: str, password: str = real.PASSWORD) -> tuple[Client, Any]:
    browser = Client()
    sent = {"username": name, "password": password}
    return browser, browser.post(reverse("accounts:sign_in"), sent)


def _modify(running: real.Directory, dn: str, changes: Any) -> None:
    with ldap3.Connection(
        ldap3.Server("127.0.0.1", running.port),
        real.ADMIN,
        real.ADMIN_PASSWORD,
        auto_bind=True,
    ) as connection:
        assert connection.modify(dn, changes), connection.result


def test_somebody_of_the_directory_signs_in_and_becomes_a_user() -> None:
    browser, answer = _sign_in("ann")
    assert answer.status_code == 302
    assert browser.get("/accounts/me/").status_code == 200
    user = User.objects.get(username="ann")
    assert (user.source, user.display_name, user.email) == (
        "ldap",
        "Ann Example",
        "ann@example.com",
    )
    assert not user.has_usable_password()
    assert user.external_id
    line = AuditEntry.objects.get(verb="user.create")
    assert line.actor_name == "LDAP"
    started = AuditEntry.objects.get(verb="session.start")
    assert {"field": "method", "old": None, "new": "ldap"} in started.changes


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("ann", "wrong"),
        ("ann", ""),
        ("ann", " "),
        ("nobody", real.PASSWORD),
        ("*", real.PASSWORD),
        ("ann)(uid=*", real.PASSWORD),
        ("*)(uid=*", real.PASSWORD),
        ("ann\x00", real.PASSWORD),
        ("", real.PASSWORD),
    ],
)
def test_who_proves_nothing_stays_outside(name: str, password: str) -> None:
    browser, answer = _sign_in(name, password)
    assert answer.status_code == 422
    assert browser.get("/accounts/me/").status_code == 302
    assert not User.objects.exists()


def test_a_filter_that_finds_two_lets_nobody_in(settings: Any) -> None:
    settings.LDAP_USER_FILTER = "(employeeType=staff)"
    assert directory.prove("ann", real.PASSWORD) is None


def test_the_password_stands_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    _sign_in("ann")
    _sign_in("ann", "another wrong word")
    told = caplog.text + str(list(AuditEntry.objects.values()))
    assert real.PASSWORD not in told
    assert "another wrong word" not in told
    assert real.ADMIN_PASSWORD not in told


def test_a_local_user_is_asked_of_nobody_else_and_never_taken_over() -> None:
    local = make_user("ann")
    _browser, answer = _sign_in("ann")
    assert answer.status_code == 422
    local.refresh_from_db()
    assert local.source == "local"
    assert User.objects.count() == 1


def test_who_is_renamed_in_the_directory_stays_the_same_user(
    running: real.Directory,
) -> None:
    _sign_in("carl")
    before = User.objects.get(username="carl")
    with ldap3.Connection(
        ldap3.Server("127.0.0.1", running.port),
        real.ADMIN,
        real.ADMIN_PASSWORD,
        auto_bind=True,
    ) as connection:
        dn = f"uid=carl,ou=people,{real.BASE}"
        assert connection.modify_dn(dn, "uid=karl"), connection.result
        try:
            _browser, answer = _sign_in("karl")
        finally:
            connection.modify_dn(f"uid=karl,ou=people,{real.BASE}", "uid=carl")
    assert answer.status_code == 302
    assert User.objects.get(external_id=before.external_id) == before
    assert User.objects.count() == 1


def test_a_stopped_user_stays_outside_whatever_the_directory_says() -> None:
    _sign_in("ann")
    User.objects.filter(username="ann").update(is_active=False)
    _browser, answer = _sign_in("ann")
    assert answer.status_code == 422


def test_an_unknown_authority_is_not_believed(settings: Any, tmp_path: Path) -> None:
    from tests.certificates import make_authority  # noqa: PLC0415 - for this case only

    settings.LDAP_CA_FILE = str(make_authority(tmp_path).certificate_file)
    _browser, answer = _sign_in("ann")
    assert answer.status_code == 503
    assert "directory cannot be asked" in answer.content.decode()
    assert not User.objects.exists()


def test_a_certificate_for_another_name_is_not_believed(
    ldap: real.Directory, settings: Any
) -> None:
    settings.LDAP_URLS = [f"ldap://127.0.0.1:{ldap.port}"]
    _browser, answer = _sign_in("ann")
    assert answer.status_code == 503


def test_while_the_directory_is_away_local_users_sign_in(settings: Any) -> None:
    settings.LDAP_URLS = ["ldap://localhost:1"]
    make_user("local")
    from tests.factories import PASSWORD  # noqa: PLC0415 - not the directory's

    _browser, away = _sign_in("ann")
    assert away.status_code == 503
    _browser, answer = _sign_in("local", PASSWORD)
    assert answer.status_code == 302


def test_the_next_server_is_asked_when_the_first_is_away(
    ldap: real.Directory, settings: Any
) -> None:
    settings.LDAP_URLS = ["ldap://localhost:1", ldap.url]
    _browser, answer = _sign_in("ann")
    assert answer.status_code == 302


def test_only_members_of_the_required_group_come_in(settings: Any) -> None:
    settings.LDAP_REQUIRE_GROUP = "ops"
    assert _sign_in("ann")[1].status_code == 302
    assert _sign_in("bob")[1].status_code == 422
    assert not User.objects.filter(username="bob").exists()


def _map(group: str, *permissions: str, scope: Any = None) -> GroupMapping:
    role = grant(make_user(), permissions or ["cmdb.view_host"]).role
    ids = {"cmdb.hostgroup": [scope.pk]} if scope else {}
    return GroupMapping.objects.create(
        source="ldap", group=group, role=role, everything=scope is None, scope_ids=ids
    )


def test_a_group_brings_its_role_and_takes_it_away_again(
    running: real.Directory,
) -> None:
    web = make_group("web")
    host, other = make_host("one", groups=[web]), make_host("two")
    _map("OPS", scope=web)
    by_dn = _map(f"cn=dev,ou=groups,{real.BASE}".upper(), "cmdb.view_idc")
    browser, _answer = _sign_in("ann")
    user = User.objects.get(username="ann")
    assert set(user.grants.values_list("mapping__group", flat=True)) == {
        "OPS",
        by_dn.group,
    }
    assert browser.get(f"/cmdb/hosts/{host.pk}/").status_code == 200
    assert browser.get(f"/cmdb/hosts/{other.pk}/").status_code == 404
    assert (
        AuditEntry.objects.filter(verb="grant.create", actor_name="LDAP").count() == 2
    )
    by_hand = grant(user, ["cmdb.view_cabinet"])
    ops = f"cn=ops,ou=groups,{real.BASE}"
    ann, bob = (f"uid={name},ou=people,{real.BASE}" for name in ("ann", "bob"))
    _modify(running, ops, {"member": [(ldap3.MODIFY_REPLACE, [bob])]})
    try:
        browser, _answer = _sign_in("ann")
    finally:
        _modify(running, ops, {"member": [(ldap3.MODIFY_REPLACE, [ann])]})
    assert browser.get("/cmdb/hosts/").status_code == 403
    assert set(user.grants.all()) == {by_hand, user.grants.get(mapping=by_dn)}
    assert (
        AuditEntry.objects.filter(verb="grant.delete", actor_name="LDAP").count() == 1
    )


def test_what_a_group_brought_is_not_changed_by_hand(
    client_of: Signed, admin: User
) -> None:
    _map("ops")
    _sign_in("ann")
    brought = Grant.objects.get(mapping__isnull=False)
    answer = client_of(admin).post(
        f"/accounts/grants/{brought.pk}/delete/", follow=True
    )
    assert "comes from the group" in answer.content.decode()
    assert Grant.objects.filter(pk=brought.pk).exists()


def test_a_mapping_is_made_only_by_who_holds_what_it_brings(client_of: Signed) -> None:
    manager = make_user(
        perms=[
            "accounts.view_groupmapping",
            "accounts.add_groupmapping",
            "accounts.view_role",
        ]
    )
    strong = Role.objects.create(name="strong")
    strong.permissions.set(grant(make_user(), ["cmdb.run_host"]).role.permissions.all())
    sent = {"source": "ldap", "group": "ops", "role": strong.pk, "everything": "on"}
    answer = client_of(manager).post("/accounts/group-mappings/add/", sent)
    assert answer.status_code == 422
    assert not GroupMapping.objects.exists()


def test_a_changed_mapping_changes_what_it_brought_and_a_deleted_one_takes_it(
    admin: User, client_of: Signed
) -> None:
    mapping = _map("ops")
    _sign_in("ann")
    other = grant(make_user(), ["cmdb.view_idc"]).role
    sent = {"source": "ldap", "group": "ops", "role": other.pk, "everything": "on"}
    answer = client_of(admin).post(f"/accounts/group-mappings/{mapping.pk}/edit/", sent)
    assert answer.status_code == 302
    assert Grant.objects.get(mapping=mapping).role == other
    mappings.delete_mapping(actor=admin, instance=GroupMapping.objects.get())
    assert not User.objects.get(username="ann").grants.exists()
    with pytest.raises(GroupMapping.DoesNotExist):
        mapping.refresh_from_db()


@pytest.mark.parametrize(
    ("group", "names"),
    [
        ("CN=Ops,OU=Groups,DC=x", {"cn=ops,ou=groups,dc=x", "ops"}),
        ("ops", {"ops"}),
        ("ou=ops,dc=x", {"ou=ops,dc=x"}),
    ],
)
def test_a_group_is_called_by_its_whole_or_its_common_name(
    group: str, names: set[str]
) -> None:
    assert names_of(group) == names


def test_passwords_never_cross_a_network_in_clear(settings: Any) -> None:
    settings.LDAP_START_TLS = False
    settings.LDAP_URLS = ["ldap://ldap.example.com"]
    assert [found.id for found in check_directory(None)] == ["accounts.E011"]
    settings.LDAP_URLS = ["ldaps://ldap.example.com"]
    assert check_directory(None) == []


def test_the_command_says_step_by_step_what_it_finds(
    capsys: pytest.CaptureFixture[str],
) -> None:
    call_command("check_directory", "ann")
    told = capsys.readouterr().out
    assert f"uid=ann,ou=people,{real.BASE}" in told
    assert "cn=ops" in told
    assert real.ADMIN_PASSWORD not in told


def test_a_password_of_the_directory_is_not_set_here(
    client_of: Signed, admin: User
) -> None:
    _sign_in("ann")
    user = User.objects.get(username="ann")
    new = "another long secret word"
    client_of(admin).post(
        f"/accounts/users/{user.pk}/password/", {"password": new, "repeat": new}
    )
    user.refresh_from_db()
    assert not user.has_usable_password()
