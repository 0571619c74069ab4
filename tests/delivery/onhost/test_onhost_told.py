"""What hosts are told and what they say: the one is checked before anything is asked for, the other is never trusted."""

from __future__ import annotations

from typing import Any

import pytest

from adminset.errors import DomainError
from delivery.onhost import legs, told
from delivery.onhost.check_words import CHECKS
from delivery.onhost.context import Health, Hooks, HostContext
from delivery.onhost.names import is_for_hooks
from delivery.onhost.programs import PARTS, program
from tasks.legs.asking import NAME, TAKEN
from tasks.legs.reading import HostReport


def context(**changes: Any) -> HostContext:
    return HostContext(**{"root": "/srv/shop", "deploy_id": 17} | changes)


def said(**values: str) -> HostReport:
    return HostReport(1, "web1", "ok", 0, "Ended.", values)


HOSTILE = ["../../etc", "a b", "$(id)", "-rf", "x" * 101, "a\nb", "", ".new", "é"]


@pytest.mark.parametrize(
    "changes",
    [
        *({"root": one} for one in ("", "srv", "/", "/etc", "/usr/bin/x", "/a//b", "/a/../b", "/a\nb", "/srv/")),
        *({"release": one} for one in HOSTILE if one),
        *({"pins": (one,)} for one in HOSTILE),
        *({"shared": (one,)} for one in ("/a", "../a", "a/../b", "-a", "", "a\nb", "a//b", "a\\b")),
        {"run_user": "ann; id"},
        {"run_group": "-x"},
        {"health": Health(kind="http", target="file:///etc/passwd")},
        {"health": Health(kind="http", target="http://x/ -o /etc/x")},
        {"health": Health(kind="tcp", target="-h:80")},
        {"health": Health(kind="tcp", target="localhost")},
        {"health": Health(kind="telepathy", target="x")},
        {"host_variables": {1: {"AS_ROOT": "/"}}},
        {"host_variables": {1: {"ADMINSET_RUN": "x"}}},
        {"host_secrets": {1: {"a-b": "x"}}},
        {"host_secrets": {1: {"a": "\0"}}},
        {"host_variables": {1: {"a": "x" * 100_001}}},
    ],
)  # fmt: skip
def test_what_no_host_should_be_told_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(DomainError) as refused:
        context(**changes)
    assert refused.value.code == "bad_host_context"


def test_values_of_people_stand_in_the_place_of_no_programs_own() -> None:
    own = {"ROOT": "/x", "KEEP": "x", "RELEASE": "y"}
    sealed = {1: {"DEPLOY": "z"}}
    told_of = context(release="1-a", host_variables={1: own}, host_secrets=sealed)
    leg = legs.activate_leg(told_of, [1])
    assert leg.values["AS_ROOT"] == "/srv/shop"
    mine = leg.host_values[1]
    assert {mine[f"AS_N_{n}"] for n in (1, 2, 3, 4)} == {*own, "DEPLOY"}
    assert leg.host_secret_values == {1: {"AS_V_4": "z"}}
    names = {*leg.values, *leg.host_secret_values[1], *mine}
    assert not names & TAKEN
    assert all(NAME.fullmatch(name) for name in names)


def test_a_leg_waits_as_long_as_its_hooks_may_take() -> None:
    hooks = Hooks(before_switch="a", restart="b")
    health = Health(kind="tcp", target="127.0.0.1:1", attempts=10, wait_seconds=30)
    told_of = context(hooks=hooks, health=health, stage_timeout=100)
    one = legs.activate_leg(told_of, [1])
    # Two hooks, all tries of health, and all of the release to the disk.
    assert one.timeout_seconds > 2 * 100 + 30 + 10 * 10 + 100
    back = legs.switch_back_leg(told_of, [1])
    assert one.timeout_seconds - back.timeout_seconds == 100
    assert one.subject == "delivery.deploy:17"


def test_going_back_is_urgent_and_goes_to_all_hosts_at_once() -> None:
    leg = legs.switch_back_leg(context(forks=2), range(1, 60), {1: "1-a", 2: "2-b"})
    assert (leg.urgent, leg.forks) == (True, 59)
    assert leg.host_values[2]["AS_TO"] == "2-b"
    assert "AS_TO" not in leg.host_values[3]
    with pytest.raises(DomainError):
        legs.switch_back_leg(context(), [1], "../../x")


