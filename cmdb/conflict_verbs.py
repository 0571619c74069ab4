"""The decisions that the page of a conflict offers, in words."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from cmdb.models import IdentityConflict
from cmdb.services import identity, rulings

VERDICTS, KINDS = IdentityConflict.Verdict, IdentityConflict.Kind
ICONS = {
    VERDICTS.ACCEPT: "link",
    VERDICTS.REIMAGED: "arrows-rotate",
    VERDICTS.SPLIT: "code-branch",
    VERDICTS.CLONE: "clone",
    VERDICTS.MERGE: "code-merge",
    VERDICTS.DISMISS: "xmark",
}


def verbs(conflict: IdentityConflict) -> list[dict[str, Any]]:
    """List {label, help, button, icon, url, hosts, other}: what may be decided; hosts, other: whether they are asked for."""
    return [
        {
            "label": VERDICTS(verdict).label,
            "button": _buttons()[verdict],
            "help": _helps(conflict)[verdict],
            "icon": ICONS[VERDICTS(verdict)],
            "url": reverse(f"cmdb:identityconflict_{verdict}", args=[conflict.pk]),
            "hosts": verdict in identity.LINKING,
            "other": verdict == VERDICTS.MERGE,
        }
        for verdict in rulings.open_to(conflict)
    ]


def _buttons() -> dict[str, str]:
    return {
        VERDICTS.ACCEPT: _("Accept"),
        VERDICTS.REIMAGED: _("Declare installed anew"),
        VERDICTS.SPLIT: _("Split"),
        VERDICTS.CLONE: _("Declare a copy"),
        VERDICTS.MERGE: _("Merge"),
        VERDICTS.DISMISS: _("Dismiss"),
    }


def _helps(conflict: IdentityConflict) -> dict[str, str]:
    if conflict.kind == KINDS.CREDENTIAL:
        return {
            VERDICTS.CLONE: _(
                "The newer machine stays refused until it enrols with a token of its own."
            ),
            VERDICTS.DISMISS: _("Both boots are one machine: it may report again."),
        }
    merge = _(
        "The second host goes into the first with its identifiers, its agent and all that belongs to it. It can be taken back."
    )
    own = _enrolling() if conflict.kind in rulings.AT_ENROLMENT else _reporting()
    return {**own, VERDICTS.MERGE: merge}


def _enrolling() -> dict[str, str]:
    again = _("Takes effect when the machine enrols again, within seven days.")
    ends = again + " " + _("The agent of the host ends.")
    return {
        VERDICTS.ACCEPT: ends,
        VERDICTS.REIMAGED: ends,
        VERDICTS.SPLIT: again,
        VERDICTS.CLONE: again + " " + _("What both show tells machines apart no more."),
        VERDICTS.DISMISS: _("The machine stays refused, and nobody is asked again."),
    }


def _reporting() -> dict[str, str]:
    return {
        VERDICTS.ACCEPT: _(
            "The host has new hardware: what its agent says is written."
        ),
        VERDICTS.SPLIT: _("The agent gets a new host; this one keeps its history."),
        VERDICTS.DISMISS: _("The host keeps what it holds, and nobody is asked again."),
    }
