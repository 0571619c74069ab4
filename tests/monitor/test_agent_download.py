"""What a new host downloads: the script, filled; the packages, always the same bytes; nothing secret."""

import hashlib
import io
import os
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.test import Client

from cmdb.models import Agent
from cmdb.services import agents
from monitor import agent_deb, agent_package
from monitor.agent_package import ROOT
from monitor.store import MetricStore
from tests.factories import make_user

TOKEN_VARIABLE = "ADMINSET_ENROLL_TOKEN"


def test_the_script_carries_the_portals_address_and_the_checksum(
    client: Client,
) -> None:
    answer = client.get("/agent/install.sh")
    text = answer.content.decode()
    package = agent_package.tarball()
    assert answer.status_code == 200
    assert "PORTAL='http://testserver'\n" in text
    assert f"PACKAGE='{package.name}'\n" in text
    assert f"PACKAGE_SHA256='{package.sha256}'\n" in text
    assert subprocess.run(["sh", "-n"], input=answer.content, check=True)


def test_the_package_is_what_the_script_says(client: Client) -> None:
    package = agent_package.tarball()
    answer = client.get(f"/agent/{package.name}")
    assert hashlib.sha256(answer.content).hexdigest() == package.sha256
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as tar:
        names = tar.getnames()
        assert {entry.uid for entry in tar} == {0}
    stem = package.name.removesuffix(".tar.gz")
    assert f"{stem}/agent/__main__.py" in names
    assert f"{stem}/agent/adminset-agent.service" in names
    assert not [name for name in names if "__pycache__" in name or name.endswith("pyc")]


def test_other_names_are_not_there(client: Client) -> None:
    for name in ("adminset-agent-9.9.9.tar.gz", "settings.py", "..%2fmanage.py"):
        assert client.get(f"/agent/{name}").status_code == 404
    assert client.post("/agent/install.sh").status_code == 405