def test_a_command_too_long_for_a_host_is_refused() -> None:
    with pytest.raises(DomainError):
        legs.command_leg(context(), [1], "x" * 100_001)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_that_no_release_has_is_not_taken_over(name: str) -> None:
    state = told.state(
        said(live=name, previous=name, releases=f"1-a {name}", good=name)
    )
    assert (state.live, state.previous) == ("", "")
    assert not any(
        "/" in one or "$" in one or one.startswith(("-", ".")) for one in state.releases
    )
    assert len(state.releases) <= 3


def test_what_a_host_says_is_bounded_and_read_as_text() -> None:
    many = " ".join(f"{n}-a" for n in range(10_000))
    state = told.state(
        said(
            live="?",
            releases=many,
            commit="<script>" * 1000,
            drained="yes",
            lock="17\n18",
            lock_reason="password=hunter2 because",
        )
    )
    assert (state.live, state.drained) == ("?", False)
    assert len(state.releases) == told.MOST_RELEASES
    assert len(state.commit) <= 100
    assert state.lock is not None
    assert "hunter2" not in state.lock.reason
    assert told.state(None) == told.HostState()
    assert told.drift(said(changed="12")).changed == 12
    for number in ("9" * 40, "-1"):
        assert told.drift(said(changed=number)).changed is None


def test_checks_come_with_why_and_how_to_mend() -> None:
    found = told.checks(
        said(check_space="fail 5 of 10", check_tools="warn timeout", check_path="ok /srv", check_evil="fail x", check_lock="maybe")
    )  # fmt: skip
    assert [(one.id, one.ok, one.warns) for one in found] == [
        ("path", True, False),
        ("space", False, False),
        ("tools", True, True),
    ]
    space = found[1].as_json()
    assert space["mend"]
    assert "5 of 10" in space["why"]
    for words in CHECKS.values():
        assert all(words())


def test_a_host_that_said_nothing_of_its_switch_is_not_known() -> None:
    assert told.switched(None).switched is None
    assert told.switched(said(switched="perhaps")).switched is None
    ended = told.switched(said(switched="yes", live="2-b", **{"from": "1-a"}))
    assert (ended.switched, ended.live, ended.before) == (True, "2-b", "1-a")
    assert not told.base_broken(None)
    assert told.drift(said(live="1-a", whole="yes", changed="x")).changed is None


@pytest.mark.parametrize("name", PARTS)
def test_every_program_begins_with_the_prelude_and_is_small(name: str) -> None:
    text = program(name)
    assert text.startswith("# What every program on a host begins with.")
    assert len(text) < 40_000
    assert "\0" not in text


@pytest.mark.parametrize(
    "name",
    [
        "BASH_ENV",
        "LD_PRELOAD",
        "PATH",
        "IFS",
        "ENV",
        "PS4",
        "SHELLOPTS",
        "PYTHONPATH",
        "PERL5OPT",
        "RUBYOPT",
        "NODE_OPTIONS",
        "HOME",
        "SHELL",
        "TMPDIR",
        "AS_ROOT",
        "ADMINSET_ROOT",
        "setsid",
        "timeout",
        "number",
        "_",
        "GIT_SSH_COMMAND",
    ],
)
def test_names_that_steer_programs_reach_no_hook(name: str) -> None:
    assert not is_for_hooks(name)
    with pytest.raises(DomainError, match="No variable of a hook"):
        context(host_variables={1: {name: "x"}})


def test_ordinary_names_reach_hooks() -> None:
    names = ("DB_PASSWORD", "_SECRET", "JAVA_OPTS", "PORT", "HOMEPAGE", "PATHS", "A1")
    assert all(map(is_for_hooks, names))


def test_asking_for_health_has_the_time_of_the_health_check_and_of_no_hook() -> None:
    health = Health(kind="command", target="true")
    hooks = Hooks(restart="sleep 900", drain="sleep 900")
    leg = legs.well_leg(context(health=health, hooks=hooks), [1])
    assert leg.timeout_seconds == health.most_seconds + legs.MARGIN_SECONDS
