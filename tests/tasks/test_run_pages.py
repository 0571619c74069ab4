"""The pages of runs: launch with a preview, watching, stopping, repeating; and who may see which part."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from cmdb.models import Host, HostGroup
from tasks import output, tasks
from tasks.models import Playbook, Run, RunHost
from tasks.output import Hints, OutputFile
from tasks.services.launch import RunSpec, request_run
from tests.factories import grant, make_host, make_user

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]
ADD = "/tasks/runs/add/"


@pytest.fixture(autouse=True)
def sent(monkeypatch, run_dir) -> list[int]:
    """The runs for which a worker was called."""
    pks: list[int] = []
    monkeypatch.setattr(tasks, "run_run", SimpleNamespace(delay=pks.append))
    return pks


def form(host: Host, **more: Any) -> dict[str, Any]:
    return {
        "kind": "command",
        "command": "uptime",
        "hosts": [host.pk],
        "timeout_seconds": 60,
        "forks": 5,
    } | more


@pytest.mark.parametrize("kind", ["command", "module", "playbook", "nonsense"])
def test_the_launch_page_opens_for_each_kind(
    client_of: Signed, admin: User, kind: str
) -> None:
    host = make_host("web1")
    answer = client_of(admin).get(ADD, {"kind": kind, "host": [host.pk, "x"]})
    assert answer.status_code == 200
    text = answer.content.decode()
    assert f'<option value="{host.pk}" selected' in text
    known = kind if kind != "nonsense" else "command"
    assert f'name="kind" value="{known}" checked' in text


def test_a_playbook_and_a_host_lead_to_the_launch_page_with_themselves_chosen(
    client_of: Signed, admin: User
) -> None:
    playbook, host = (
        Playbook.objects.create(name="p", content="- hosts: all"),
        make_host(),
    )
    client = client_of(admin)
    page = client.get(reverse("tasks:playbook_run", args=[playbook.pk]), follow=True)
    assert page.context["form"].kind == "playbook"
    assert f'<option value="{playbook.pk}" selected' in page.content.decode()
    page = client.get(reverse("tasks:host_run", args=[host.pk]), follow=True)
    assert f'<option value="{host.pk}" selected' in page.content.decode()


def test_the_preview_names_the_hosts_and_what_is_in_the_way_and_starts_nothing(
    client_of: Signed, admin: User, hosts: list[Host], sent: list[int]
) -> None:
    lonely = make_host("lonely", address=None)
    keyless = make_host("keyless", credential=hosts[0].credential)
    chosen = [hosts[0].pk, lonely.pk, keyless.pk]
    answer = client_of(admin).post(ADD, form(hosts[0], hosts=chosen, action="preview"))
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "Run on 3 hosts" in text
    assert "It has no management address." in text
    assert "It has no credential" in text
    assert reverse("tasks:host_key", args=[keyless.pk]) in text
    assert answer.context["preview"].warned == 2
    assert not Run.objects.exists()
    assert sent == []


def test_launching_needs_the_preview_of_these_very_hosts(
    client_of: Signed,
    admin: User,
    sent: list[int],
    group: HostGroup,
    django_capture_on_commit_callbacks,
) -> None:
    host = make_host(groups=[group])
    client = client_of(admin)
    values = form(host, hosts=[], groups=[group.pk])
    seal = client.post(ADD, values | {"action": "preview"}).context["preview"].seal
    make_host("newcomer", groups=[group])
    answer = client.post(ADD, values | {"action": "launch", "seal": seal})
    assert "The hosts are others" in answer.content.decode()
    assert not Run.objects.exists()
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(
            ADD, values | {"action": "launch", "seal": answer.context["preview"].seal}
        )
    run = Run.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/tasks/runs/{run.pk}/")
    assert (run.command, run.host_count, run.timeout_seconds, run.forks) == (
        "uptime",
        2,
        60,
        5,
    )
    assert sent == [run.pk]


def test_back_from_the_preview_keeps_what_was_typed(
    client_of: Signed, admin: User
) -> None:
    answer = client_of(admin).post(ADD, form(make_host(), action="edit"))
    assert answer.status_code == 200
    assert "uptime" in answer.content.decode()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"command": " "}, "command"),
        ({"kind": "module", "module": "a b"}, "module"),
        ({"kind": "playbook"}, "playbook"),
        ({"hosts": []}, "hosts"),
        ({"forks": "x"}, "forks"),
        ({"timeout_seconds": "0"}, "timeout_seconds"),
    ],
)
def test_a_launch_that_cannot_be_comes_back_with_words(
    client_of: Signed, admin: User, change: dict[str, Any], field: str
) -> None:
    answer = client_of(admin).post(ADD, form(make_host()) | change)
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert not Run.objects.exists()


def test_an_operator_is_not_offered_hosts_of_another_group(
    client_of: Signed, operator: User, group: HostGroup, other_group: HostGroup
) -> None:
    make_host("mine", groups=[group])
    foreign = make_host("foreign", groups=[other_group])
    client = client_of(operator)
    assert "foreign" not in client.get(ADD).content.decode()
    assert client.post(ADD, form(foreign, action="launch", seal="x")).status_code == 422
    assert not Run.objects.exists()


@pytest.fixture
def mixed(admin: User, group: HostGroup, other_group: HostGroup) -> Run:
    """A playbook's run of the administrator on a host of each group, with output."""
    own, foreign = (
        make_host("own-host", groups=[group]),
        make_host("foreign-host", groups=[other_group]),
    )
    playbook = Playbook.objects.create(name="p", content="- hosts: all")
    spec = RunSpec(kind="playbook", playbook=playbook, host_ids=(own.pk, foreign.pk))
    run = request_run(actor=admin, spec=spec)
    Run.objects.update(
        status="failed", explanation="2 hosts: 1 ok, 1 failed.", done_count=2
    )
    RunHost.objects.filter(host=own).update(status="ok", exit_code=0)
    RunHost.objects.filter(host=foreign).update(status="failed", exit_code=3)
    for row_id in [None, *run.hosts.values_list("pk", flat=True)]:
        OutputFile(run.pk, row_id, [], Hints(run.pk)).write(
            f"output of {row_id}\n".encode()
        )
    run.refresh_from_db()
    return run


