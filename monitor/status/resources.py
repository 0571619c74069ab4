"""Status pages, their lines and notes: one declaration each, pages and REST endpoints follow from it."""

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from adminset.crud.forms import ResourceForm, moment_input
from adminset.crud.plain import plain_filter, plain_form, plain_table
from adminset.crud.resource import Action, Resource
from monitor.models import StatusItem, StatusNote, StatusPage
from monitor.status.services import delete_part, save_part

TABS = (
    "monitor:statuspage_list",
    "monitor:statusitem_list",
    "monitor:statusnote_list",
)
PAGE_FIELDS = ("slug", "title_en", "title_zh", "text_en", "text_zh", "is_public")
ITEM_FIELDS = (
    "page",
    "position",
    "name_en",
    "name_zh",
    "group_en",
    "group_zh",
    "service_check",
    "heartbeat",
)


class StatusItemForm(ResourceForm):
    """A line of a status page."""

    class Meta:
        model = StatusItem
        fields = ITEM_FIELDS

    def clean(self) -> dict[str, Any]:
        """Want either a check or a heartbeat."""
        cleaned = super().clean()
        if bool(cleaned.get("service_check")) == bool(cleaned.get("heartbeat")):
            words = gettext("Choose a service check or a heartbeat: one of the two.")
            self.add_error("service_check", words)
        return cleaned


class StatusNoteForm(ResourceForm):
    """An incident or a maintenance."""

    class Meta:
        model = StatusNote
        fields = (
            "page",
            "kind",
            "title_en",
            "title_zh",
            "text_en",
            "text_zh",
            "starts_at",
            "ends_at",
        )
        widgets = {
            "text_en": forms.Textarea(attrs={"rows": 3}),
            "text_zh": forms.Textarea(attrs={"rows": 3}),
            "starts_at": moment_input(),
            "ends_at": moment_input(),
        }

    def clean(self) -> dict[str, Any]:
        """Refuse one that ends before it starts."""
        cleaned = super().clean()
        starts, ends = cleaned.get("starts_at"), cleaned.get("ends_at")
        if starts and ends and ends < starts:
            self.add_error("ends_at", gettext("It ends before it starts."))
        return cleaned


STATUS_PAGE = Resource(
    model=StatusPage,
    table=plain_table(StatusPage, "title_en", "slug", "is_public"),
    form=plain_form(StatusPage, *PAGE_FIELDS),
    path="status-pages",
    icon="traffic-light",
    search=("slug", "title_en", "title_zh"),
    tabs=TABS,
    actions=(
        Action(
            _("Open the page"),
            "monitor:statuspage_open",
            "up-right-from-square",
            "monitor.view_statuspage",
        ),
    ),
    detail_fields=("public_path", *PAGE_FIELDS),
    counts={"line": "items"},
)
STATUS_ITEM = Resource(
    model=StatusItem,
    table=plain_table(
        StatusItem, "name_en", "page", "group_en", "position", "service_check"
    ),
    form=StatusItemForm,
    filterset=plain_filter(StatusItem, "page"),
    path="status-lines",
    icon="bars",
    search=("name_en", "name_zh"),
    tabs=TABS,
    bulk_fields=("page", "group_en", "group_zh", "position"),
    list_queryset=lambda rows: rows.select_related(
        "page", "service_check", "heartbeat"
    ),
    save=save_part,
    delete=delete_part,
)
STATUS_NOTE = Resource(
    model=StatusNote,
    table=plain_table(StatusNote, "title_en", "page", "kind", "starts_at", "ends_at"),
    form=StatusNoteForm,
    filterset=plain_filter(StatusNote, "page", "kind"),
    path="status-notes",
    icon="note-sticky",
    search=("title_en", "title_zh"),
    tabs=TABS,
    bulk_fields=("kind", "ends_at"),
    list_queryset=lambda rows: rows.select_related("page"),
    save=save_part,
    delete=delete_part,
)
