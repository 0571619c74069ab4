"""What the rules of a pipeline would take, before they are kept: tried on the files of the project's newest artefact."""

from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from adminset.errors import DomainError
from adminset.http import requires
from adminset.texts import number_of
from delivery.artefacts import store
from delivery.artefacts.rules import Rules, check_rules
from delivery.asked import keeping
from delivery.asked.asking import ask
from delivery.models import Artefact

NAMED = 20
RULES = "rules"


@dataclass
class Tried:
    """What rules take of an artefact's files, and what they leave: counts, bytes, and the first paths of both."""

    files: int = 0
    size: int = 0
    left_files: int = 0
    left_size: int = 0
    named: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


@requires("delivery.add_pipeline", "delivery.change_pipeline")
@require_POST
def pipeline_rules(request: HttpRequest) -> HttpResponse:
    """Draw what the rules in the form would take of the newest artefact of the chosen project, or of its source as it is now."""
    user: Any = request.user
    project = number_of(request.POST.get("project"))
    rows = Artefact.objects.visible_to(user).filter(project=project or 0)
    artefact = rows.filter(cleared_at=None).order_by("-number").first()
    context: dict[str, Any] = {"artefact": artefact, "chosen": project is not None}
    try:
        rules = _rules(request)
        if project and request.GET.get("on") == "source":
            context |= _asked(request, project, rules)
        elif artefact is not None:
            context["tried"] = try_rules(rules, artefact)
    except (DomainError, ValidationError) as error:
        message = getattr(error, "message", "") or " ".join(error.messages)  # type: ignore[union-attr]
        context["problem"] = message or _("The rules cannot be read.")
    return render(request, "delivery/_rules.html", context)


def _asked(request: Any, project: int, rules: Rules) -> dict[str, Any]:
    """Have a worker try them on the source; the form asks again, by the question's key, until it has."""
    key = request.GET.get("key", "")
    question = keeping.find_of(request.user, key, RULES) if key else None
    if question is None:
        about = {"project": project, "include": rules.include, "exclude": rules.exclude}
        question = ask(request.user, RULES, about)
    return {"question": question, "found": question.answer or {}}


def _rules(request: HttpRequest) -> Rules:
    parts = []
    for name in ("include", "exclude"):
        lines = request.POST.get(name, "").replace("\r\n", "\n").split("\n")
        check_rules(lines)
        parts.append(tuple(lines))
    return Rules(*parts)


def try_rules(rules: Rules, artefact: Artefact) -> Tried:
    """Say what rules would take of the files of an artefact.

    Raises:
        DomainError: its files are not there any more.
    """
    tried = Tried()
    for entry in store.manifest(artefact.sha256).entries:
        if rules.takes(entry.path):
            tried.files += 1
            tried.size += entry.size
            names = tried.named
        else:
            tried.left_files += 1
            tried.left_size += entry.size
            names = tried.left
        if len(names) < NAMED:
            names.append(entry.path)
    return tried
