"""Permissions in people's words: what may be done, and with which objects."""

from django.apps import apps
from django.contrib.auth.models import Permission
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

ACTIONS = {
    "view": _("view"),
    "add": _("add"),
    "change": _("change"),
    "delete": _("delete"),
    "run": _("run work on it"),
    "use": _("use"),
    "write": _("send"),
    "cancel": _("cancel"),
    "approve": _("approve"),
    "deploy": _("deploy to it"),
    "download": _("download"),
    "emergency": _("do it outside windows and in freezes"),
    "break": _("break"),
    "guard": _("say who approves, and when it goes"),
    "terminal": _("open a terminal on it"),
    "transfer": _("send files to it and fetch them"),
    "together": _("type to several at once"),
    "browsefiles": _("look into its folders"),
    "uploadfile": _("upload new files to it"),
    "downloadfile": _("read and download its files"),
    "editfile": _("change, replace and rename its files"),
    "deletefile": _("move its files into the waste"),
    "purgefile": _("remove its files for good"),
}

# How somebody proved who he is; "password+totp" is a password and a code.
METHODS = {
    "password": _("password"),
    "totp": _("code of the authenticator app"),
    "recovery": _("recovery code"),
    "ldap": "LDAP",
    "oidc": "OpenID Connect",
}


def method_words(method: str) -> str:
    """Say how somebody signed in; a way that nobody has named yet stays as it is."""
    parts = [part for part in method.split("+") if part]
    return " + ".join(str(METHODS.get(part, part)) for part in parts)


def action_label(permission: Permission) -> str:
    """Say what a permission allows to do, in one or two words."""
    action = permission.codename.partition("_")[0]
    return str(ACTIONS.get(action, action))


def action_order(permission: Permission) -> int:
    """Say which place the action takes among those on one kind of object: seeing comes first."""
    action = permission.codename.partition("_")[0]
    return list(ACTIONS).index(action) if action in ACTIONS else len(ACTIONS)


def object_label(permission: Permission) -> str:
    """Say which objects a permission is about: "Assets: host"."""
    model = permission.content_type.model_class()
    room = apps.get_app_config(permission.content_type.app_label).verbose_name
    noun = model._meta.verbose_name if model else permission.content_type.model
    return str(_("%(room)s: %(noun)s") % {"room": capfirst(str(room)), "noun": noun})
