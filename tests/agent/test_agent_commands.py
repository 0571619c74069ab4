"""The command line: configuration, enrol, once."""

import json
import os
import stat

import pytest

from agent import __main__ as commands
from agent import config as configuration
from agent.config import Config
from agent.errors import ConfigError

SECRET = "s3cr3t-" + "x" * 36


def ini(tmp_path, *lines):
    path = tmp_path / "agent.conf"
    path.write_text("\n".join(["[agent]", *lines]) + "\n")
    return str(path)


def test_the_environment_wins_over_the_file_and_the_file_over_defaults(tmp_path):
    path = ini(tmp_path, "server = https://a.example/", "sample_seconds = 20")
    environ = {"ADMINSET_AGENT_SAMPLE_SECONDS": "30", "ADMINSET_AGENT_VERIFY_TLS": "no"}
    config = configuration.load(path, environ)
    assert config.server == "https://a.example"
    assert config.sample_seconds == 30
    assert config.verify_tls is False
    assert config.flush_seconds == Config().flush_seconds


def test_the_file_can_be_named_by_the_environment(tmp_path):
    environ = {"ADMINSET_AGENT_CONFIG": ini(tmp_path, "log_level = DEBUG")}
    assert configuration.load(None, environ).log_level == "debug"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("sample_seconds = often", "a whole number from 1 to 86400"),
        ("sample_seconds = 0", "a whole number from 1 to 86400"),
        ("verify_tls = perhaps", "true or false"),
        ("log_level = loud", "one of debug, info, warning, error"),
        ("server = ftp://x", "an address like https://"),
        ("server = https://", "an address like https://"),
        ("server = https://h:99999", "an address like https://"),
        ("server = https://eve:pw@h", "carries a user"),
        ("sampel_seconds = 1", "Unknown option sampel_seconds"),
    ],
)
def test_a_wrong_option_is_told_in_one_sentence(tmp_path, line, words):
    path = ini(tmp_path, line)
    with pytest.raises(ConfigError) as caught:
        configuration.load(path, {})
    assert words in str(caught.value)
    assert path in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["no section\n", "[other]\n", "[agent]\nx\n", "\xff"])
def test_a_damaged_file_ends_with_code_2_and_no_traceback(tmp_path, run_agent, text):
    path = tmp_path / "agent.conf"
    path.write_bytes(text.encode("latin-1"))
    done = run_agent("--config", str(path))
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert str(path) in done.stderr


def test_a_missing_file_and_a_missing_credential_say_what_to_do(
    tmp_path, run_agent, config, environ, credential_file
):
    done = run_agent("--config", str(tmp_path / "nowhere"))
    assert (done.returncode, "give another one" in done.stderr) == (2, True)
    credential_file.unlink()
    done = run_agent(env=environ(config))
    assert done.returncode == 2
    assert "enroll --server" in done.stderr
    assert "Traceback" not in done.stderr
    credential_file.write_text('{"agent_id": "x"}')
    done = run_agent(env=environ(config))
    assert (done.returncode, "is damaged" in done.stderr) == (2, True)


def enrolling(config, environ, token=""):
    variables = environ(config)
    variables.pop("ADMINSET_AGENT_SERVER")
    return dict(variables, ADMINSET_ENROLL_TOKEN=token)


@pytest.mark.parametrize("way", ["file", "stdin", "environment"])
def test_enrolling_writes_a_private_credential(
    tmp_path, run_agent, config, environ, portal, way
):
    path = tmp_path / "new" / "credential.json"
    env = enrolling(config._replace(credential_file=str(path)), environ)
    token, arguments, stdin = "pre.fix-secret", [], ""
    if way == "file":
        (tmp_path / "token").write_text(token + "\n")
        arguments = ["--token-file", str(tmp_path / "token")]
    elif way == "stdin":
        arguments, stdin = ["--token-stdin"], token + "\n"
    else:
        env["ADMINSET_ENROLL_TOKEN"] = token
    done = run_agent("enroll", "--server", portal.url, *arguments, env=env, stdin=stdin)
    assert (done.returncode, done.stderr) == (0, "")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text())["secret"] == SECRET
    assert SECRET not in done.stdout + done.stderr
    _, headers, payload = portal.named("enroll")[0]
    assert headers["Authorization"] == "Bearer " + token
    assert set(payload) == {"identity", "boot_id", "seq", "sent_at", "facts"}
    assert not list(path.parent.glob("*.new"))


