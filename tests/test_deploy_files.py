"""Dockerfile, compose file, nginx and .env.example against the settings: names exist, ports and limits agree."""

import ast
import functools
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.urls import resolve

from adminset import keyring
from deploy import make_secrets

ROOT = Path(settings.BASE_DIR)
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = [
    "migrate",
    "web",
    "ingest",
    "worker",
    "runner",
    "urgent",
    "builder",
    "planner",
    "beat",
]
STORES = ["postgres", "redis", "mongodb"]
NGINX = (ROOT / "deploy" / "nginx.conf").read_text()
DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
READERS = {
    "text",
    "integer",
    "boolean",
    "words",
    "choice",
    "networks",
    "user_and_group",
}
# Read by the launcher alone, before Django is there.
LAUNCHER = {"BIND", "ADMINSET_INGEST_PORT"}


@functools.cache
def names_read() -> frozenset[str]:
    """Collect the names that the portal's code reads from the environment by a typed reader."""
    rooms = (file.parent for file in ROOT.glob("*/apps.py"))
    files = [file for room in rooms for file in room.rglob("*.py")]
    return frozenset(name for file in files for name in names_in(file.read_text()))


def names_in(code: str) -> set[str]:
    # To parse all code takes seconds, and few modules read the environment.
    if not re.search(r"\benv\b", code):
        return set()
    return {
        node.args[0].value
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in READERS
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "env"
        and isinstance(node.args[0], ast.Constant)
    }


def lines_of(word: str) -> list[str]:
    return [line for line in DOCKERFILE if line.startswith(word)]


def test_env_example_names_every_setting_once_and_nothing_else() -> None:
    text = (ROOT / ".env.example").read_text()
    named = re.findall(r"^#?([A-Z][A-Z0-9_]*)=", text, re.MULTILINE)
    assert sorted(named) == sorted(names_read() | LAUNCHER)


def test_env_example_says_the_defaults_of_the_settings() -> None:
    text = (ROOT / ".env.example").read_text()
    said = dict(re.findall(r"^#(ADMINSET_[A-Z_]+)=(\d+)$", text, re.MULTILINE))
    tree = ast.parse((ROOT / "adminset" / "settings.py").read_text())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    defaults = {
        call.args[0].value: eval(compile(ast.Expression(call.args[1]), "", "eval"))  # noqa: S307
        for call in calls
        if getattr(call.func, "attr", "") == "integer"
        and isinstance(call.args[0], ast.Constant)
    }
    wrong = {
        name for name in said if name in defaults and int(said[name]) != defaults[name]
    }
    assert not wrong
    assert set(said) & set(defaults)


@pytest.mark.parametrize("service", OURS)
def test_every_variable_of_a_service_is_a_setting(service: str) -> None:
    variables = set(SERVICES[service]["environment"])
    known = names_read()
    assert {
        name for name in variables if name.removesuffix("_FILE") not in known
    } == set()


@pytest.mark.parametrize("service", OURS)
def test_every_secret_file_is_given_to_the_service_that_reads_it(service: str) -> None:
    environment = SERVICES[service]["environment"]
    read = {
        Path(value).name
        for name, value in environment.items()
        if name.endswith("_FILE")
    }
    assert read == set(SERVICES[service]["secrets"])


def test_every_secret_that_compose_names_is_made(tmp_path: Path) -> None:
    named = {
        name: Path(secret["file"]).name for name, secret in COMPOSE["secrets"].items()
    }
    assert make_secrets.make(tmp_path / "secrets") == sorted(named.values())
    assert make_secrets.make(tmp_path / "secrets") == []
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    keyring.parse_ring((tmp_path / "secrets" / "encryption_keys").read_text())


def test_addresses_in_secrets_name_the_services_and_their_passwords() -> None:
    made = make_secrets.contents()
    assert made["database_url"].endswith("@postgres:5432/adminset")
    assert made["redis_url"].endswith("@redis:6379/0")
    assert "@mongodb:27017/" in made["mongo_url"]
    assert made["postgres_password"] in made["database_url"]
    assert made["mongo_password"] in made["mongo_url"]
    password = re.match("requirepass (.*)", made["redis_conf"])
    assert password
    assert password[1] in made["redis_url"]


