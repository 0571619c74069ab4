"""The input of a credential: secrets go in and never come out."""

from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    load_pem_private_key,
    load_ssh_private_key,
)
from django import forms
from django.utils.translation import gettext_lazy as _

from adminset.crud.forms import ResourceForm, SecretInput, SecretTextarea
from adminset.crypto import Secret
from cmdb.models import Credential

SECTIONS = (
    (_("Login"), ("name", "username", "port", "password", "clear_password")),
    (
        _("Key"),
        ("private_key", "clear_private_key", "passphrase", "clear_passphrase"),
    ),
    (
        _("Becoming root"),
        ("become_method", "become_password", "clear_become_password"),
    ),
    (_("Notes"), ("notes",)),
)
KEEP = _("Empty: stays as it is.")


def _secret(label: Any) -> forms.CharField:
    # Spaces belong to a password.
    return forms.CharField(
        label=label,
        required=False,
        strip=False,
        max_length=1000,
        widget=SecretInput(attrs={"autocomplete": "new-password"}),
        help_text=KEEP,
    )


def _forget(label: Any) -> forms.BooleanField:
    return forms.BooleanField(label=label, required=False)


class CredentialForm(ResourceForm):
    """A login and its secrets: an empty box keeps what is stored, a tick forgets it."""

    password = _secret(_("Password"))
    clear_password = _forget(_("Forget the password"))
    private_key = forms.CharField(
        label=_("Private key"),
        required=False,
        max_length=32_000,
        widget=SecretTextarea(attrs={"rows": 6, "autocomplete": "off"}),
        help_text=_("RSA, ECDSA or Ed25519, as OpenSSH or PEM. Empty: stays as it is."),
    )
    clear_private_key = _forget(_("Forget the private key"))
    passphrase = _secret(_("Passphrase of the key"))
    clear_passphrase = _forget(_("Forget the passphrase"))
    become_password = _secret(_("Password for becoming root"))
    clear_become_password = _forget(_("Forget that password"))

    class Meta:
        model = Credential
        fields = (
            "name",
            "username",
            "port",
            "password",
            "clear_password",
            "private_key",
            "clear_private_key",
            "passphrase",
            "clear_passphrase",
            "become_method",
            "become_password",
            "clear_become_password",
            "notes",
        )
        widgets = {"notes": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in self.secret_names():
            # A form made from an object must not send its sealed value back as a text.
            self.initial.pop(name, None)
            if not getattr(self.instance, name):
                self.fields.pop(f"clear_{name}", None)
                self.fields[name].help_text = ""

    @property
    def fieldsets(self) -> list[dict[str, Any]]:
        """Give the sections of the page."""
        return [
            {"title": title, "fields": [self[n] for n in names if n in self.fields]}
            for title, names in SECTIONS
        ]

    def clean_private_key(self) -> str:
        """Give the key with the line ends that every SSH takes."""
        lines = self.cleaned_data["private_key"].strip().splitlines()
        return "".join(f"{line.strip()}\n" for line in lines)

    def clean(self) -> dict[str, Any]:
        """Open a new key, or an old one with a new passphrase, to see that the two fit."""
        cleaned = super().clean()
        changed = self.data.get(self.add_prefix("private_key")) or self.data.get(
            self.add_prefix("passphrase")
        )
        key = _text(cleaned.get("private_key"))
        if (
            changed
            and key
            and (problem := key_problem(key, _text(cleaned.get("passphrase"))))
        ):
            self.add_error("private_key", problem)
        return cleaned


def _text(value: Any) -> str:
    return value.reveal() if isinstance(value, Secret) else value or ""


def key_problem(key: str, passphrase: str) -> Any:
    """Say what is wrong with a private key, None when it opens."""
    if key.startswith("PuTTY-User-Key-File"):
        return _(
            "This key is in PuTTY's form: convert it by puttygen to an OpenSSH key."
        )
    data = key.encode()
    load = load_ssh_private_key if b"OPENSSH PRIVATE" in data else load_pem_private_key
    for secret in (passphrase.encode() or None, None):
        try:
            load(data, secret)
        except TypeError:
            # Needs a passphrase, or needs none: the next try says which.
            continue
        except (ValueError, UnsupportedAlgorithm):
            return _("This is not a private key, or its passphrase is another.")
        return None
    return _("This key needs its passphrase.")
