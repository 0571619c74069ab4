"""The parts of the process manager, each alone: programs, supervisord's file, stores, lock, readiness, account."""

import configparser
import json
import os
import shlex
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from adminset.launch import (
    account,
    config,
    lock,
    programs,
    ready,
    services,
    supervisor,
)
from adminset.launch.errors import LaunchError
from adminset.launch.services import Services
from tasks.terminal.registry import DRAIN_SECONDS
from tests.launch.places import free_port, make_place

EMBEDDED = Services(6001, "secret-of-valkey", 6002)


def test_stores_that_are_configured_are_not_started(tmp_path: Path) -> None:
    place = make_place(
        tmp_path, REDIS_URL="redis://r/0", MONGO_URL_FILE="/run/secrets/m"
    )
    chosen = services.choose(place)
    assert programs.stores(place, chosen) == []
    assert chosen.environment() == {}


def test_ports_of_stores_are_kept_while_they_are_free(tmp_path: Path) -> None:
    place = make_place(tmp_path)
    first = services.choose(place)
    assert services.choose(place) == first
    assert first.valkey_port != first.secantus_port


def test_a_port_that_was_taken_meanwhile_is_replaced(tmp_path: Path) -> None:
    place = make_place(tmp_path)
    first = services.choose(place)
    with services.socket.socket() as other:
        other.bind(("127.0.0.1", first.valkey_port))
        other.listen()
        assert services.choose(place).valkey_port != first.valkey_port


def test_what_names_the_stores_is_for_this_user_only(tmp_path: Path) -> None:
    place = make_place(tmp_path)
    chosen = services.choose(place)
    file = place.run_dir / "services.env"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert (
        f"MONGO_URL=mongodb://127.0.0.1:{chosen.secantus_port}/\n" in file.read_text()
    )


def test_valkey_asks_for_a_password_that_ps_does_not_show(tmp_path: Path) -> None:
    place = make_place(tmp_path)
    valkey = programs.stores(place, EMBEDDED)[0]
    assert "secret-of-valkey" not in " ".join(valkey.command)
    assert "requirepass secret-of-valkey" in (place.run_dir / "valkey.conf").read_text()


def test_no_process_is_told_the_first_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADMINSET_ADMIN_PASSWORD", "chosen-by-me")
    told = programs.environment(make_place(tmp_path), EMBEDDED)
    assert "chosen-by-me" not in told.values()
    assert told["REDIS_URL"] == "redis://:secret-of-valkey@127.0.0.1:6001/0"


def test_the_agent_may_speak_to_loopback_whatever_hosts_are_allowed(
    tmp_path: Path,
) -> None:
    place = make_place(tmp_path, ALLOWED_HOSTS="portal.example")
    assert (
        programs.environment(place, EMBEDDED)["ALLOWED_HOSTS"]
        == "portal.example,127.0.0.1"
    )


def test_supervisords_file_holds_no_secret_and_survives_a_percent_sign(
    tmp_path: Path,
) -> None:
    place = make_place(tmp_path / "100%s of it")
    place.run_dir.mkdir(parents=True)
    text = supervisor.render(place, programs.every(place, EMBEDDED, 4))
    parsed = configparser.ConfigParser()
    parsed.read_string(text)
    assert "secret-of-valkey" not in text
    assert parsed["program:web"]["directory"] == str(place.root)
    assert (
        parsed["group:portal"]["programs"]
        == "web,worker,runner,urgent,builder,planner,beat,agent"
    )
    assert parsed["group:stores"]["programs"] == "valkey,secantus"


def test_the_portal_has_gone_and_the_stores_after_it_before_ten_seconds(
    tmp_path: Path,
) -> None:
    place = make_place(tmp_path)
    place.run_dir.mkdir(parents=True)
    listed = programs.every(place, EMBEDDED, 4)
    slowest: dict[str, int] = {}
    for program in listed:
        most = max(program.stop_seconds, slowest.get(program.group, 0))
        slowest[program.group] = most
    assert sum(slowest.values()) < supervisor.STOP_SECONDS < 10


def test_the_web_process_has_the_time_to_end_requests_and_then_terminals(
    tmp_path: Path,
) -> None:
    place = make_place(tmp_path)
    place.run_dir.mkdir(parents=True)
    (web,) = (one for one in programs.portal(place, 4) if one.name == "web")
    at = web.command.index("--timeout-graceful-shutdown")
    assert int(web.command[at + 1]) + DRAIN_SECONDS < web.stop_seconds