def test_an_address_that_is_no_plain_name_is_not_written_into_the_script(
    client: Client, settings: Any
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    for host in ("a'b", "$(id)", "`id`", "a b", "a;b"):
        answer = client.get("/agent/install.sh", headers={"host": host})
        assert answer.status_code == 400
        assert b"PORTAL" not in answer.content


def test_hosts_of_any_network_may_install(client: Client, settings: Any) -> None:
    settings.ALLOWED_NETWORKS = ("192.0.2.0/24",)
    assert client.get("/agent/install.sh").status_code == 200


@pytest.mark.django_db
def test_the_page_of_a_new_token_shows_the_one_line(client_of: Any) -> None:
    answer = client_of(make_user(is_superuser=True)).post(
        "/cmdb/enrolment-tokens/add/", {"name": "rack 7", "use_limit": 1, "days": 1}
    )
    plain = answer.context["plain"]
    line = f"curl -fsS http://testserver/agent/install.sh | {TOKEN_VARIABLE}={plain} sh"
    assert line in answer.content.decode()
    assert plain.replace(".", "").replace("-", "").replace("_", "").isalnum()


def _copy(tmp_path: Path, name: str) -> Path:
    place = tmp_path / name
    shutil.copytree(ROOT / "agent", place / "agent")
    (place / "docs").mkdir()
    shutil.copy(ROOT / "docs" / "agent.md", place / "docs")
    for path in place.rglob("*"):
        os.utime(path, (len(name), len(name)))
    return place


def test_the_same_files_make_the_same_bytes_anywhere(tmp_path: Path) -> None:
    one, other = _copy(tmp_path, "one"), _copy(tmp_path, "another")
    (other / "agent" / "__pycache__").mkdir(exist_ok=True)
    (other / "agent" / "__pycache__" / "x.pyc").write_bytes(b"x")
    assert agent_package.tarball(one) == agent_package.tarball(other)
    assert agent_deb.deb(one) == agent_deb.deb(other)
    (other / "agent" / "version.py").write_text('VERSION = "0.2.0"\n')
    agent_package.tarball.cache_clear()
    changed = agent_package.tarball(other)
    assert changed.name == "adminset-agent-0.2.0.tar.gz"


def _dpkg(place: Path, *words: str) -> None:
    options = [f"--root={place}", "--force-depends", "--force-script-chrootless"]
    subprocess.run(["dpkg", *options, *words], check=True, capture_output=True)


@pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="dpkg is not on this machine")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root installs packages")
def test_dpkg_installs_runs_and_purges_the_package(tmp_path: Path) -> None:
    place, package = tmp_path / "root", agent_deb.deb()
    (place / "var/lib/dpkg/info").mkdir(parents=True)
    (place / "var/lib/dpkg/updates").mkdir()
    (place / "var/lib/dpkg/status").touch()
    file = tmp_path / package.name
    file.write_bytes(package.content)
    _dpkg(place, "-i", str(file))
    library = place / agent_deb.LIBRARY
    command = [shutil.which("python3", path="/usr/bin") or "python3", "-m", "agent"]
    ran = subprocess.run(
        [*command, "--version"],
        cwd=library,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.strip() == agent_package.version()
    unit = (place / agent_deb.UNIT).read_text()
    assert "ExecStart=/usr/bin/python3 -m agent --config" in unit
    assert f"WorkingDirectory=/{agent_deb.LIBRARY}\n" in unit
    _dpkg(place, "-P", "adminset-agent")
    assert not library.exists()
    assert not (place / agent_deb.CONFIG).exists()


def _run(line: str, script: bytes = b"", **variables: str) -> Any:
    """Run a line of shell without a terminal, as a machine that sets up another would."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if "PROXY" not in name.upper() and not name.startswith("ADMINSET_")
    }
    return subprocess.run(
        ["sh", "-c", line],
        input=script,
        env={**kept, **variables},
        capture_output=True,
        check=False,
        timeout=100,
        start_new_session=True,
    )


@pytest.fixture
def packages(tmp_path: Path) -> str:
    """A folder with psutil, as a distribution has it: nothing is downloaded."""
    folder = tmp_path / "packages"
    folder.mkdir()
    (folder / "psutil").symlink_to(Path(psutil.__file__).parent)
    return str(folder)


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not on this machine")
@pytest.mark.django_db(transaction=True)
def test_one_line_installs_enrols_upgrades_and_uninstalls(
    live_server: Any,
    measurements: MetricStore,
    tmp_path: Path,
    packages: str,
) -> None:
    script = f"curl -fsS {live_server.url}/agent/install.sh"
    plain = agents.create_enrolment_token(
        actor=make_user(is_superuser=True), name="line"
    )[1]
    place = tmp_path / "root"
    line = f"{script} | sh -s -- --root {place}"
    done = _run(line, PYTHONPATH=packages, **{TOKEN_VARIABLE: plain})
    told = done.stdout.decode() + done.stderr.decode()
    assert done.returncode == 0, told
    assert f"SHA-256 {agent_package.tarball().sha256} is right." in told
    assert "systemd does not run here" in told
    assert plain not in told
    agent = Agent.objects.get()
    credential = place / "var/lib/adminset-agent/credential.json"
    assert agent.public_id in credential.read_text()
    assert credential.stat().st_mode & 0o777 == 0o600
    again = _run(line, PYTHONPATH=packages)
    assert again.returncode == 0, again.stderr.decode()
    assert "already enrolled" in again.stdout.decode()
    assert Agent.objects.count() == 1
    gone = _run(f"{line} --uninstall --purge")
    assert gone.returncode == 0
    assert [path for path in place.rglob("*") if path.is_file()] == []


@pytest.mark.django_db(transaction=True)
def test_a_package_that_was_changed_on_the_way_installs_nothing(
    live_server: Any, tmp_path: Path
) -> None:
    package = agent_package.tarball()
    wrong = agent_package.Package(package.name, b"", "0" * 64)
    script = agent_package.script(live_server.url, wrong).encode()
    line = f"sh -s -- --root {tmp_path / 'root'}"
    done = _run(line, script, **{TOKEN_VARIABLE: "not.needed"})
    assert done.returncode == 1
    assert "is not the one that this script belongs to" in done.stderr.decode()
    assert list((tmp_path / "root").rglob("*")) == []


def test_half_a_script_does_nothing(tmp_path: Path) -> None:
    whole = agent_package.script("http://127.0.0.1:9", agent_package.tarball()).encode()
    for part in (3, 2):
        half = whole[: len(whole) * part // 4]
        _run(f"sh -s -- --root {tmp_path / 'root'}", half)
    assert not (tmp_path / "root").exists()
