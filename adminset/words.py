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
    "export": pgettext_lazy("audit", "exported"),
    "import": pgettext_lazy("audit", "imported"),
}
VERBS = {
    "access.refused": _("was refused"),
    "audit.anchor": _("anchored the audit trail"),
    "apitoken.refused": _("was refused, from a network that is not allowed, with"),
    "apitoken.rotate": _("rotated"),
    "agent.enrol": _("enrolled"),
    "agent.refuse": _("was refused"),
    "agent.wait": _("enrolled and waits to be let in"),
    "agent.admit": _("let in"),
    "agent.turn_away": _("turned away"),
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
    "session.end_one": _("ended a session of"),
    "session.end_all": _("ended the sessions of"),
    "session.refused": _("was refused to sign in"),
    "session.throttled": _("tried to sign in too often"),
    "user.break_glass": _("broke the glass and opened the account"),
    "user.password": _("changed the password of"),
    "user.password_refused": _("gave a wrong old password"),
    "keys.add": _("added a key to the ring of stored secrets"),
    "keys.rotate": _("changed the key of stored secrets"),
    "keys.drop": _("removed keys from the ring of stored secrets"),
    "session.code_refused": _("gave a wrong code"),
    "session.confirm_refused": _("did not confirm who it was"),
    "user.second_factor": _("set up a second factor"),
    "user.second_factor_off": _("switched off the second factor"),
    "user.second_factor_reset": _("reset the second factor of"),
    "user.recovery_code": _("used a recovery code"),
    "user.recovery_codes": _("made new recovery codes"),
    "credential.use": _("signed in with"),
    "maintenance.on": _("turned maintenance on"),
    "maintenance.off": _("turned maintenance off"),
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
