"""How dashboards are made, changed and brought: every write of theirs, with its line of the trail."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from adminset import audit
from adminset.crud import services
from adminset.errors import Conflict, DomainError, NotFound
from monitor.dashboard_models import Dashboard
from monitor.dashboard_panels import Panel, checked, panels_of
from monitor.selectors import groups_of, watched_hosts

FORMAT = "adminset_dashboard"
VERSION = 1


def save_dashboard(*, actor: Any, form: Any) -> Dashboard:
    """Save a dashboard's name and whether it is shared; a new one belongs to whoever makes it."""
    if form.instance._state.adding:
        form.instance.owner = actor
    saved: Any = services.save(actor=actor, form=form)
    return saved


@transaction.atomic
def set_panels(
    *, actor: Any, dashboard: Dashboard, panels: Sequence[Panel | Mapping[str, Any]]
) -> None:
    """Give a dashboard these panels, in this order.

    Raises:
        DomainError: a panel is not as it must be.
    """
    given = [p.as_json() if isinstance(p, Panel) else p for p in panels]
    before, dashboard.panels = dashboard.panels, _checked(given)
    dashboard.save(update_fields=["panels", "updated_at"])
    change = audit.changed({"panels": before}, {"panels": dashboard.panels})
    if change:
        audit.record(actor, "dashboard.update", dashboard, changes=change)


def put_panel(*, actor: Any, dashboard: Dashboard, panel: Panel) -> None:
    """Put a panel in the place of the one of its id, or behind all others.

    Raises:
        DomainError: the dashboard is full.
    """
    with transaction.atomic():
        panels = _locked_panels(dashboard)
        places = {each.id: place for place, each in enumerate(panels)}
        place = places.get(panel.id, len(panels))
        panels[place : place + 1] = [panel]
        set_panels(actor=actor, dashboard=dashboard, panels=panels)


def drop_panel(*, actor: Any, dashboard: Dashboard, panel_id: str) -> None:
    """Take a panel away; one that is gone already is no fault."""
    with transaction.atomic():
        panels = [p for p in _locked_panels(dashboard) if p.id != panel_id]
        set_panels(actor=actor, dashboard=dashboard, panels=panels)


def move_panel(*, actor: Any, dashboard: Dashboard, panel_id: str, by: int) -> None:
    """Move a panel so many places on, or back for a negative number.

    Raises:
        NotFound: there is no such panel any more.
    """
    with transaction.atomic():
        panels = _locked_panels(dashboard)
        place = next((i for i, p in enumerate(panels) if p.id == panel_id), None)
        if place is None:
            raise NotFound(_("This panel is no longer there."))
        panel = panels.pop(place)
        panels.insert(max(place + by, 0), panel)
        set_panels(actor=actor, dashboard=dashboard, panels=panels)


def _locked_panels(dashboard: Dashboard) -> list[Panel]:
    """Read the panels that others may have changed since the page was drawn."""
    held = Dashboard.objects.select_for_update().get(pk=dashboard.pk)
    dashboard.panels = held.panels
    return panels_of(held.panels)


# ---- Files


def as_file(user: Any, dashboard: Dashboard) -> dict[str, Any]:
    """Give a dashboard as a file takes it to another portal: hosts and groups by name, as far as the reader sees them."""
    panels = panels_of(dashboard.panels)
    keys = {key for panel in panels for key in panel.hosts}
    hosts = dict(watched_hosts(user).filter(pk__in=keys).values_list("pk", "hostname"))
    groups = dict(groups_of(user).values_list("pk", "name"))
    return {
        FORMAT: VERSION,
        "name": dashboard.name,
        "description": dashboard.description,
        "panels": [
            panel.as_json()
            | {
                "hosts": [hosts[key] for key in panel.hosts if key in hosts],
                "group": groups.get(panel.group) if panel.group else None,
            }
            for panel in panels
        ],
    }


@transaction.atomic
def take_file(*, actor: Any, document: Any) -> Dashboard:
    """Make a private dashboard of what `as_file` gave here or elsewhere.

    Raises:
        DomainError: it is no such file, or names hosts or groups that the actor does not see. Conflict: the name is taken.
    """
    if not isinstance(document, dict) or document.get(FORMAT) != VERSION:
        raise DomainError(
            _("This is no dashboard of AdminSet."),
            _('Choose a file that "Export" of a dashboard gave.'),
        )
    panels = _checked(_by_keys(actor, document.get("panels")))
    name, description = (
        _text(document, "name", 100),
        _text(document, "description", 250),
    )
    if not name:
        raise DomainError(_("The dashboard in this file has no name."))
    if Dashboard.objects.filter(owner=actor, name=name).exists():
        raise Conflict(
            _("You have a dashboard %(name)s already.") % {"name": name},
            _("Rename it first, or change the name in the file."),
        )
    made = Dashboard(owner=actor, name=name, description=description, panels=panels)
    made.save()
    changes = audit.changed({}, audit.snapshot(made))
    audit.record(actor, "dashboard.create", made, changes=changes)
    return made


def _text(document: Mapping[str, Any], name: str, most: int) -> str:
    text = document.get(name, "")
    plain = isinstance(text, str) and "\x00" not in text
    return " ".join(text.split())[:most] if plain else ""


def _checked(panels: Any) -> list[dict[str, Any]]:
    try:
        return checked(panels)
    except ValidationError as error:
        raise DomainError(" ".join(error.messages)) from error


def _by_keys(user: Any, panels: Any) -> Any:
    """Turn the names of hosts and groups in a file into keys; what is no list of panels goes on and is refused there."""
    if not isinstance(panels, list) or not all(isinstance(p, dict) for p in panels):
        return panels
    hosts = _keys_by_name(watched_hosts(user), "hostname", _names(panels, "hosts"))
    groups = _keys_by_name(groups_of(user), "name", _names(panels, "group"))
    return [
        panel
        | {
            "hosts": [hosts[name] for name in _listed(panel.get("hosts"))],
            "group": next((groups[n] for n in _listed(panel.get("group"))), None),
        }
        for panel in panels
    ]


def _listed(names: Any) -> list[str]:
    """Give one name or many as a list of texts."""
    many = names if isinstance(names, list) else [names] if names else []
    return [str(name)[:253] for name in many]


def _names(panels: Sequence[Mapping[str, Any]], field: str) -> set[str]:
    return {name for panel in panels for name in _listed(panel.get(field))}


def _keys_by_name(rows: Any, field: str, names: set[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    asked = rows.filter(**{f"{field}__in": names}).order_by("pk")
    for name, key in asked.values_list(field, "pk"):
        found.setdefault(name, key)
    if missing := sorted(names - set(found)):
        raise DomainError(
            _("There is no %(names)s that you may see.")
            % {"names": ", ".join(missing[:10])},
            _("Change the names in the file to hosts and groups of this portal."),
        )
    return found
