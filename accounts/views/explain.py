"""The page "why may or may not": a question in the address, and the answer below it."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.explain import Decision
from accounts.explain import explain as answer_to
from accounts.forms.explain import ExplainForm
from accounts.views.pages import me
from adminset.http import SIGNED_IN, requires


@requires(SIGNED_IN)
@require_safe
def explain(request: HttpRequest) -> HttpResponse:
    """Ask about oneself, or about others whose grants one may see."""
    asked = request.GET.copy()
    asked.setdefault("user", me(request).username)
    form = ExplainForm(
        asked if "permission" in request.GET else None, asker=me(request)
    )
    decision: Decision | None = None
    if form.is_bound and form.is_valid():
        try:
            row = form.target()
        except Http404 as missing:
            form.add_error("object", str(missing))
        else:
            data = form.cleaned_data
            decision = answer_to(me(request), data["user"], data["permission"], row)
    title = _("Why may or may not")
    context = {
        "form": form,
        "decision": decision,
        "page_title": title,
        "crumbs": [(title, None)],
    }
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "accounts/explain.html", context, status=status)