def test_no_password_stands_in_the_compose_file() -> None:
    for name, service in SERVICES.items():
        for variable, value in service.get("environment", {}).items():
            secret = re.search("PASSWORD|SECRET|KEY|_URL", variable)
            assert not secret or value.startswith("/run/secrets/"), (name, variable)


def test_what_must_be_said_has_no_default_and_says_how() -> None:
    hosts = SERVICES["web"]["environment"]["ALLOWED_HOSTS"]
    assert re.search(r"\$\{ADMINSET_HOST:\?.*as in ADMINSET_HOST=", hosts)
    assert "127.0.0.1" in hosts.split(",")[-1]


@pytest.mark.parametrize("service", [name for name in SERVICES if name != "migrate"])
def test_every_service_that_stays_has_a_health_check(service: str) -> None:
    assert SERVICES[service]["healthcheck"]["test"]
    assert SERVICES[service]["restart"] == "unless-stopped"


@pytest.mark.parametrize("service", OURS[1:])
def test_processes_wait_for_the_migration_and_healthy_stores(service: str) -> None:
    waits = {
        name: how["condition"] for name, how in SERVICES[service]["depends_on"].items()
    }
    healthy = dict.fromkeys(STORES, "service_healthy")
    assert waits == {"migrate": "service_completed_successfully", **healthy}


def test_there_is_exactly_one_beat() -> None:
    assert SERVICES["beat"]["deploy"]["replicas"] == 1
    beats = [name for name in SERVICES if "beat" in SERVICES[name].get("command", [])]
    assert beats == ["beat"]


def test_the_portals_port_is_the_same_everywhere() -> None:
    command = lines_of("CMD")[0]
    port = re.search(r'"--port", "(\d+)"', command)
    assert port
    assert lines_of("EXPOSE") == [f"EXPOSE {port[1]}"]
    assert SERVICES["web"]["expose"] == [port[1]]
    assert SERVICES["web"]["environment"]["PORT"] == port[1]
    assert f"server web:{port[1]};" in NGINX
    assert any(f"PORT={port[1]} " in line for line in lines_of("ENV"))


def test_agents_and_remote_write_go_to_processes_of_their_own() -> None:
    assert SERVICES["ingest"]["environment"]["ADMINSET_ROLE"] == "ingest"
    assert "ADMINSET_ROLE" not in SERVICES["web"]["environment"]
    port = SERVICES["ingest"]["expose"][0]
    assert f"server ingest:{port};" in NGINX
    # Where none of them answers, the web process does.
    assert f"server web:{port} backup;" in NGINX
    waits = SERVICES["nginx"]["depends_on"]
    assert waits["ingest"] == {"condition": "service_healthy"}
    block = re.search(r"location ~ (\S+) \{([^}]*)\}", NGINX)
    assert block
    assert "proxy_pass http://ingest;" in block[2]
    for path in ("/api/agent/v1/metrics", "/api/agent/v1/enroll", "/api/prom/write"):
        assert re.search(block[1], path), path
        assert resolve(path, "monitor.ingest_urls")
    for path in ("/api/prom/api/v1/query", "/api/v1/hosts/", "/x/api/agent/", "/"):
        assert not re.search(block[1], path), path


def test_only_nginx_is_reached_from_outside() -> None:
    published = {
        name: service["ports"]
        for name, service in SERVICES.items()
        if "ports" in service
    }
    assert published == {"nginx": ["80:80", "443:443"]}
    for pair in published["nginx"]:
        assert re.search(rf"listen {pair.partition(':')[2]}\b", NGINX)


def test_nginx_is_asked_where_it_answers() -> None:
    url = SERVICES["nginx"]["healthcheck"]["test"][-1]
    port, path = re.fullmatch(r"http://127\.0\.0\.1:(\d+)(/.*)", url).groups()  # type: ignore[union-attr]
    assert f"listen 127.0.0.1:{port};" in NGINX
    assert f"location = {path} " in NGINX


