"""Web-hooks: form, list, deliveries; one declaration, pages and REST endpoints follow from it."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from adminset import audit
from adminset.audit import Actor
from adminset.crud import services as crud
from adminset.crud.forms import ResourceForm, SecretInput
from adminset.crud.plain import plain_table
from adminset.crud.resource import Action, Panel, Resource, all_resources
from adminset.querysets import permission_for, scope_of
from adminset.webhook_models import WebHook
from adminset.webhook_outbox import forget
from adminset.webhook_subjects import ALSO_TOLD, projects_for

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
    projects = forms.TypedMultipleChoiceField(
        label=_("Only of these projects"),
        coerce=int,
        required=False,
        help_text=_(
            "Of deliveries, only those of these projects. None chosen: of all of them."
        ),
    )

    class Meta:
        model = WebHook
        fields = [
            *("name", "format", "url", "secret", "kinds", "verbs", "projects"),
            "active",
        ]
        widgets = {"secret": SecretInput}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Left out by a program, it is as usual.
        self.fields["format"].required = False
        self._stored = self.instance.url if self.instance.url_secret else ""
        self._is_new_address = False
        seen = projects_for(self.user)
        known = {key for key, _name in seen}
        # One that is gone, or not for the user to see, stays: without it there might be none, and that is all.
        held = [key for key in self.instance.projects if key not in known]
        field: Any = self.fields["projects"]
        field.choices = [*seen, *((key, f"#{key}") for key in held)]

    def clean_kinds(self) -> list[str]:
        """Refuse kinds that the author does not see everywhere.

        Raises:
            ValidationError: names them.
        """
        chosen = sorted(self.cleaned_data["kinds"])
        self._ensure_seen(chosen)
        return chosen

    def _ensure_seen(self, labels: Iterable[str]) -> None:
        if hidden := list(self._hidden_of(labels)):
            raise ValidationError(
                gettext(
                    "You do not see all of these, so you cannot pass them on: %(names)s."
                )
                % {"names": ", ".join(hidden)}
            )

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
        """Ask programs' web-hooks for a secret: a message that is not signed could be anybody's. Addresses of chats are sealed."""
        cleaned = super().clean()
        cleaned["format"] = cleaned.get("format") or self.instance.format
        if cleaned["format"] == WebHook.Format.GENERIC:
            self._want_secret(cleaned.get("secret"))
            self.instance.url_secret = None
            return cleaned
        if cleaned.get("url"):
            cleaned["url"] = self._sealed_address(cleaned["url"])
        try:
            kinds = cleaned.get("kinds", ())
            self._ensure_seen([ALSO_TOLD[one] for one in kinds if one in ALSO_TOLD])
        except ValidationError as error:
            self.add_error("kinds", error)
        return cleaned

    def _sealed_address(self, url: str) -> str:
        """Seal what follows the host, and give what is shown; the host alone, as it was shown, leaves all as it is."""
        parts = urlsplit(url)
        host = f"{parts.scheme}://{parts.netloc}/"
        rest = url.partition("://")[2].partition("/")[2]
        if rest:
            self.instance.url_secret = rest
            self._is_new_address = True
        elif host != self._stored:
            self.add_error("url", gettext("Give the whole address of the robot."))
        return host

    def secret_changes(self) -> list[audit.Change]:
        """Tell of an address that was replaced, without it."""
        told = super().secret_changes()
        if self._is_new_address and self._stored:
            mask = audit.MASK
            told.append({"field": "url_secret", "old": mask, "new": mask})
        return told

    def _want_secret(self, secret: Any) -> None:
        if not secret:
            self.add_error("secret", gettext("Give a secret that signs the messages."))
        elif isinstance(secret, str) and len(secret) < SHORTEST_SECRET:
            words = gettext("Give at least %(number)s characters.")
            self.add_error("secret", words % {"number": SHORTEST_SECRET})


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


SHOWN = (
    *("name", "format", "url", "kinds", "verbs", "projects", "active"),
    *("failures", "paused_until"),
)
WEBHOOK = Resource(
    model=WebHook,
    table=plain_table(WebHook, "name", "format", "url", "active", "failures"),
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
