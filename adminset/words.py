"""What the audit trail's verbs and object types are called by people."""

from typing import Any

from django.apps import apps
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

# The word behind the dot of a verb ("host.update"), where it means the same for every kind of object.
ACTIONS = {
    "create": pgettext_lazy("audit", "added"),
    "update": pgettext_lazy("audit", "changed"),
    "delete": pgettext_lazy("audit", "deleted"),
    "revoke": pgettext_lazy("audit", "revoked"),
}
VERBS = {
    "agent.enrol": _("enrolled"),
    "agent.refuse": _("was refused"),
    "host.discover": _("discovered"),
    "host.report": _("reported changes of"),
    "host.link": _("linked an agent to"),
    "host.accept_key": _("accepted the host key of"),
    "host.forget_key": _("forgot the host key of"),
    "hostgroup.members": _("changed the members of"),
    "role.offer": _("offered new permissions to"),
    "run.request": _("asked for the run"),
    "run.cancel": _("stopped the run"),
    "run.finish": _("finished the run"),
    "run.lost": _("found the lost run"),
    "schedule.skip": _("left out a run of"),
    "session.start": _("signed in"),
    "session.end": _("signed out"),
    "session.refused": _("was refused to sign in"),
    "session.throttled": _("tried to sign in too often"),
    "user.password": _("changed the password of"),
    "user.password_refused": _("gave a wrong old password"),
    "demo.create": _("made the demo company"),
}


def verb_words(verb: str) -> Any:
    """Say a verb in words; one that nobody has named yet stays as it is."""
    return VERBS.get(verb) or ACTIONS.get(verb.rpartition(".")[2], verb)


def type_words(label: str) -> Any:
    """Say what an object of a model ("cmdb.host") is called; a model that is gone keeps its label."""
    try:
        return apps.get_model(label)._meta.verbose_name
    except (LookupError, ValueError):
        return label