def test_nginx_passes_web_sockets_and_tells_who_asks() -> None:
    assert "proxy_http_version 1.1;" in NGINX
    assert "proxy_set_header Upgrade $http_upgrade;" in NGINX
    assert "proxy_set_header Connection $connection_upgrade;" in NGINX
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in NGINX
    assert "proxy_set_header X-Forwarded-Proto $scheme;" in NGINX
    assert "proxy_set_header Host $host;" in NGINX


def test_nginx_has_balanced_brackets_and_semicolons() -> None:
    lines = [line.strip() for line in NGINX.splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    assert sum(line.count("{") for line in lines) == sum(
        line.count("}") for line in lines
    )
    assert all(line[-1] in ";{}" for line in lines)


def test_nginx_lets_through_what_the_portal_takes_and_no_more() -> None:
    sizes = [
        int(size) * 2**20 for size in re.findall(r"client_max_body_size (\d+)m;", NGINX)
    ]
    assert sizes == [
        settings.DATA_UPLOAD_MAX_MEMORY_SIZE,
        settings.AGENT_MAX_BODY_BYTES,
    ]
    assert settings.PROM_MAX_BODY_BYTES == settings.AGENT_MAX_BODY_BYTES


def test_the_proxy_is_trusted_by_the_network_it_lives_in() -> None:
    network = COMPOSE["networks"]["portal"]["ipam"]["config"][0]["subnet"]
    assert SERVICES["web"]["environment"]["ADMINSET_TRUSTED_PROXIES"] == network


def test_the_image_has_two_stages_and_an_unprivileged_user() -> None:
    assert len(lines_of("FROM")) == 2
    last = "\n".join(DOCKERFILE[DOCKERFILE.index(lines_of("FROM")[1]) :])
    assert re.search(r"^USER adminset$", last, re.MULTILINE)
    assert "HEALTHCHECK" in last
    assert "secrets" not in last


def test_the_image_gets_only_what_it_needs() -> None:
    allowed = (ROOT / ".dockerignore").read_text().splitlines()
    assert allowed[0] == "*"
    for line in allowed:
        pattern = line.removeprefix("!")
        assert not line.startswith("!") or list(ROOT.glob(pattern)), line
    assert "!tests" not in allowed


@pytest.mark.parametrize("service", OURS)
def test_our_containers_may_do_little(service: str) -> None:
    assert SERVICES[service]["read_only"] is True
    assert SERVICES[service]["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in SERVICES[service]["security_opt"]


@pytest.mark.parametrize("service", ["web", "worker", "runner"])
def test_what_the_portal_keeps_in_folders_outlives_a_container(service: str) -> None:
    """The root of a container cannot be written: each folder of the settings that is needs a volume, made for our user."""
    code = (ROOT / "adminset" / "settings.py").read_text()
    folders = set(re.findall(r'^[A-Z]+_DIR = DATA_DIR / "(\w+)"', code, re.MULTILINE))
    assert folders >= {"runs", "library"}
    mounted = {volume.partition(":")[2] for volume in SERVICES[service]["volumes"]}
    made = (ROOT / "Dockerfile").read_text()
    for folder in folders:
        assert f"/var/lib/adminset/{folder}" in mounted
        assert f" /var/lib/adminset/{folder}" in made
    assert set(COMPOSE["volumes"]) >= folders


def test_workers_listen_to_the_queues_of_the_settings() -> None:
    queues = {
        name: SERVICES[name]["command"][SERVICES[name]["command"].index("--queues") + 1]
        for name in ("worker", "runner", "urgent", "builder", "planner")
    }
    assert queues == {
        "worker": settings.CELERY_TASK_DEFAULT_QUEUE,
        "runner": settings.RUN_QUEUE,
        "urgent": settings.URGENT_QUEUE,
        "builder": settings.DELIVERY_QUEUE,
        "planner": settings.QUESTION_QUEUE,
    }


def test_ci_calls_make_test_and_nothing_else() -> None:
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    assert lines[0] == "#!/usr/bin/env bash"
    assert lines[-1] == "exec make test"
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111
