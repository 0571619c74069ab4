"""Hooks on a host: what they are told, what they never see, how they are ended, and what a bad one stops."""

from __future__ import annotations

import os
import time
from pathlib import Path

import psutil
import pytest

from delivery.onhost.programs import program
from tests.delivery.onhost.host_things import MARK, Box, make_pack

PACK = make_pack({"app": b"1"})
HOOKS = ("before_switch", "drain", "restart", "after_switch", "back")


@pytest.fixture
def ready(box: Box) -> Box:
    """A host with release 1-a live and 2-b received."""
    box.deliver(PACK, "1-a", AS_DEPLOY=1)
    assert box.run("claim").code == 0
    assert box.receive(make_pack({"app": b"2"}), "2-b").code == 0
    box.values["AS_RELEASE"] = "2-b"
    return box


def test_hooks_run_in_order_in_the_release_and_hear_the_contract(ready: Box) -> None:
    note = 'echo "$ADMINSET_STAGE $(readlink ../../current) $(pwd)" >>"$ADMINSET_ROOT/notes"'
    told = {f"AS_{name.upper()}": note for name in HOOKS}
    told |= {"AS_HEALTH": "command", "AS_HEALTH_TARGET": note}
    show = "env | grep ^ADMINSET_ | sort"
    told["AS_AFTER_SWITCH"] = f"{note}; {show}"
    done = ready.run("activate", ADMINSET_PROJECT="shop", ADMINSET_WHO="ann", **told)
    assert done.code == 0, done
    stages = [
        line.split(" ", 2) for line in (ready.root / "notes").read_text().splitlines()
    ]
    order = ["before_switch", "drain", "restart", "health", "after_switch", "back"]
    assert [one[0] for one in stages] == order
    assert [one[1] for one in stages] == ["releases/1-a"] * 2 + ["releases/2-b"] * 4
    assert {one[2] for one in stages} == {f"{ready.root}/releases/2-b"}
    for line in (
        "ADMINSET_PROJECT=shop",
        "ADMINSET_RELEASE=2-b",
        "ADMINSET_PREVIOUS=1-a",
        "ADMINSET_COMMIT=c-2-b",
        f"ADMINSET_RELEASE_PATH={ready.root}/releases/2-b",
        "ADMINSET_STAGE=after_switch",
    ):
        assert line in done.text.splitlines()
    assert all(done.told[f"code_{name}"] == "0" for name in HOOKS)


def test_a_hook_sees_its_variables_and_nothing_of_the_portal(ready: Box) -> None:
    value = 'it\'s "$(id)" `x`\n\\n ä'
    told = {
        "AS_VARS": 2,
        "AS_N_1": "DB_PASSWORD",
        "AS_V_1": value,
        "AS_N_2": "IFS_LIKE",
        "AS_V_2": "",
        "ADMINSET_RUN": "token",
    }
    spy = 'env >"$ADMINSET_ROOT/seen"; printf %s "$DB_PASSWORD" >"$ADMINSET_ROOT/value"; set >"$ADMINSET_ROOT/set"; cat /proc/$$/cmdline /proc/$PPID/cmdline >"$ADMINSET_ROOT/argv"'
    assert ready.run("activate", AS_BEFORE_SWITCH=spy, **told).code == 0
    assert (ready.root / "value").read_text() == value
    seen = (ready.root / "seen").read_text()
    assert MARK not in seen + (ready.root / "set").read_text()
    assert not [line for line in seen.splitlines() if line.startswith("AS_")]
    # By it the portal ends what is left of a run.
    assert "ADMINSET_RUN=token" in seen
    argv = (ready.root / "argv").read_bytes()
    assert b"DB_PASSWORD" not in argv
    assert b"seen" not in argv


def test_variables_may_have_the_names_that_programs_use(ready: Box) -> None:
    names = ("timeout", "name", "text", "code", "seconds", "PATH", "to", "line")
    told: dict[str, object] = {"AS_VARS": len(names)}
    for number, name in enumerate(names, 1):
        told |= {f"AS_N_{number}": name, f"AS_V_{number}": f"{name}'s\nexport AS_X='1"}
    told[f"AS_V_{names.index('PATH') + 1}"] = "/nowhere"
    show = "".join(f'printf "%s;" "${name}"; ' for name in names)
    done = ready.run("activate", AS_RESTART=show, AS_HEALTH="none", **told)
    assert done.code == 0, done
    for name in names:
        value = "/nowhere" if name == "PATH" else f"{name}'s\nexport AS_X='1"
        assert f"{value};" in done.text


