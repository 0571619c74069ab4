"""What each part of a set would do before it is started: a worker makes the plan while the page looks."""

from collections import Counter
from typing import Any

from delivery.asked import keeping
from delivery.asked.asking import ask
from delivery.models import ReleaseSetItem
from delivery.planning.shown import ShownPlan, shown_plan

PLAN = "plan"
# Whoever loads the page again so soon sees the plans that were made for it.
YOUNG_SECONDS = 30


def question_of(user: Any, place: ReleaseSetItem, key: str) -> keeping.Question:
    """Give the question for the plan of a place that the user asked; a new one where there is none of this key, and none that is open or young."""
    about = {
        "pipeline": place.pipeline_id,
        "environment": place.environment_id,
        "ref_kind": place.ref_kind,
        "ref": place.ref,
        "host_ids": [],
    }
    found = keeping.find_of(user, key, PLAN) if key else None
    if found is not None and found.about == about:
        return found
    return ask(user, PLAN, about, young=YOUNG_SECONDS)


def told_of(user: Any, question: keeping.Question) -> dict[str, Any]:
    """Give what a page shows of an answered plan: the plan as far as the user may know, and from which releases it leads."""
    plan = shown_plan(user, question.answer or {})
    return {"plan": plan, "froms": froms_of(plan) if plan else []}


def froms_of(plan: ShownPlan) -> list[tuple[str, int]]:
    """Count the releases that are live now, the one of most hosts first; "" where nothing is known."""
    return Counter(row["from_release"] for row in plan.rows).most_common()
