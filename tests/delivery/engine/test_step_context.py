"""What the legs of a deploy tell hosts of logs and bad releases."""

from __future__ import annotations

import pytest

from delivery.engine.context import context_of
from delivery.models import Deploy, DeployStep
from delivery.onhost import legs
from tests.delivery.safety.safety_things import Paper

pytestmark = pytest.mark.django_db


def values(deploy: Deploy, kind: str) -> dict[str, str]:
    """Give what all hosts are told in a step that switches."""
    context = context_of(deploy, DeployStep(deploy=deploy, kind=kind))
    leg = (
        legs.switch_back_leg(context, [1], "1-aa")
        if kind == "switch_back"
        else legs.activate_leg(context, [1])
    )
    return dict(leg.values)


def test_the_end_of_the_projects_log_is_shown_where_health_is_bad(
    paper: Paper,
) -> None:
    project = paper.pipeline.project
    project.log_path = "/var/log/shop/app.log"
    project.save()
    assert values(paper.ask(), "activate")["AS_LOG_PATH"] == "/var/log/shop/app.log"


@pytest.mark.parametrize(
    ("ending", "kind", "failed"),
    [
        ("failed", "deploy", "1"),
        ("cancelled", "deploy", ""),
        ("failed", "rollback", ""),
    ],
)
def test_only_what_failed_is_marked_on_its_way_back(
    paper: Paper, ending: str, kind: str, failed: str
) -> None:
    deploy = paper.ask()
    deploy.ending, deploy.kind = ending, kind
    told = values(deploy, "switch_back")
    # What each host had is better than what failed, whatever was said of it since.
    assert (told["AS_MARK_BAD"], told["AS_BAD_TOO"]) == (failed, "1")


def test_a_bad_release_is_delivered_in_an_emergency_only(paper: Paper) -> None:
    deploy = paper.ask()
    assert values(deploy, "activate")["AS_BAD_TOO"] == ""
    deploy.emergency_reason = "the other one is worse"
    assert values(deploy, "activate")["AS_BAD_TOO"] == "1"
