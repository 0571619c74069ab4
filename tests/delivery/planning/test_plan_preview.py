"""What a plan shows before anybody says yes: files that come, go and change, commits that are taken away, configuration that stays behind."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from appconf.models import ConfigFile
from delivery.asked import keeping
from delivery.history.commits import commits_of
from delivery.models import Artefact, ConfigDrift
from delivery.planning import sizes
from delivery.planning.shown import shown_plan
from tests.appconf.config_things import make_file, newest
from tests.delivery.factories import (
    make_deploy,
    make_live,
    make_plan_json,
    store_artefact,
)
from tests.delivery.safety.safety_things import Paper
from tests.factories import grant, make_user

pytestmark = pytest.mark.django_db
MARKUP = "<script>fetch('x')<"


@pytest.fixture
def older(paper: Paper, tmp_path: Path) -> Artefact:
    """What is live on two of the three hosts."""
    texts = {"a_txt": "a", "gone_txt": "g", "other_txt": "1"}
    made = store_artefact(paper.pipeline.project, tmp_path / "old", **texts)
    for host in paper.hosts[:2]:
        make_live(paper.environment, host, made.release, artefact=made)
    return made


@pytest.fixture
def newer(paper: Paper, older: Artefact, tmp_path: Path) -> Artefact:
    """What is to be delivered."""
    texts = {"a_txt": "a", "new_txt": "n", "other_txt": "2", MARKUP: "m"}
    return store_artefact(paper.pipeline.project, tmp_path / "new", **texts)


def _page(paper: Paper, client: Client, plan: dict[str, Any]) -> str:
    about = {"pipeline": paper.pipeline.pk, "environment": paper.environment.pk}
    question = keeping.new(paper.user, "plan", about, "")
    keeping.keep(replace(question, state=keeping.ANSWERED, answer=plan))
    address = f"/delivery/pipelines/{paper.pipeline.pk}/plan/{question.key}/"
    page = client.get(address)
    assert page.status_code == 200
    return page.content.decode()


def test_a_plan_tells_which_files_come_go_and_change(
    paper: Paper, older: Artefact, newer: Artefact, client_of: Any
) -> None:
    plan = paper.plan(artefact=newer)
    (change,) = plan.changes
    assert (change.from_release, change.base_id) == (older.release, older.pk)
    assert change.counts == {"added": 2, "removed": 1, "changed": 1}
    assert dict(change.named) == {
        MARKUP: "added",
        "gone.txt": "removed",
        "new.txt": "added",
        "other.txt": "changed",
    }
    text = _page(paper, client_of(paper.user), plan.as_json())
    assert "gone.txt" in text
    assert "2 hosts have" in text
    assert f"/artefacts/{newer.pk}/compare/?with={older.pk}" in text
    assert "<script>fetch" not in text


def test_many_files_are_counted_and_some_of_them_named(
    paper: Paper, older: Artefact, newer: Artefact, monkeypatch: Any, client_of: Any
) -> None:
    monkeypatch.setattr(sizes, "MOST_FILES", 1)
    plan = paper.plan(artefact=newer)
    assert (len(plan.changes[0].named), sum(plan.changes[0].counts.values())) == (1, 4)
    text = _page(paper, client_of(paper.user), plan.as_json())
    assert "and 3 more" in text


def test_before_the_build_the_plan_says_that_its_files_are_not_known(
    paper: Paper, client_of: Any
) -> None:
    plan = make_plan_json(paper.hosts, to_release="", kind="deploy")
    text = _page(paper, client_of(paper.user), plan)
    assert "The release is built first" in text


def test_nobody_is_told_what_changes_on_hosts_outside_the_own_scope(
    paper: Paper, older: Artefact, newer: Artefact
) -> None:
    told = paper.plan(artefact=newer).as_json()
    reader = make_user("reader")
    grant(reader, ["delivery.view_deploy"])
    shown = shown_plan(reader, told)
    assert shown is not None
    assert (shown.rows, shown.hidden, shown.changes) == ([], 3, [])
    assert shown.told["changes"] == []


def test_commits_that_an_older_release_takes_away_are_not_drawn_as_coming(
    paper: Paper, client_of: Any
) -> None:
    commits = [
        {"commit": "c" * 40, "subject": "bugfix", "author": "", "at": "", "gone": True}
    ]
    plan = make_plan_json(paper.hosts, commits=commits, kind="deploy")
    text = _page(paper, client_of(paper.user), plan)
    assert "1 commit is taken away" in text
    assert "since what is live" not in text
    plan["commits"][0]["gone"] = False
    text = _page(paper, client_of(paper.user), plan)
    assert "1 commit since what is live" in text
    assert "taken away" not in text


def test_what_a_deploy_took_away_is_not_told_as_having_come_with_its_release(
    paper: Paper,
) -> None:
    older, newer = paper.artefact(1, commit="a" * 40), paper.artefact(2)
    commits = [
        {"commit": letter * 40, "subject": letter, "gone": letter == "c"}
        for letter in "bc"
    ]
    plan = make_plan_json(paper.hosts, commits=commits)
    make_deploy(paper.environment, artefact=newer, plan=plan)
    assert [one["subject"] for one in commits_of(older, newer)] == ["b"]


def test_the_plan_says_that_it_pushes_no_configuration_and_what_stays_behind(
    paper: Paper, client_of: Any
) -> None:
    project, host = paper.environment.project, paper.hosts[0]
    file = make_file(paper.user, project, "a\n", "/etc/app.conf")
    make_file(paper.user, project, "b\n", "/etc/never.conf")
    drift = ConfigDrift.objects.create(
        environment=paper.environment,
        file=file,
        host=host,
        path=file.path,
        version=newest(file),
        state="drifted",
    )
    plan = paper.plan()
    states = {row.host: [(c.path, c.state) for c in row.config] for row in plan.rows}
    assert states == {
        "paper0": [("/etc/app.conf", "drifted")],
        "paper1": [("/etc/app.conf", "unpushed")],
        "paper2": [("/etc/app.conf", "unpushed")],
    }
    assert [one.path for one in plan.unpushed] == ["/etc/never.conf"]
    text = _page(paper, client_of(paper.user), plan.as_json())
    for words in (
        "A deploy pushes no configuration",
        "1 file was never pushed to this environment",
        "/etc/never.conf",
        "never pushed here",
        f"/delivery/config-drifts/{drift.pk}/?tab=difference",
        f"/delivery/environments/{paper.environment.pk}/config/",
    ):
        assert words in text, words


def test_commands_are_said_to_be_the_same_on_each_host(
    paper: Paper, client_of: Any
) -> None:
    paper.way(restart="systemctl restart shop")
    text = _page(paper, client_of(paper.user), paper.plan().as_json())
    assert "the same on each host" in text
    assert "only</td>" not in text


def test_a_command_for_one_host_names_it_to_who_may_see_it(
    paper: Paper, client_of: Any
) -> None:
    stages = [
        {"kind": "distribute"},
        {"kind": "command", "command": "./migrate", "on": "first"},
        {"kind": "activate"},
    ]
    paper.way(stages=stages)
    told = paper.plan().as_json()
    assert "on paper0 only" in _page(paper, client_of(paper.user), told)
    reader = make_user("reader")
    grant(reader, ["delivery.view_deploy"])
    shown = shown_plan(reader, told)
    assert shown is not None
    assert [(one["on"], one["host"]) for one in shown.told["commands"]] == [
        ("first", "")
    ]


def test_the_plan_takes_as_many_queries_for_more_hosts_and_files_of_configuration(
    paper: Paper, django_assert_max_num_queries: Any
) -> None:
    for number in range(5):
        make_file(paper.user, paper.environment.project, "a\n", f"/etc/{number}.conf")
    rows = [
        ConfigDrift(environment=paper.environment, file=file, host=host, state="same")
        for file in ConfigFile.objects.all()
        for host in paper.hosts
    ]
    ConfigDrift.objects.bulk_create(rows)
    with django_assert_max_num_queries(60):
        assert all(len(row.config) == 5 for row in paper.plan().rows)
