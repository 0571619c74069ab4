"""The daemon in a process of its own: start, stop, kill, outage, replay."""

import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

SECRET = "s3cr3t-" + "x" * 36


def quick(config):
    return config._replace(sample_seconds=1, flush_seconds=1)


def spooled(config):
    paths = Path(config.spool_dir).glob("*.jsonl")
    lines = [line for path in paths for line in path.read_bytes().splitlines()]
    return [json.loads(line) for line in lines if line.endswith(b"}")]


def terminated(process):
    """The exit code and the seconds it took after SIGTERM."""
    started = time.monotonic()
    process.send_signal(signal.SIGTERM)
    return process.wait(timeout=5), time.monotonic() - started


def test_it_draws_at_once_follows_the_portals_pace_and_stops_at_once(
    start_agent, config, portal, tmp_path, eventually
):
    slow = config._replace(warmup_seconds=0, sample_seconds=3600)
    process = start_agent(slow)
    portal.wait_for(lambda: len(portal.stored) >= 2)
    assert len(list(Path(f"/proc/{process.pid}/task").iterdir())) <= 3
    code, seconds = terminated(process)
    assert (code, seconds < 2) == (0, True)
    assert portal.requests[0][0] == "facts"
    values = portal.named("metrics")[0][2]["samples"][0]["values"]
    assert "cpu.busy_percent" in values
    log = (tmp_path / "log").read_text()
    assert "event=start" in log
    assert "event=stop" in log
    assert SECRET not in log


def test_samples_of_an_outage_survive_kill_9_and_arrive_once(
    start_agent, config, open_portal, portal, eventually, tmp_path
):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    away = quick(config)._replace(server=f"http://127.0.0.1:{port}")
    first = start_agent(away)
    eventually(lambda: len(spooled(away)) >= 2)
    first.kill()
    first.wait()
    kept = spooled(away)
    back = open_portal(port)
    second = start_agent(away)
    times = {round(entry["time"] * 1000) for entry in kept}
    back.wait_for(lambda: times <= set(back.stored))
    back.wait_for(lambda: len(back.stored) > len(times))
    assert terminated(second)[0] == 0
    seqs = [(boot, entry["seq"]) for boot, entry in back.stored.values()]
    assert len(seqs) == len(set(seqs))
    assert back.doubles == 0
    assert SECRET not in (tmp_path / "log").read_text()


def test_a_killed_agent_after_a_lost_answer_sends_doubles_that_change_nothing(
    start_agent, config, portal, refusal, eventually
):
    def stored_but_unheard(payload):
        portal.metrics(payload)
        return 500, {}, {}

    portal.answers["metrics"] = stored_but_unheard
    first = start_agent(quick(config))
    portal.wait_for(lambda: len(portal.stored) >= 1)
    first.kill()
    first.wait()
    kept = len(spooled(config))
    assert kept >= 1
    portal.answers.clear()
    before = portal.doubles
    second = start_agent(quick(config))
    portal.wait_for(lambda: portal.doubles > before)
    assert terminated(second)[0] == 0


def test_a_deaf_server_stops_neither_the_samples_nor_the_end(
    start_agent, config, eventually
):
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(5)
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        slow = quick(config)._replace(server=url, read_timeout_seconds=30)
        process = start_agent(slow)
        eventually(lambda: len(spooled(slow)) >= 2)
        code, seconds = terminated(process)
    assert (code, seconds < 2) == (0, True)


def test_a_denied_agent_goes_on_and_keeps_its_samples(
    start_agent, config, portal, refusal, tmp_path, eventually
):
    portal.answers["facts"] = refusal(401, "Unknown agent.\x1b[2J")
    process = start_agent(quick(config))
    eventually(lambda: len(spooled(config)) >= 1)
    assert len(portal.requests) == 1
    assert terminated(process)[0] == 0
    log = (tmp_path / "log").read_text()
    assert "Unknown agent." in log
    assert "\x1b" not in log


def test_a_second_daemon_on_the_same_spool_says_so(
    start_agent, run_process, config, environ, portal
):
    start_agent(config)
    portal.wait_for(lambda: portal.requests)
    done = run_process(env=environ(config))
    assert done.returncode == 2
    assert "Another agent already uses the spool" in done.stderr


def test_somebody_who_watches_sees_each_second(start_agent, config, portal):
    calm = {"sample_seconds": 3600, "flush_seconds": 3600, "facts_seconds": 3600}
    portal.settings = calm
    portal.answers["facts"] = lambda payload: (
        200,
        {},
        {"status": "changed", "settings": calm, "live": {"seconds": 30}},
    )
    process = start_agent(config._replace(warmup_seconds=0, sample_seconds=3600))
    portal.wait_for(lambda: len(portal.named("metrics")) >= 4)
    times = sorted(portal.stored)
    assert 2500 < times[3] - times[0] < 4000
    assert terminated(process)[0] == 0


def test_it_starts_and_samples_without_any_network(config, environ, eventually):
    alone = ["unshare", "--net"]
    if subprocess.run([*alone, "true"], stderr=-1, check=False).returncode:
        pytest.skip("only root may take the network away")
    away = quick(config)._replace(server="https://portal.example.com")
    process = subprocess.Popen(
        [*alone, sys.executable, "-m", "agent"], env=environ(away), stderr=-1
    )
    try:
        eventually(lambda: len(spooled(away)) >= 2)
        code, seconds = terminated(process)
    finally:
        process.kill()
        said = process.communicate()[1].decode()
    assert (code, seconds < 2) == (0, True)
    assert "Traceback" not in said
    assert "event=not_sent what=facts status=0" in said
