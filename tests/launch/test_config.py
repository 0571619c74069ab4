"""The settings that the launcher reads before any package is installed."""

from pathlib import Path

import pytest

from adminset.launch import config
from adminset.launch.errors import LaunchError


def test_defaults_are_loopback_port_8000_and_var(tmp_path: Path) -> None:
    place = config.read(tmp_path, {})
    assert place.url == "http://127.0.0.1:8000"
    assert place.data == tmp_path / "var"


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=9000\nexport BIND='0.0.0.0' \n# PORT=1\n")
    assert config.read(tmp_path, {}).port == 9000
    assert config.read(tmp_path, {}).url == "http://127.0.0.1:9000"
    assert config.read(tmp_path, {"PORT": "8123"}).port == 8123


@pytest.mark.parametrize("port", ["0", "65536", "http", "-1", "8 000", "８０００"])
def test_a_bad_port_is_said_with_its_value(tmp_path: Path, port: str) -> None:
    with pytest.raises(LaunchError, match=f"PORT is '{port}'; wanted: a number"):
        config.read(tmp_path, {"PORT": port})


def test_comments_and_quotes_of_the_file_are_understood(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text('A="x # y"\nB=1 # one\nnonsense\nC=\n')
    assert config.read_dotenv(tmp_path / ".env") == {"A": "x # y", "B": "1", "C": ""}


def test_a_setting_in_a_file_counts_as_set(tmp_path: Path) -> None:
    place = config.read(tmp_path, {"REDIS_URL_FILE": "/run/secrets/redis"})
    assert place.is_set("REDIS_URL")
    assert not place.is_set("MONGO_URL")


def test_an_ipv6_address_stands_in_brackets(tmp_path: Path) -> None:
    assert config.read(tmp_path, {"BIND": "::1"}).url == "http://[::1]:8000"
