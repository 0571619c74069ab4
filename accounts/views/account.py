"""One's own account, and the passwords of others."""

from django.contrib import auth, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from accounts import door, selectors
from accounts.forms.passwords import OwnPasswordForm, SetPasswordForm
from accounts.forms.users import PreferencesForm
from accounts.services import users as services
from accounts.views.pages import form_methods, form_page, me, refuse, sent
from accounts.views.sessions import this_session
from adminset.errors import DomainError
from adminset.http import SIGNED_IN, requires, safe_next


@requires(SIGNED_IN)
@form_methods
def profile(request: HttpRequest) -> HttpResponse:
    """Show and take what people choose for themselves."""
    user = selectors.fresh(me(request))
    form = PreferencesForm(sent(request), user=me(request), instance=user)
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
    form = OwnPasswordForm(sent(request), user=user)
    if form.is_valid():
        old, new = form.cleaned_data["old_password"], form.cleaned_data["password"]
        try:
            door.change_own_password(
                actor=user,
                old_password=old,
                password=new,
                session=this_session(request),
            )
        except DomainError as error:
            refuse(form, error)
        else:
            auth.update_session_auth_hash(request, user)
            messages.success(
                request, _("Your password is changed; other sessions have ended.")
            )
            return redirect(safe_next(request, reverse("accounts:profile")))
    title, back = _("Change password"), reverse("accounts:profile")
    context = {
        "form": form,
        "page_title": title,
        "cancel_url": "" if user.must_change_password else back,
        "crumbs": [(_("My account"), back), (title, None)],
        "must_change": user.must_change_password,
    }
    status = 422 if form.errors else 200
    return render(request, "accounts/password_change.html", context, status=status)


@sensitive_post_parameters("password", "repeat")
@requires("accounts.change_user")
@form_methods
def user_password(request: HttpRequest, pk: int) -> HttpResponse:
    """Give somebody a new password."""
    user = get_object_or_404(selectors.users(me(request), "change"), pk=pk)
    if user == me(request):
        return redirect("accounts:password_change")
    form = SetPasswordForm(sent(request), user=user)
    if form.is_valid():
        try:
            services.set_password(
                actor=me(request),
                user=user,
                password=form.cleaned_data["password"],
                must_change=form.cleaned_data["must_change"],
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
