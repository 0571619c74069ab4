"""What the launcher looks at first, and the sentences it says."""

import socket
from collections import namedtuple
from dataclasses import replace
from pathlib import Path

import pytest

from adminset.launch import checks
from adminset.launch.errors import LaunchError
from tests.launch.places import free_port, make_place

Usage = namedtuple("Usage", "total used free")


def test_an_old_python_is_named_with_the_version_wanted() -> None:
    with pytest.raises(
        LaunchError, match=r"Python 3\.10 is too old: AdminSet needs 3\.11"
    ):
        checks.python((3, 10))


def test_a_missing_venv_module_names_the_package(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(checks.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(LaunchError, match="apt install python3-venv"):
        checks.venv_module()


def test_a_taken_port_is_named_with_another_to_take(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        number = other.getsockname()[1]
        place = replace(make_place(tmp_path), port=number)
        with pytest.raises(
            LaunchError, match=rf"Port {number} is in use.*PORT=8123 make up"
        ):
            checks.port(place)


def test_a_free_port_is_accepted(tmp_path: Path) -> None:
    place = replace(make_place(tmp_path), port=free_port())
    checks.port(place)
    assert checks.port_is_free(place.bind, place.port)


def test_an_address_of_another_machine_is_refused(tmp_path: Path) -> None:
    place = replace(make_place(tmp_path), bind="192.0.2.1", port=free_port())
    with pytest.raises(
        LaunchError, match=r"Address 192\.0\.2\.1 port .* cannot be used"
    ):
        checks.port(place)


def test_a_data_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(
        LaunchError, match=r"file/var cannot be written.*ADMINSET_DATA_DIR"
    ):
        checks.writable(tmp_path / "file" / "var")


def test_the_data_directory_is_private(tmp_path: Path) -> None:
    checks.writable(tmp_path / "var")
    assert (tmp_path / "var" / "run").stat().st_mode & 0o777 == 0o700


def test_a_full_disk_is_said_in_gigabytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks.writable(tmp_path / "var")
    monkeypatch.setattr(checks.shutil, "disk_usage", lambda _folder: Usage(0, 0, 3e8))
    with pytest.raises(LaunchError, match=r"has 0\.3 GB free, 1\.5 GB are needed"):
        checks.room(make_place(tmp_path), checks.COLD_BYTES)


def test_a_second_start_needs_less_room(tmp_path: Path) -> None:
    place = make_place(tmp_path)
    assert checks.cold(place)
    place.venv.mkdir()
    (place.venv / "adminset.stamp").touch()
    assert not checks.cold(place)