def test_enrolling_as_root_gives_the_credential_to_the_service(
    tmp_path, run_agent, config, environ, portal
):
    if os.geteuid():
        pytest.skip("only root can give files away")
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    os.chown(str(folder), 61234, 61234)
    path = folder / "credential.json"
    env = enrolling(config._replace(credential_file=str(path)), environ, "a.b")
    assert run_agent("enroll", "--server", portal.url, env=env).returncode == 0
    assert path.stat().st_uid == 61234


def test_enrolling_twice_needs_force(run_agent, config, environ, portal):
    env = enrolling(config, environ, "a.b")
    done = run_agent("enroll", "--server", portal.url, env=env)
    assert (done.returncode, "--force" in done.stderr) == (2, True)
    assert not portal.requests
    done = run_agent("enroll", "--server", portal.url, "--force", env=env)
    assert done.returncode == 0


@pytest.mark.parametrize("token", ["", "two words", "line\u00e9", "x" * 600])
def test_a_token_that_is_none_is_not_sent(run_agent, config, environ, portal, token):
    env = enrolling(config, environ)
    done = run_agent(
        "enroll",
        "--force",
        "--server",
        portal.url,
        "--token-stdin",
        env=env,
        stdin=token + "\n",
    )
    assert done.returncode == 2
    assert "token" in done.stderr
    assert not portal.requests


def test_a_refused_enrolment_is_told_and_writes_nothing(
    run_agent, config, environ, portal, refusal, credential_file
):
    credential_file.unlink()
    portal.answers["enroll"] = refusal(403, "Post forbidden, your token error!!")
    env = enrolling(config, environ, "pre.very-secret")
    done = run_agent("enroll", "--server", portal.url, env=env)
    assert done.returncode == 1
    assert "your token error" in done.stderr
    assert "very-secret" not in done.stderr
    assert not credential_file.exists()


def test_an_answer_without_a_credential_is_refused(
    run_agent, config, environ, portal, credential_file
):
    credential_file.unlink()
    body = {"agent_id": "x\r\ny", "secret": "z"}
    portal.answers["enroll"] = lambda payload: (201, {}, body)
    env = enrolling(config, environ, "a.b")
    done = run_agent("enroll", "--server", portal.url, env=env)
    assert (done.returncode, credential_file.exists()) == (1, False)


def test_once_reports_facts_and_two_samples(run_process, config, environ, portal):
    done = run_process("--once", env=environ(config))
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 1
    assert [entry[0] for entry in portal.requests] == ["facts", "metrics"]
    first, second = portal.named("metrics")[0][2]["samples"]
    assert 0.9 < second["time"] - first["time"] < 2
    assert "cpu.busy_percent" in second["values"]
    assert first["seq"] < second["seq"]


def test_once_without_a_server_ends_with_code_1(run_agent, config, environ, portal):
    portal.close()
    done = run_agent("--once", env=environ(config))
    portal.close = lambda: None
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert SECRET not in done.stderr


def test_a_wrong_configuration_ends_a_real_process_without_a_traceback(
    tmp_path, run_process
):
    done = run_process("--config", ini(tmp_path, "sample_seconds = often"))
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1


def test_a_missing_package_is_named(run_agent, config, environ, monkeypatch):
    def missing(*_):
        raise ModuleNotFoundError("No module named 'psutil'", name="psutil")

    monkeypatch.setattr(commands, "start", missing)
    done = run_agent(env=environ(config))
    assert done.returncode == 2
    assert "The Python package psutil is missing" in done.stderr


def test_an_authority_that_is_not_there_is_told(run_agent, config, environ):
    env = environ(config._replace(ca_file="/nowhere/ca.pem"))
    done = run_agent("--once", env=env)
    assert (done.returncode, "/nowhere/ca.pem" in done.stderr) == (2, True)


def test_rotating_replaces_the_secret_and_shows_none(
    run_agent, config, environ, portal, credential_file
):
    done = run_agent("rotate", env=environ(config))
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(credential_file.read_text())["secret"] == SECRET[::-1]
    assert stat.S_IMODE(credential_file.stat().st_mode) == 0o600
    assert SECRET[::-1] not in done.stdout
    assert set(portal.named("rotate")[0][2]) == {"boot_id"}


def test_a_rotation_that_is_refused_leaves_the_credential(
    run_agent, config, environ, portal, credential_file
):
    portal.answers["rotate"] = lambda payload: (409, {}, {})
    before = credential_file.read_text()
    done = run_agent("rotate", env=environ(config))
    assert (done.returncode, "no new secret" in done.stderr) == (1, True)
    assert credential_file.read_text() == before
