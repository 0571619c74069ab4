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
    "revert": pgettext_lazy("audit", "took changes back of"),
    "relate": pgettext_lazy("audit", "added a relation of"),
    "unrelate": pgettext_lazy("audit", "took away a relation of"),
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
    "agent.rotate": _("gave itself a new secret:"),
    "host.discover": _("discovered"),
    "host.relink": _("found again"),
    "host.reimage": _("was installed anew:"),
    "host.split": _("made a host of its own of"),
    "host.merge": _("merged another host into"),
    "host.merge_away": _("merged away"),
    "host.unmerge": _("took a merge back:"),
    "identityconflict.open": _("opened the conflict"),
    "identityconflict.reopen": _("opened again the conflict"),
    "identityconflict.accept": _("decided that it is the host:"),
    "identityconflict.merge": _("decided that two hosts are one:"),
    "identityconflict.split": _("decided that it is a host of its own:"),
    "identityconflict.reimaged": _("decided that the host was installed anew:"),
    "identityconflict.clone": _("decided that it is a copy:"),
    "identityconflict.dismiss": _("dismissed the conflict"),
    "host.report": _("reported changes of"),
    "host.link": _("linked an agent to"),
    "host.ask_packages": _("asked for the packages of"),
    "host.list_packages": _("sent the list of packages of"),
    "host.accept_key": _("accepted the host key of"),
    "host.forget_key": _("forgot the host key of"),
    "ipaddress.reserve": _("reserved"),
    "certificate.check": _("checked"),
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
    "servicecheck.ask": _("had asked at once"),
    "servicecheck.pause": _("paused"),
    "servicecheck.resume": _("let go on"),
    "heartbeat.pause": _("paused"),
    "heartbeat.resume": _("let go on"),
    "heartbeat.rotate": _("gave a new address to"),
    "webhook.disable": _("switched off, because it failed too often,"),
    "webhook.resend": _("sent a message once more by"),
    "webhook.test": _("sent a test by"),
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
