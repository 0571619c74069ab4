"""Pages by hand: the door, one's own account and tokens, passwords, the audit trail."""

from typing import Any, cast

from django.contrib import auth, messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)
from django_tables2 import RequestConfig

from accounts import door, forms, selectors, services, throttle
from accounts.filters import AuditFilter
from accounts.models import User
from accounts.tables import AuditTable
from adminset.errors import DomainError
from adminset.http import SIGNED_IN, requires, safe_next

ROWS_A_PAGE = 50
LATEST = 8
form_methods = require_http_methods(["GET", "HEAD", "POST"])


@sensitive_post_parameters("password")
@never_cache
@form_methods
def sign_in(request: HttpRequest) -> HttpResponse:
    """Let somebody in by name and password, to where he wanted to go."""
    target = safe_next(request, reverse("home"))
    if request.user.is_authenticated:
        return redirect(target)
    form = forms.SignInForm(sent(request))
    status = 422 if form.errors else 200
    if form.is_valid():
        try:
            user = door.authenticate(**form.cleaned_data)
        except DomainError as error:
            status = refuse(form, error)
        else:
            auth.login(request, user)
            door.record_sign_in(actor=user)
            return redirect(target)
    context = {"form": form, "next": target, "page_title": _("Sign in")}
    answer = render(request, "accounts/sign_in.html", context, status=status)
    if status == 429:
        answer["Retry-After"] = str(throttle.SECONDS)
    return answer


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


@requires(SIGNED_IN)
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    door.record_sign_out(actor=me(request))
    auth.logout(request)
    return redirect("accounts:sign_in")


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


@requires(SIGNED_IN)
@form_methods
def profile(request: HttpRequest) -> HttpResponse:
    """Show and take what people choose for themselves."""
    user = selectors.fresh(me(request))
    form = forms.PreferencesForm(sent(request), user=me(request), instance=user)
    if form.is_valid():
        services.save_profile(actor=me(request), form=form)
        messages.success(request, _("Your account is saved."))
        return redirect("accounts:profile")
    return form_page(request, form, _("My account"), reverse("home"))


@requires(SIGNED_IN)
@require_POST
def preferences(request: HttpRequest) -> HttpResponse:
    """Keep the theme or the language chosen in the head of a page."""
    chosen = {name: request.POST.get(name, "") for name in ("theme", "language")}
    services.save_preferences(actor=me(request), **chosen)
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204)
    return redirect(safe_next(request, reverse("home")))


@sensitive_post_parameters("old_password", "password", "repeat")
@requires(SIGNED_IN)
@form_methods
def password_change(request: HttpRequest) -> HttpResponse:
    """Take a new password of one's own; other sessions end, this one stays."""
    user = selectors.fresh(me(request))
    form = forms.OwnPasswordForm(sent(request), user=user)
    if form.is_valid():
        old, new = form.cleaned_data["old_password"], form.cleaned_data["password"]
        try:
            door.change_own_password(actor=user, old_password=old, password=new)
        except DomainError as error:
            refuse(form, error)
        else:
            auth.update_session_auth_hash(request, user)
            messages.success(
                request, _("Your password is changed; other sessions have ended.")
            )
            return redirect("accounts:profile")
    title, back = _("Change password"), reverse("accounts:profile")
    crumbs = [(_("My account"), back), (title, None)]
    return form_page(request, form, title, back, crumbs=crumbs)


@sensitive_post_parameters("password", "repeat")
@requires("accounts.change_user")
@form_methods
def user_password(request: HttpRequest, pk: int) -> HttpResponse:
    """Give somebody a new password."""
    user = get_object_or_404(selectors.users(me(request), "change"), pk=pk)
    if user == me(request):
        return redirect("accounts:password_change")
    form = forms.NewPasswordForm(sent(request), user=user)
    if form.is_valid():
        try:
            services.set_password(
                actor=me(request), user=user, password=form.cleaned_data["password"]
            )
        except DomainError as error:
            refuse(form, error)
        else:
            messages.success(
                request, _("%(name)s has a new password.") % {"name": user}
            )
            return redirect(user)
    title = _("Set the password of %(name)s") % {"name": user}
    crumbs = [
        (_("Users"), reverse("accounts:user_list")),
        (user, user.get_absolute_url()),
    ]
    return form_page(
        request, form, title, user.get_absolute_url(), crumbs=[*crumbs, (title, None)]
    )


