"""Set-up: the first administrator, the shipped roles, a lost password."""

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from accounts import selectors
from accounts.models import Role, User
from accounts.services import setup as services
from adminset.errors import DomainError
from adminset.models import AuditEntry
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db
NEW = "quite another long secret"


@pytest.fixture(autouse=True)
def _no_password_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ADMINSET_ADMIN_PASSWORD", raising=False)
    monkeypatch.delenv("ADMINSET_ADMIN_PASSWORD_FILE", raising=False)


def test_the_first_administrator_gets_a_password_that_is_told_once() -> None:
    told = services.ensure_first_administrator()
    user = User.objects.get()
    assert told["username"] == "admin"
    assert user.is_superuser
    assert user.check_password(told["password"])
    assert told["password"] not in str(list(AuditEntry.objects.values()))
    assert services.ensure_first_administrator() == {
        "username": "admin",
        "password": None,
    }
    assert User.objects.count() == 1


def test_a_chosen_password_is_used_and_not_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    file.write_text(NEW + "\n")
    monkeypatch.setenv("ADMINSET_ADMIN_PASSWORD_FILE", str(file))
    assert services.ensure_first_administrator()["password"] is None
    assert User.objects.get().check_password(NEW)


def test_a_weak_chosen_password_makes_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADMINSET_ADMIN_PASSWORD", "admin1234")
    with pytest.raises(DomainError) as caught:
        services.ensure_first_administrator()
    assert "admin1234" not in caught.value.message
    assert not User.objects.exists()


def test_an_administrator_who_stands_is_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_user("root", is_superuser=True)
    monkeypatch.setenv("ADMINSET_ADMIN_PASSWORD", NEW)
    assert services.ensure_first_administrator() == {
        "username": "root",
        "password": None,
    }
    assert User.objects.get().check_password(PASSWORD)


def test_a_plain_user_named_admin_is_not_raised() -> None:
    make_user("admin")
    with pytest.raises(DomainError):
        services.ensure_first_administrator()
    assert not User.objects.get().is_superuser


def test_shipped_roles_hold_what_they_say() -> None:
    services.ensure_shipped_roles()
    held = {role.shipped: set(role.permission_names) for role in Role.objects.all()}
    assert set(held) == {
        "administrator",
        "operator",
        "developer",
        "auditor",
        "guest",
        "agent manager",
        "deployer",
        "release manager",
        "library keeper",
    }
    everything = selectors.names_of(selectors.room_permissions())
    assert held["administrator"] == everything
    assert held["auditor"] == {name for name in everything if ".view_" in name}
    assert {"cmdb.view_host", "cmdb.run_host"} <= held["operator"]
    assert not {"cmdb.delete_host", "cmdb.change_credential"} & held["operator"]
    assert not any(name.startswith("accounts.") for name in held["operator"])
    # Who launches a run that waits between its batches can let it go on.
    for role in ("operator", "developer"):
        assert {"tasks.add_run", "tasks.control_run"} <= held[role]
    assert all(".view_" in name for name in held["guest"])
    assert "cmdb.add_enrolmenttoken" in held["agent manager"]
    # Whoever delivers needs no right on the hosts, and whoever looks after hosts delivers nothing by that.
    for role in ("deployer", "release manager", "developer"):
        assert "appconf.deploy_environment" in held[role]
    assert "appconf.deploy_environment" not in held["operator"]
    assert not {"cmdb.run_host", "appconf.change_environment"} & held["deployer"]
    past = {"delivery.emergency_deploy", "delivery.break_deploylock"}
    assert past <= held["release manager"]
    assert not past & (held["deployer"] | held["developer"])


def test_shipping_roles_again_changes_nothing() -> None:
    services.ensure_shipped_roles()
    lines = AuditEntry.objects.count()
    services.ensure_shipped_roles()
    assert Role.objects.count() == 9
    assert AuditEntry.objects.count() == lines


def test_what_people_took_away_stays_away_and_what_is_new_joins() -> None:
    services.ensure_shipped_roles()
    role = Role.objects.get(shipped="operator")
    run, see = (
        selectors.room_permissions().get(codename=name)
        for name in ("run_host", "view_host")
    )
    role.permissions.remove(run, see)
    role.name = "hands"
    role.offered = [name for name in role.offered if name != "cmdb.view_host"]
    role.save()
    services.ensure_shipped_roles()
    names = Role.objects.get(shipped="operator").permission_names
    assert "cmdb.view_host" in names
    assert "cmdb.run_host" not in names
    assert Role.objects.count() == 9


def test_a_role_that_somebody_made_under_that_name_is_left_alone() -> None:
    Role.objects.create(name="auditor")
    services.ensure_shipped_roles()
    assert Role.objects.get(name="auditor").permission_names == []


def test_a_lost_password_is_set_from_standard_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    user = make_user("ann")
    monkeypatch.setattr("sys.stdin", io.StringIO(NEW + "\n"))
    call_command("set_password", "ann")
    user.refresh_from_db()
    assert user.check_password(NEW)
    assert NEW not in capsys.readouterr().out
    assert AuditEntry.objects.get().verb == "user.password"


@pytest.mark.parametrize(
    ("username", "typed", "sentence"),
    [
        ("nobody", NEW, "There is no user"),
        ("ann", "short", "too short"),
        ("ann", "", "too short"),
    ],
)
def test_set_password_says_in_one_sentence_what_is_wrong(
    monkeypatch: pytest.MonkeyPatch, username: str, typed: str, sentence: str
) -> None:
    user = make_user("ann")
    monkeypatch.setattr("sys.stdin", io.StringIO(typed + "\n"))
    with pytest.raises(CommandError, match=sentence):
        call_command("set_password", username)
    user.refresh_from_db()
    assert user.check_password(PASSWORD)
