"""The sentences of Ansible runs: counts, what has not returned, what to do about an old sudo."""

from __future__ import annotations

from dataclasses import replace

from tasks.ansible_results import End, RunEvent, Tally
from tasks.ansible_words import (
    connect_limit,
    counts_sentence,
    failure_sentence,
    unreachable_sentence,
    waiting_sentence,
)
from tasks.targets import Login, Target

TARGET = Target("web1", "10.0.0.1", 22, Login("root", "s3cret-word"), None)


def test_counts_leave_out_what_there_was_none_of() -> None:
    assert counts_sentence({"ok": 3, "changed": 1, "dark": 0}) == (
        "Tasks: 3 ok, 1 changed."
    )
    assert counts_sentence({}) == "Tasks: none."


def test_the_hosts_of_a_task_that_has_not_returned_are_counted() -> None:
    assert waiting_sentence(["copy it"] * 12 + ["dump"]) == (
        "“copy it” has not returned on 12 hosts. “dump” has not returned on 1 host."
    )


def test_the_sentence_of_a_run_names_none_of_its_hosts() -> None:
    other = Target("web10", "10.0.0.10", 22, Login("root", "x"), None)
    tally = Tally({"web1": TARGET, "web10": other}, [], "/private/", lambda event: None)
    said = "ERROR! 'web1' has no x, nor has web10 (10.0.0.10:22). Not web10.example, 10.0.0.1."
    result = tally.result(End("ended", 4, said), {})
    assert result.explanation == (
        "ERROR! '(a host)' has no x, nor has (a host). Not web10.example, (a host)."
    )


def test_a_host_that_did_not_confirm_its_end_says_so_itself() -> None:
    tally = Tally({"web1": TARGET}, [], "/private/", lambda event: None)
    tally.take({"kind": "runner_on_start", "host": "web1", "task": "work"})
    end = End("cancelled", None, "Cancelled.", frozenset({TARGET.label}))
    told = tally.result(end, {}).hosts["web1"].explanation
    assert told.startswith("Cancelled while it ran on web1 (10.0.0.1:22).")
    assert told.endswith(
        "did not confirm that what ran there has ended: look on the host."
    )


def test_an_old_sudo_is_explained() -> None:
    said = "sudo: sorry, you must have a tty to run sudo"
    words = failure_sentence("web1", "ping", said)
    assert "`Defaults requiretty`" in words
    assert "ansible_pipelining: false" in words
    assert "requiretty" not in failure_sentence("web1", "ping", "no such file")


def test_a_jump_host_is_named_where_the_way_through_it_broke() -> None:
    gate = replace(TARGET, name="gate")
    behind = replace(TARGET, jump=gate)
    said = "root@adminset-jump-0: Permission denied (publickey)."
    words = unreachable_sentence(behind, said)
    assert words.startswith("web1 (10.0.0.1:22) could not be reached through gate")
    assert connect_limit("Connection timed out during banner exchange") == "connect"
    assert connect_limit(said) == ""


def test_what_a_host_worked_on_is_known_when_the_run_is_cut_off() -> None:
    events: list[RunEvent] = []
    tally = Tally({"web1": TARGET}, TARGET.login.secrets(), "/private/", events.append)
    start = {"kind": "runner_on_start", "host": "web1", "task": "use s3cret-word"}
    tally.take(start)
    assert tally.waiting_for() == "“use ••••” has not returned on 1 host."
    result = tally.result(End("idle", None, "No output."), {})
    assert result.status == "timed_out"
    assert result.hosts["web1"].limit == "idle"
    tally.take({**start, "kind": "runner_on_skipped"})
    assert tally.waiting_for() == ""
