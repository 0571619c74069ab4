"""Web-hooks: form, list, deliveries; one declaration, pages and REST endpoints follow from it."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from adminset.audit import Actor
from adminset.crud import services as crud
from adminset.crud.forms import ResourceForm, SecretInput
from adminset.crud.plain import plain_table
from adminset.crud.resource import Action, Panel, Resource, all_resources
from adminset.querysets import permission_for, scope_of
from adminset.webhook_models import WebHook
from adminset.webhook_outbox import forget

MOST_SHOWN = 50
SHORTEST_SECRET = 16


def kinds() -> list[tuple[str, Any]]:
    """List the kinds of object of which web-hooks can tell: (label, what many are called)."""
    return [
        (each.model._meta.label_lower, capfirst(each.verbose_name_plural))
        for each in all_resources()
    ]


class WebHookForm(ResourceForm):
    """A web-hook; it tells only of what its author may see everywhere, because it tells of all of it."""

    kinds = forms.MultipleChoiceField(
        label=_("Kinds of object"), choices=kinds, widget=forms.CheckboxSelectMultiple
    )
    verbs = forms.MultipleChoiceField(
        label=_("What happens to them"),
        choices=WebHook.What.choices,
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = WebHook
        fields = ["name", "url", "secret", "kinds", "verbs", "active"]
        widgets = {"secret": SecretInput}

    def clean_kinds(self) -> list[str]:
        """Refuse kinds that the author does not see everywhere.

        Raises:
            ValidationError: names them.
        """
        chosen = sorted(self.cleaned_data["kinds"])
        if hidden := list(self._hidden_of(chosen)):
            raise ValidationError(
                gettext(
                    "You do not see all of these, so you cannot pass them on: %(names)s."
                )
                % {"names": ", ".join(hidden)}
            )
        return chosen

    def _hidden_of(self, labels: Iterable[str]) -> Iterable[str]:
        for each in all_resources():
            if each.model._meta.label_lower in labels:
                held = scope_of(self.user, permission_for(each.model, "view"))
                if not held.everything:
                    yield str(each.verbose_name_plural)

    def clean_verbs(self) -> list[str]:
        """Keep them in order."""
        return sorted(self.cleaned_data["verbs"])

    def clean(self) -> dict[str, Any]:
        """Ask for a secret: a message that is not signed could be anybody's."""
        cleaned = super().clean()
        secret = cleaned.get("secret")
        if not secret:
            self.add_error("secret", gettext("Give a secret that signs the messages."))
        elif isinstance(secret, str) and len(secret) < SHORTEST_SECRET:
            words = gettext("Give at least %(number)s characters.")
            self.add_error("secret", words % {"number": SHORTEST_SECRET})
        return cleaned


def save(*, actor: Actor, form: WebHookForm) -> WebHook:
    """Save a web-hook; one that is switched on begins without failures."""
    if form.cleaned_data["active"]:
        form.instance.failures, form.instance.paused_until = 0, None
    hook: WebHook = crud.save(actor=actor, form=form)  # type: ignore[assignment]
    forget()
    transaction.on_commit(forget)
    return hook


def _deliveries(request: HttpRequest, hook: WebHook) -> dict[str, Any]:
    """Give the newest messages, and whether the reader may send one again."""
    return {
        "deliveries": hook.deliveries.defer("body")[:MOST_SHOWN],
        "may_send": request.user.has_perm("adminset.change_webhook"),
    }


SHOWN = ("name", "url", "kinds", "verbs", "active", "failures", "paused_until")
WEBHOOK = Resource(
    model=WebHook,
    table=plain_table(WebHook, "name", "url", "active", "failures"),
    form=WebHookForm,
    path="web-hooks",
    icon="bell",
    search=("name",),
    detail_fields=SHOWN,
    api_fields=SHOWN,
    panels=(
        Panel("deliveries", _("Deliveries"), "adminset/_deliveries.html", _deliveries),
    ),
    actions=(
        Action(
            _("Send a test"),
            "adminset:webhook_test",
            "paper-plane",
            "adminset.change_webhook",
            post=True,
        ),
    ),
    save=save,
    verbs=frozenset({"add", "change", "delete"}),
)
