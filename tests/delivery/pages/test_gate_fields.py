"""The fields of a canary: names that are refused, names that are offered, the group that goes first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from accounts.models import User
from delivery.gate_words import check_metric
from delivery.models import Pipeline
from delivery.safety import metrics_sent
from monitor.prometheus.names import query_name
from monitor.store import StoreUnavailable
from tests.app_factories import make_environment, make_project
from tests.delivery.pages.test_pipeline_pages import add
from tests.factories import grant, make_group, make_host, make_user

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]


@pytest.mark.parametrize(
    "name",
    ["http_errors_total", "custom.http_errors_total", "cpu.busy_percent", "custom.a.b"],
)
def test_names_as_stored_and_as_sent_are_both_names(name: str) -> None:
    check_metric(name)
    assert query_name(name)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ('http_errors_total{code="500"}', "without labels"),
        ("fs.used_percent|/var", "without labels"),
        ("errors per second", "no name of a metric"),
        ("custom.", "no name of a metric"),
        ("app.errors.rate", "Agents have no metric app.errors.rate"),
    ],
)
def test_what_is_no_name_is_refused_in_words(name: str, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        check_metric(name)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"gate_metric": "app.errors.rate"}, "Agents have no metric"),
        ({"gate_divisor": "http_requests_total"}, "Say what is to be divided"),
        ({"gate_measure": "often"}, "valid choice"),
    ],
)
def test_a_gate_that_could_never_pass_is_not_saved(
    client_of: Signed, admin: User, fields: dict[str, str], words: str
) -> None:
    answer = add(client_of(admin), make_project("shop"), **fields)
    assert (answer.status_code, Pipeline.objects.count()) == (422, 0)
    assert words in answer.content.decode()


def test_the_form_offers_what_the_hosts_of_the_project_send_and_the_reader_may_see(
    client_of: Signed, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = make_group()
    own, foreign = make_host("own", groups=[group]), make_host("foreign")
    project = make_project("shop")
    make_environment(project, "live", hosts=[own, foreign])
    asked: list[list[int]] = []

    def sent(ids: Any) -> list[str]:
        asked.append(sorted(ids))
        return ["cpu.busy_percent", "custom.http_errors_total", "odd.<b>"]

    monkeypatch.setattr(metrics_sent, "metrics_of", sent)
    user = make_user("writer")
    grant(user, ["delivery.change_pipeline", "appconf.view_environment"])
    address = reverse("delivery:gate_metrics")
    client = client_of(user)
    assert "option" not in client.get(address, {"project": project.pk}).content.decode()
    grant(user, ["monitor.view_metrics", "cmdb.view_host"], [group])
    text = client.get(address, {"project": project.pk}).content.decode()
    assert asked == [[own.pk]]
    assert text.index('value="http_errors_total"') < text.index('"cpu.busy_percent"')
    assert "odd" not in text
    assert "option" not in client.get(address, {"project": ""}).content.decode()
    assert client_of(make_user("other")).get(address).status_code == 403
    form = client_of(make_user("boss", is_superuser=True)).get(
        reverse("delivery:pipeline_add")
    )
    assert f'hx-get="{address}"' in form.content.decode()


def test_a_store_that_is_away_offers_nothing(
    client_of: Signed, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_ids: Any) -> list[str]:
        raise StoreUnavailable("away")

    monkeypatch.setattr(metrics_sent, "metrics_of", away)
    make_environment(make_project("shop"), "live", hosts=[make_host()])
    answer = client_of(admin).get(reverse("delivery:gate_metrics"))
    assert (answer.status_code, b"option" in answer.content) == (200, False)