def test_every_program_runs_on_a_leash(tmp_path: Path) -> None:
    place = make_place(tmp_path)
    place.run_dir.mkdir(parents=True)
    parsed = configparser.ConfigParser(interpolation=None)
    parsed.read_string(supervisor.render(place, programs.every(place, EMBEDDED, 4)))
    commands = [
        parsed[name]["command"] for name in parsed if name.startswith("program:")
    ]
    assert len(commands) == 10
    assert all(shlex.split(command)[3].endswith("leash.py") for command in commands)


def test_a_long_path_does_not_make_the_socket_too_long() -> None:
    deep = Path("/" + "x" * 120) / "supervisor.sock"
    assert supervisor.socket_name(deep) == "supervisor.sock"
    assert supervisor.socket_name(Path("/a/supervisor.sock")) == "/a/supervisor.sock"


def test_a_second_launcher_says_where_the_first_one_answers(tmp_path: Path) -> None:
    place = make_place(tmp_path)
    place.run_dir.mkdir(parents=True)
    lock.take(place)
    ready.announce(place, "admin", {"web": 1})
    expected = rf"already running at http://127\.0\.0\.1:8000, pid {os.getpid()}\."
    with pytest.raises(LaunchError, match=expected):
        lock.take(place)


def test_ready_json_is_private_and_names_the_pids(tmp_path: Path) -> None:
    place = make_place(tmp_path)
    ready.announce(place, "admin", {"web": 17})
    file = place.run_dir / "ready.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    told = json.loads(file.read_text())
    assert told == {
        "url": "http://127.0.0.1:8000",
        "username": "admin",
        "pids": {"web": 17},
    }
    ready.withdraw(place)
    assert not file.exists()


@pytest.mark.parametrize(
    ("body", "missing"),
    [
        ({"status": "degraded", "parts": {"redis": "ok", "beat": "silent"}}, ("beat",)),
        (
            {"status": "degraded", "parts": {"mongodb": {"status": "away"}}},
            ("mongodb",),
        ),
        ([], ()),
        ("text", ()),
    ],
)
def test_parts_that_do_not_answer_are_named(
    body: object, missing: tuple[str, ...]
) -> None:
    answer = ready.read(503, json.dumps(body).encode())
    assert not answer.ok
    assert answer.missing == missing


def test_a_portal_that_is_away_is_not_ready(tmp_path: Path) -> None:
    assert ready.ask(replace(make_place(tmp_path), port=free_port())) == ready.Answer()


def test_an_exceptions_name_is_taken_off_the_sentence() -> None:
    line = "django.core.exceptions.ImproperlyConfigured: PORT is 'x'; wanted: a number."
    assert account.sentence(line) == "PORT is 'x'; wanted: a number."
    assert (
        account.sentence("CommandError: Nothing here: at all.")
        == "Nothing here: at all."
    )
    assert (
        account.sentence("The database is away: no route.")
        == "The database is away: no route."
    )


def test_the_ready_line_shows_a_random_password_once() -> None:
    first = account.Account("admin", "k3y-w0rd", None)
    later = account.Account("admin", None, None)
    assert first.sign_in(was_chosen=False) == "admin / k3y-w0rd"
    assert (
        later.sign_in(was_chosen=False) == "admin / (the password of the first start)"
    )
    assert first.sign_in(was_chosen=True) == "admin / (the password you set)"
    assert "k3y-w0rd" not in repr(first)


def test_a_bad_concurrency_is_said_with_its_value(tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match="ADMINSET_WORKER_CONCURRENCY is 'many'"):
        config.concurrency(make_place(tmp_path, ADMINSET_WORKER_CONCURRENCY="many"))
    assert config.concurrency(make_place(tmp_path)) == 4


def test_the_intake_is_a_part_of_its_own_only_where_a_port_is_named(
    tmp_path: Path,
) -> None:
    plain = programs.portal(make_place(tmp_path), 1)
    assert "ingest" not in [program.name for program in plain]
    apart = programs.portal(make_place(tmp_path, ADMINSET_INGEST_PORT="8123"), 1)
    (ingest,) = [program for program in apart if program.name == "ingest"]
    assert "ADMINSET_ROLE=ingest" in ingest.command
    assert ingest.command[ingest.command.index("--port") + 1] == "8123"
    with pytest.raises(LaunchError, match="ADMINSET_INGEST_PORT"):
        programs.portal(make_place(tmp_path, ADMINSET_INGEST_PORT="many"), 1)