def test_the_page_of_a_run_groups_hosts_and_opens_an_output(
    client_of: Signed, admin: User, mixed: Run
) -> None:
    client = client_of(admin)
    page = client.get(mixed.get_absolute_url())
    text = page.content.decode()
    assert [(g.status, g.exit_code, g.count) for g in page.context["groups"]] == [
        ("failed", 3, 1),
        ("ok", 0, 1),
    ]
    assert "output of None" in text
    assert "Retry where it failed" in text
    row = mixed.hosts.get(host_name="own-host")
    assert (
        f"output of {row.pk}"
        in client.get(mixed.get_absolute_url(), {"host": row.pk}).content.decode()
    )
    partial = client.get(
        mixed.get_absolute_url(), headers={"HX-Request": "true"}
    ).content.decode()
    assert "<html" not in partial
    assert "own-host" in partial


def test_a_scoped_user_sees_neither_foreign_hosts_nor_the_output_as_a_whole(
    client_of: Signed, operator: User, mixed: Run
) -> None:
    client = client_of(operator)
    own, foreign = (
        mixed.hosts.get(host_name="own-host"),
        mixed.hosts.get(host_name="foreign-host"),
    )
    for query in ({}, {"host": foreign.pk}, {"host": own.pk}):
        text = client.get(mixed.get_absolute_url(), query).content.decode()
        assert "foreign-host" not in text
        assert f"output of {own.pk}" in text
        assert "output of None" not in text
        assert "1 host outside your scope is not shown" in text
    for query in ({}, {"host": foreign.pk}):
        assert (
            client.get(f"{mixed.get_absolute_url()}download/", query).status_code == 404
        )
        texts = client.get(f"{mixed.get_absolute_url()}output/", query).content.decode()
        assert "output of" not in texts
        assert f'"host": {foreign.pk}' not in texts
    assert (
        client.get(f"{mixed.get_absolute_url()}download/", {"host": own.pk}).status_code
        == 200
    )