def test_a_hook_that_talks_like_a_program_is_not_believed(ready: Box) -> None:
    forged = (
        'printf \'half a line\'; for m in "$AS_MARK" x; do echo "@$m live 9-z"; done'
    )
    done = ready.run("activate", AS_AFTER_SWITCH=forged)
    assert done.told["live"] == "2-b"
    assert "@x live 9-z" in done.text


@pytest.mark.parametrize(
    ("hook", "code", "live", "switched"),
    [
        ("before_switch", 74, "1-a", "no"),
        ("drain", 74, "1-a", "no"),
        ("restart", 77, "2-b", "yes"),
        ("after_switch", 79, "2-b", "yes"),
        ("back", 79, "2-b", "yes"),
    ],
)
def test_a_bad_hook_stops_with_its_own_exit_code_and_the_truth(
    ready: Box, hook: str, code: int, live: str, switched: str
) -> None:
    notes = {f"AS_{n.upper()}": f"echo {n} >>../../notes" for n in HOOKS}
    notes[f"AS_{hook.upper()}"] += "; exit 3"
    done = ready.run("activate", **notes)
    assert (done.code, ready.live) == (code, live)
    assert (done.told["live"], done.told["switched"]) == (live, switched)
    assert f"{hook} ended with exit code 3" in done.told["why"]
    ran = (ready.root / "notes").read_text().split()
    assert ran[: HOOKS.index(hook) + 1] == list(HOOKS[: HOOKS.index(hook) + 1])
    # Who was taken out of the balancer and not switched goes back.
    assert ("back" in ran) == (hook in ("drain", "back"))
    assert (ready.root / "releases/1-a/app").read_text() == "1"


def test_a_hook_that_does_not_end_is_ended_with_all_that_it_began(ready: Box) -> None:
    slow = "sleep 301 & sleep 302; echo survived"
    began = time.monotonic()
    done = ready.run("activate", AS_BEFORE_SWITCH=slow, AS_HOOK_SECONDS=1)
    assert time.monotonic() - began < 60
    assert (done.code, done.told["switched"]) == (74, "no")
    assert "did not end within 1 s" in done.told["why"]
    assert "survived" not in done.text
    assert not sleepers(ready.root)


def sleepers(root: Path) -> list[psutil.Process]:
    """Give the processes that still work below a deploy path."""
    found = []
    for process in psutil.process_iter(["name", "cwd"]):
        cwd = process.info["cwd"] or ""
        if process.info["name"] == "sleep" and cwd.startswith(str(root)):
            found.append(process)
    return found


def test_what_a_restart_leaves_running_goes_on(ready: Box) -> None:
    daemon = "sleep 303 >/dev/null 2>&1 & echo $! >../../pid"
    assert ready.run("activate", AS_RESTART=daemon).code == 0
    pid = int((ready.root / "pid").read_text())
    process = psutil.Process(pid)
    try:
        assert process.is_running()
        assert os.getsid(pid) != os.getsid(0)
    finally:
        process.kill()


def test_a_command_of_a_stage_runs_in_the_release_and_tells_its_end(ready: Box) -> None:
    ok = ready.run(
        "command", AS_COMMAND="cat app; echo $ADMINSET_STAGE", AS_STAGE="Migrate it"
    )
    assert (ok.code, ok.told["code_command"]) == (0, "0")
    assert "2Migrate it" in ok.text
    bad = ready.run("command", AS_COMMAND="exit 5", AS_STAGE="Migrate it")
    assert bad.code == 70
    assert bad.told["why"] == "The command of stage Migrate it ended with exit code 5."
    assert ready.live == "1-a"


def test_a_host_without_time_outs_says_so_and_goes_on(
    ready: Box, tmp_path: Path
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for folder in ("/usr/bin", "/bin"):
        for one in Path(folder).iterdir():
            there = programs / one.name
            if one.name not in ("timeout", "setsid") and not there.is_symlink():
                there.symlink_to(one)
    if ready.shell[0] == "busybox":
        pytest.skip("it has both built in")
    text_path = str(programs)
    text = program("activate").replace(
        "PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", ""
    )
    done = ready.run("activate", text=text, PATH=text_path, AS_RESTART="echo ran")
    assert done.code == 0
    assert "has no `timeout`" in done.text
    assert "ran" in done.text
