"""The form of a check: what each kind needs, and what takes a permission of its own."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext, gettext_lazy

from adminset.crud.forms import ResourceForm, SecretInput
from adminset.crypto import Secret
from monitor import check_texts
from monitor.checks import aim
from monitor.models import ServiceCheck

K = ServiceCheck.Kind
PLACES = ("name", "kind", "host", "host_group", "product_line", "site")
TIMES = ("every_seconds", "timeout_seconds", "retries", "recover_after")
# What may be changed of a check that goes anywhere without the permission to aim it.
HARMLESS = {"name", "host_group", "product_line", "enabled", "notes", *TIMES}
# Where a secret goes, and who could read it on its way: a change of them asks for the secret again.
SECRET_PATH = {"kind", "target", "port", "host", "verify_tls", "follow_redirects"}


def sites() -> list[tuple[str, Any]]:
    """List the sites from which checks can be asked."""
    return [
        ("", gettext_lazy("the portal")),
        *((site, site) for site in settings.CHECK_SITES),
    ]


class ServiceCheckForm(ResourceForm):
    """A service check."""

    site = forms.ChoiceField(
        label=gettext_lazy("From site"), choices=sites, required=False
    )

    class Meta:
        model = ServiceCheck
        fields = (
            *PLACES,
            "enabled",
            "notes",
            "target",
            "port",
            *TIMES,
            "latency_limit_ms",
            "method",
            "statuses",
            "text",
            "text_absent",
            "headers",
            "secret_header",
            "follow_redirects",
            "verify_tls",
            "warn_days",
            "bad_days",
            "record_type",
            "query_name",
            "expected",
            "process",
        )
        widgets = {
            "notes": forms.Textarea(attrs={"rows": 2}),
            "headers": forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
            "secret_header": SecretInput,
        }

    def fieldsets(self) -> list[dict[str, Any]]:
        """Fields by heading."""

        def part(title: str, *names: str) -> dict[str, Any]:
            return {"title": title, "fields": [self[name] for name in names]}

        return [
            part(gettext("What"), *PLACES, "target", "port", "enabled", "notes"),
            part(gettext("When it counts"), *TIMES, "latency_limit_ms"),
            part(
                gettext("HTTP"),
                *("method", "statuses", "text", "text_absent", "headers"),
                *("secret_header", "follow_redirects", "verify_tls"),
            ),
            part(gettext("Certificate"), "warn_days", "bad_days"),
            part(gettext("DNS"), "query_name", "record_type", "expected"),
            part(gettext("By the agent"), "process"),
        ]

    def clean_site(self) -> str:
        """Give "" for the portal."""
        return str(self.cleaned_data["site"] or "")

    def clean_secret_header(self) -> Any:
        """Refuse what is not one header."""
        given = self.cleaned_data["secret_header"]
        if given and not isinstance(given, Secret):
            check_texts.check_secret_header(given)
        return given

    def clean(self) -> dict[str, Any]:
        """Want what the kind needs, an aim that the user may choose, and times that fit each other."""
        cleaned = super().clean()
        if self.errors:
            return cleaned
        self._check_times(cleaned)
        self._check_needs(cleaned)
        if not self.errors:
            self._check_aim(cleaned)
            self._check_secret(cleaned)
        return cleaned

    def _check_times(self, cleaned: dict[str, Any]) -> None:
        least, every = settings.CHECK_MIN_SECONDS, cleaned["every_seconds"]
        if every < least:
            words = gettext("Not more often than every %(least)s seconds.")
            self.add_error("every_seconds", words % {"least": least})
        if cleaned["timeout_seconds"] > every:
            self.add_error(
                "timeout_seconds", gettext("The time-out is longer than the interval.")
            )
        if cleaned["bad_days"] > cleaned["warn_days"]:
            words = gettext("It would be down before it is degraded.")
            self.add_error("bad_days", words)

    def _check_needs(self, cleaned: dict[str, Any]) -> None:
        kind, host = cleaned["kind"], cleaned["host"]
        needs = {K.TCP: "port", K.PORT: "port", K.DNS: "query_name"}
        needed = needs.get(kind, "process" if kind == K.PROCESS else "")
        if needed and not cleaned[needed]:
            self.add_error(needed, gettext("A check of this kind needs it."))
        if kind in {K.PORT, K.PROCESS} and host is None:
            self.add_error("host", gettext("The agent of which host is asked?"))
        try:
            if cleaned["target"]:
                named = check_texts.host_of(kind, cleaned["target"])
            else:
                named = ""
        except ValidationError as error:
            self.add_error("target", error)
            return
        own = host is not None and bool(host.address)
        # A DNS check without a host asks the portal's own resolver.
        asks_ours = kind == K.DNS and host is None
        if kind in aim.ON_NETWORK and not (named or own or asks_ours):
            words = gettext("Name a target, or a host that has a management address.")
            self.add_error("target", words)

    def _check_aim(self, cleaned: dict[str, Any]) -> None:
        names = ("kind", "host", "target", "port")
        wanted = ServiceCheck(**{name: cleaned[name] for name in names})
        harmless = self.instance.pk and not set(self.changed_data) - HARMLESS
        if harmless or not aim.is_free(wanted) or aim.may_aim_freely(self.user):
            return
        words = gettext(
            "This is not the address or the name of the check's host: that takes the permission “%(permission)s” everywhere."
        )
        self.add_error("target", words % {"permission": aim.FREE_PERMISSION})

    def _check_secret(self, cleaned: dict[str, Any]) -> None:
        kept = isinstance(cleaned["secret_header"], Secret)
        if self.instance.pk and kept and SECRET_PATH & set(self.changed_data):
            words = gettext("The check goes elsewhere now: enter the secret again.")
            self.add_error("secret_header", words)