@requires(SIGNED_IN)
@require_safe
def my_tokens(request: HttpRequest) -> HttpResponse:
    """Show one's own tokens."""
    context = {
        "tokens": selectors.tokens_of(me(request)),
        "own": True,
        "page_title": _("My API tokens"),
        "crumbs": [
            (_("My account"), reverse("accounts:profile")),
            (_("API tokens"), None),
        ],
    }
    return render(request, "accounts/my_tokens.html", context)


@requires(SIGNED_IN)
@never_cache
@form_methods
def my_token_add(request: HttpRequest) -> HttpResponse:
    """Make a token of one's own and show its text this once."""
    form = forms.NewTokenForm(sent(request))
    title, back = _("New API token"), reverse("accounts:my_tokens")
    crumbs = [(_("My API tokens"), back), (title, None)]
    if form.is_valid():
        token, text = services.create_token(
            actor=me(request), user=me(request), **form.cleaned_data
        )
        context = {"token": token, "text": text, "page_title": title, "crumbs": crumbs}
        return render(request, "accounts/my_token_add.html", context)
    submit = _("Make the token")
    return form_page(request, form, title, back, crumbs=crumbs, submit_title=submit)


@requires(SIGNED_IN)
@require_POST
def my_token_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """End one of one's own tokens."""
    token = get_object_or_404(selectors.tokens_of(me(request)), pk=pk)
    services.revoke_token(actor=me(request), instance=token)
    messages.success(request, _("%(name)s is revoked.") % {"name": token})
    return redirect("accounts:my_tokens")


@requires("accounts.delete_apitoken")
@require_POST
def apitoken_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """End anybody's token."""
    token = get_object_or_404(selectors.tokens(me(request), "delete"), pk=pk)
    services.revoke_token(actor=me(request), instance=token)
    messages.success(request, _("%(name)s is revoked.") % {"name": token})
    return redirect("accounts:apitoken_detail", token.pk)


@requires("adminset.view_auditentry")
@require_safe
def audit_list(request: HttpRequest) -> HttpResponse:
    """Show the audit trail, newest first, as the filter narrows it."""
    filterset = AuditFilter(
        request.GET, selectors.audit_trail(me(request)), request=request
    )
    table = AuditTable(filterset.qs, request=request)
    RequestConfig(request, paginate=False).configure(table)
    table.paginator = Paginator(table.rows, ROWS_A_PAGE)
    table.page = table.paginator.get_page(request.GET.get("page"))
    context = {
        "table": table,
        "page": table.page,
        "total": table.page.paginator.count,
        "per_page": ROWS_A_PAGE,
        "filterset": filterset,
        "q": request.GET.get("q", ""),
        "is_filtered": bool(filterset.form.changed_data),
        "page_title": _("Audit trail"),
    }
    template = "accounts/audit_list.html"
    if request.headers.get("HX-Request"):
        template = "accounts/_audit_list.html"
    answer = render(request, template, context)
    answer["Vary"] = "HX-Request"
    return answer


@requires("adminset.view_auditentry")
@require_safe
def audit_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one line of the trail: what changed from what to what, and what else the same request did."""
    trail = selectors.audit_trail(me(request))
    entry = get_object_or_404(trail, pk=pk)
    same = (
        trail.filter(request_id=entry.request_id).exclude(request_id="").exclude(pk=pk)
    )
    title = _("Entry %(number)s") % {"number": entry.pk}
    context = {
        "entry": entry,
        "changes": selectors.labelled_changes(entry),
        "target_url": selectors.target_url(me(request), entry),
        "same_request": same[:LATEST],
        "page_title": title,
        "crumbs": [(_("Audit trail"), reverse("accounts:audit_list")), (title, None)],
    }
    return render(request, "accounts/audit_detail.html", context)


@requires("adminset.view_auditentry")
@require_safe
def card(request: HttpRequest) -> HttpResponse:
    """Draw the card of the home page: what happened last."""
    rows = [
        {
            "title": f"{entry.actor_name}: {entry.what} {entry.target_name}",
            "url": reverse("accounts:audit_detail", args=[entry.pk]),
            "when": entry.at,
        }
        for entry in selectors.audit_trail(me(request))[:LATEST]
    ]
    context = {
        "rows": rows,
        "more_url": reverse("accounts:audit_list"),
        "empty": _("Nothing has happened yet."),
    }
    return render(request, "components/_card.html", context)
