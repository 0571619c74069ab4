"""What the REST of deliveries tells: its OpenAPI, and no names of hosts that the caller may not see."""

from __future__ import annotations

from dataclasses import replace

import pytest
from drf_spectacular.generators import SchemaGenerator

from delivery.asked import keeping
from delivery.models import Deploy
from tests.delivery.safety.safety_things import Paper
from tests.delivery.triggers.api_things import Api, api, deployer

__all__ = ["api", "deployer"]


def test_a_plan_is_an_object_in_the_schema() -> None:
    schema = SchemaGenerator().get_schema(request=None, public=True)
    plan = schema["components"]["schemas"]["PlanAnswer"]
    assert plan["type"] == "object"
    assert {"key", "state", "plan", "message"} <= set(plan["properties"])
    assert plan["properties"]["plan"]["type"] == "object"


@pytest.mark.django_db
def test_sentences_name_no_host_that_the_caller_may_not_see(
    api: Api, paper: Paper
) -> None:
    deploy, name = paper.ask(), paper.hosts[0].hostname
    words = f"{name} did not answer"
    Deploy.objects.filter(pk=deploy.pk).update(explanation=words, waiting_for=words)
    step = deploy.steps.order_by("position")[0]
    deploy.steps.filter(pk=step.pk).update(explanation=words)
    for path in (f"deploys/{deploy.pk}/status/", f"deploys/{deploy.pk}/", "deploys/"):
        answered = api.get(path)
        assert answered.status_code == 200
        assert name not in answered.content.decode(), path


@pytest.mark.django_db
def test_a_plan_tells_a_program_no_host_that_the_caller_may_not_see(
    api: Api, paper: Paper
) -> None:
    asked = {"environment": paper.environment.pk, "ref_kind": "branch", "ref": "main"}
    path = f"pipelines/{paper.pipeline.pk}/plan/"
    key = api.post(path, asked).json()["key"]
    question, name = keeping.find(key), paper.hosts[0].hostname
    assert question is not None
    assert question.state == keeping.ANSWERED, question
    words = [f"{name} has no login", f"{name} is another's"]
    said = {"problems": words, "blast": words, "warnings": words}
    keeping.keep(replace(question, answer=question.answer | said))
    answered = api.get(f"{path}{key}/")
    assert answered.status_code == 200
    plan = answered.json()["plan"]
    assert (plan["rows"], plan["hidden"]) == ([], len(paper.hosts))
    assert [words.split(") ")[1] for words in plan["problems"]] == [
        "has no login",
        "is another's",
    ]
    assert (plan["blast"], plan["warnings"]) == ([], [])
    text = answered.content.decode()
    assert not [host for host in paper.hosts if host.hostname in text]
