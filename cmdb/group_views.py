"""What a dynamic group would take in, shown while its filter is written."""

from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from adminset.http import requires
from adminset.querysets import scope_of
from cmdb import group_rules, selectors
from cmdb.forms.groups import RuleField

FIRST = 10


@requires("cmdb.add_hostgroup", "cmdb.change_hostgroup")
@require_safe
def hostgroup_preview(request: HttpRequest) -> HttpResponse:
    """Draw how many hosts match `?rule=` now, and the names of the first; only of those that the user may see."""
    context: dict[str, Any] = {"dynamic": request.GET.get("kind") == "dynamic"}
    if context["dynamic"]:
        context |= _preview(request.user, request.GET.get("rule", ""))
    return render(request, "cmdb/_group_preview.html", context)


def _preview(user: Any, text: str) -> dict[str, Any]:
    try:
        asked = RuleField(required=False).clean(text)
    except ValidationError as error:
        return {"problems": error.messages}
    rule, wrong = group_rules.read(asked, user)
    if wrong:
        return {"problems": [f"{name}: {said}" for name, said in wrong.items()]}
    rows = selectors.matching_hosts(user, rule)
    total = rows.count()
    return {
        "said": group_rules.describe(rule, user),
        "total": total,
        "names": list(rows.values_list("hostname", flat=True)[:FIRST]),
        "more": total > FIRST,
        "all_seen": scope_of(user, "cmdb.view_host").everything,
    }
