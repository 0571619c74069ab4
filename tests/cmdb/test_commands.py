"""The commands: they say what they must on the last line, and nothing twice."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Role, User
from adminset.models import AuditEntry
from cmdb.models import AssetStatus, EnrolmentToken
from cmdb.services import tokens
from tests import template
from tests.factories import make_group

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.django_db
def test_a_second_start_makes_nothing_anew(capsys: Any, monkeypatch: Any) -> None:
    monkeypatch.delenv("ADMINSET_ADMIN_PASSWORD", raising=False)
    call_command("prepare_portal", "--enrolment-token")
    first = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert User.objects.get(username=first["username"]).check_password(
        first["password"]
    )
    assert tokens.find(first["enrolment_token"]).use_limit == 1
    assert AssetStatus.objects.count() == 5
    counts = (AuditEntry.objects.count(), Role.objects.count())
    call_command("prepare_portal")
    second = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert second == {"username": "admin", "password": None, "enrolment_token": None}
    assert (AuditEntry.objects.count(), Role.objects.count()) == counts


def _run(tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    here = {"DATABASE_URL": f"sqlite:///{tmp_path}/p.sqlite3"}
    here |= {"ADMINSET_DATA_DIR": str(tmp_path)}
    here |= {"DJANGO_SETTINGS_MODULE": "adminset.settings", **environment}
    return subprocess.run(
        [sys.executable, "manage.py", "prepare_portal"],
        cwd=ROOT,
        env=os.environ | here,
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_empty_database_becomes_a_portal(tmp_path: Path) -> None:
    done = _run(tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["username"] == "admin"


def test_what_cannot_be_done_is_one_sentence(tmp_path: Path) -> None:
    template.copy_to(tmp_path / "p.sqlite3")
    done = _run(tmp_path, ADMINSET_ADMIN_PASSWORD="short")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.django_db
def test_a_token_stands_alone_on_the_last_line(capsys: Any) -> None:
    group = make_group("edge")
    options = {"agents": 5, "hours": 2.0, "group": "edge"}
    call_command("create_enrolment_token", "rack 1", **options)
    row = tokens.find(capsys.readouterr().out.splitlines()[-1])
    assert (row.name, row.use_limit, row.group) == ("rack 1", 5, group)


@pytest.mark.django_db
@pytest.mark.parametrize("options", [{"group": "none"}, {"agents": 0}, {"hours": 0.0}])
def test_a_token_without_sense_is_not_made(options: dict[str, Any]) -> None:
    with pytest.raises(CommandError):
        call_command("create_enrolment_token", "x", **options)
    assert not EnrolmentToken.objects.exists()