def test_a_run_outside_the_scope_is_not_found(
    client_of: Signed, operator: User, admin: User, other_group: HostGroup
) -> None:
    host = make_host(groups=[other_group])
    run = request_run(actor=admin, spec=RunSpec(command="id", host_ids=(host.pk,)))
    grant(operator, ["tasks.cancel_run"], [HostGroup.objects.get(name="web")])
    client = client_of(operator)
    for page in ("", "output/", "download/"):
        assert client.get(f"/tasks/runs/{run.pk}/{page}").status_code == 404
    for verb in ("cancel", "again"):
        assert client.post(f"/tasks/runs/{run.pk}/{verb}/").status_code == 404
    run.refresh_from_db()
    assert run.status == "queued"


def test_polling_gives_output_from_an_offset_then_the_end(
    client_of: Signed, admin: User, mixed: Run
) -> None:
    row = mixed.hosts.get(host_name="own-host")
    url = f"/tasks/runs/{mixed.pk}/output/"
    body = client_of(admin).get(url, {"host": row.pk, "offset": 7}).json()
    kinds = [message["type"] for message in body["messages"]]
    assert kinds == ["output", "host", "host", "end"]
    assert body["messages"][0]["text"] == f"of {row.pk}\n"
    assert body["messages"][-1] == {
        "type": "end",
        "status": "danger",
        "label": "failed",
        "word": "failed",
    }
    assert (body["offset"], body["ended"]) == (output.size(mixed.pk, row.pk), True)


def test_stopping_and_running_again_from_the_page(
    client_of: Signed,
    admin: User,
    mixed: Run,
    sent: list[int],
    django_capture_on_commit_callbacks,
) -> None:
    client = client_of(admin)
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(f"/tasks/runs/{mixed.pk}/again/", {"failed": "1"})
    again = Run.objects.latest("pk")
    assert answer["Location"] == again.get_absolute_url()
    assert [row.host_name for row in again.hosts.all()] == ["foreign-host"]
    assert sent == [again.pk]
    client.post(f"/tasks/runs/{again.pk}/cancel/")
    again.refresh_from_db()
    assert again.status == "cancelled"


def test_who_only_looks_may_not_stop_or_repeat(client_of: Signed, mixed: Run) -> None:
    client = client_of(make_user(perms=["tasks.view_run"]))
    assert client.post(f"/tasks/runs/{mixed.pk}/cancel/").status_code == 403
    assert client.post(f"/tasks/runs/{mixed.pk}/again/").status_code == 403
    text = client.get(mixed.get_absolute_url()).content.decode()
    assert "Run again" not in text


def test_the_card_and_the_tab_of_a_host_show_the_latest_runs(
    client_of: Signed, admin: User, mixed: Run
) -> None:
    client = client_of(admin)
    assert mixed.get_absolute_url() in client.get("/tasks/card/").content.decode()
    from tasks.selectors import latest_on_host  # noqa: PLC0415

    host = Host.objects.get(hostname="own-host")
    assert [row.run for row in latest_on_host(admin, host)] == [mixed]


def test_the_page_of_a_host_leads_to_its_runs_its_key_and_a_new_run(
    client_of: Signed, admin: User, mixed: Run
) -> None:
    host = Host.objects.get(hostname="own-host")
    client = client_of(admin)
    text = client.get(f"/cmdb/hosts/{host.pk}/?tab=runs").content.decode()
    assert mixed.get_absolute_url() in text
    assert reverse("tasks:host_key", args=[host.pk]) in text
    assert reverse("tasks:host_run", args=[host.pk]) in text
