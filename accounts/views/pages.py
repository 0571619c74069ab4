"""What the pages by hand of this room share."""

from typing import Any, cast

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from accounts.models import User
from adminset.errors import DomainError

form_methods = require_http_methods(["GET", "HEAD", "POST"])


def sent(request: HttpRequest) -> QueryDict | None:
    """Give what a form sent, None when the page is only looked at."""
    return request.POST if request.method == "POST" else None


def me(request: HttpRequest) -> User:
    """Give the user of a view that only signed-in users reach."""
    return cast("User", request.user)


def refuse(form: Any, error: DomainError) -> int:
    """Put what a service says onto the form, beside its field where there is one; give the status."""
    for name, sentence in error.fields.items():
        form.add_error(name if name in form.fields else None, sentence)
    if not error.fields:
        form.add_error(None, f"{error.message} {error.hint}".strip())
    return error.status


def form_page(
    request: HttpRequest, form: Any, title: str, cancel_url: str, **more: Any
) -> HttpResponse:
    """Draw a form of this room as the generic pages draw theirs."""
    context = {
        "form": form,
        "page_title": title,
        "cancel_url": cancel_url,
    }
    return render(
        request, "generic/form.html", context | more, status=422 if form.errors else 200
    )
