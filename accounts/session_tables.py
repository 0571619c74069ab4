"""Shape of the lists of sessions and sign-ins."""

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _
from django_tables2.utils import A

from accounts import browsers, words
from accounts.models import PortalSession
from accounts.session_selectors import told
from adminset.crud.tables import ResourceTable
from adminset.models import AuditEntry

AGO = "{% ago value %}"


class SessionTable(ResourceTable):
    """Who is signed in, and from where; never a key."""

    user = tables.Column(linkify=("accounts:portalsession_detail", {"pk": A("pk")}))
    began_at = tables.TemplateColumn(AGO, verbose_name=_("began"))
    seen_at = tables.TemplateColumn(AGO, verbose_name=_("last active"))

    class Meta(ResourceTable.Meta):
        model = PortalSession
        fields = ("user", "browser", "address", "method", "began_at", "seen_at")

    def render_browser(self, record: PortalSession) -> str:
        """Say which browser, on which system."""
        return record.browser_words

    def render_method(self, record: PortalSession) -> str:
        """Say how the user signed in."""
        return record.method_words


class SignInTable(tables.Table):
    """Who came in, who was refused, and how sessions ended; newest first."""

    at = tables.TemplateColumn(AGO, verbose_name=_("time"))
    who = tables.Column(accessor="actor_name", verbose_name=_("user"))
    verb = tables.TemplateColumn(
        template_name="accounts/_sign_in_result.html", verbose_name=_("result")
    )
    browser = tables.Column(accessor="changes", verbose_name=_("browser"))
    method = tables.Column(accessor="changes", verbose_name=_("by"))

    class Meta:
        model = AuditEntry
        fields = ("at", "who", "verb", "address", "browser", "method")
        orderable = False

    def render_who(self, record: AuditEntry) -> str:
        """Name the user whom it is about, even when somebody else ended the session."""
        return record.target_name or record.actor_name

    def render_browser(self, record: AuditEntry) -> str:
        """Say which browser, on which system."""
        browser = told(record, "browser")
        return browsers.in_words(browser) if browser else "-"

    def render_method(self, record: AuditEntry) -> str:
        """Say how it was proved who is there, or tried."""
        return words.method_words(told(record, "method")) or "-"
