"""Networks as settings and fields: which addresses they hold, and lists of them as text."""

import ipaddress
from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def parse(text: str) -> Network:
    """Read "10.1.0.0/16", or one address as the network of itself.

    Raises:
        ValueError: it is neither; host bits behind the mask are refused too, because they are nearly always a slip.
    """
    return ipaddress.ip_network(text.strip())


def holds(networks: Iterable[str], address: str) -> bool:
    """Say whether an address lies in one of the networks; an IPv4 address written as IPv6 counts as IPv4."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    plain = getattr(found, "ipv4_mapped", None) or found
    return any(plain in parse(network) for network in networks)


def admits(networks: Iterable[str], address: str) -> bool:
    """Say whether an address may come in: no network listed means anybody."""
    listed = list(networks)
    return not listed or holds(listed, address)


def validate(value: Any) -> None:
    """Refuse what is not a list of networks.

    Raises:
        ValidationError: names the entry that is none.
    """
    for each in value or ():
        try:
            parse(str(each))
        except ValueError as error:
            raise ValidationError(
                _("%(entry)s is not a network such as 10.1.0.0/16: %(why)s")
                % {"entry": each, "why": error}
            ) from error


class NetworksInput(forms.Textarea):
    """A list of networks, one on each line."""

    def format_value(self, value: Any) -> str:
        """Write a list as lines."""
        return "\n".join(value) if isinstance(value, list) else str(value or "")


class NetworksFormField(forms.CharField):
    """Takes lines or commas, gives a list of networks."""

    widget = NetworksInput(attrs={"rows": 3})

    def to_python(self, value: Any) -> Any:
        """Read the lines; a list (from the API) is taken as it is."""
        if isinstance(value, list | tuple):
            return [str(each).strip() for each in value]
        return [part for part in str(value or "").replace(",", " ").split() if part]

    def validate(self, value: Any) -> None:
        """Refuse what is no network."""
        validate(value)

    def run_validators(self, value: Any) -> None:
        """Leave out the checks for plain text."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare lists."""
        return self.to_python(data) != list(initial or [])


class NetworksField(models.JSONField):
    """A column with a list of networks in CIDR form; empty: no limit."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["default"] = list
        kwargs["blank"] = True
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        """Leave out of migrations what is always so."""
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("default", None)
        kwargs.pop("blank", None)
        return name, path, args, kwargs

    def formfield(self, **kwargs: Any) -> Any:
        """Give a box of lines."""
        given = {"form_class": NetworksFormField, "required": False, **kwargs}
        given.pop("encoder", None)
        given.pop("decoder", None)
        return models.Field.formfield(self, **given)

    def validate(self, value: Any, model_instance: Any) -> None:
        """Check each entry."""
        super().validate(value, model_instance)
        validate(value)
