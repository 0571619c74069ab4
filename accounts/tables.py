"""Shape of the lists of users, roles, grants, tokens and of the audit trail."""

from functools import cached_property
from typing import Any

import django_tables2 as tables
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_tables2.utils import A

from accounts import selectors, token_selectors
from accounts.models import ApiToken, Grant, GroupMapping, Role, User
from adminset.crud.tables import ResourceTable
from adminset.models import AuditEntry

AGO = "{% ago value %}"
# A limit in time that is not there is not "never".
AGO_OR_NONE = "{% if value %}{% ago value %}{% else %}—{% endif %}"
BADGE = "accounts/_state.html"


class UserTable(ResourceTable):
    """Users and what they may do."""

    username = tables.Column(linkify=True)
    kind = tables.TemplateColumn(template_name="accounts/_user_kind.html")
    is_active = tables.TemplateColumn(
        template_name=BADGE, verbose_name=_("may sign in")
    )
    roles = tables.Column(
        accessor="grants", verbose_name=_("roles"), orderable=False, empty_values=()
    )
    last_login = tables.TemplateColumn(AGO, verbose_name=_("last sign-in"))
    created_at = tables.TemplateColumn(AGO, verbose_name=_("created"))

    class Meta(ResourceTable.Meta):
        model = User
        fields = (
            "username",
            "display_name",
            "email",
            "kind",
            "is_active",
            "is_superuser",
            "roles",
            "last_login",
            "created_at",
        )
        default_columns = fields[:-1]

    def render_roles(self, record: User) -> str:
        """Name the roles, each once."""
        return (
            ", ".join(sorted({grant.role.name for grant in record.grants.all()})) or "-"
        )

    def value_kind(self, record: User) -> str:
        """Write the word into an export."""
        return record.get_kind_display()

    def value_is_active(self, value: bool) -> str:
        """Write the word into an export."""
        return gettext("yes") if value else gettext("no")


class RoleTable(ResourceTable):
    """Roles and how many hold them."""

    name = tables.Column(linkify=True)
    permission_count = tables.Column(
        accessor="permissions",
        verbose_name=_("permissions"),
        orderable=False,
        attrs={"td": {"class": "num"}},
    )
    grant_count = tables.Column(
        verbose_name=_("grants"), attrs={"td": {"class": "num"}}
    )

    class Meta(ResourceTable.Meta):
        model = Role
        fields = ("name", "description", "permission_count", "grant_count")

    def render_permission_count(self, record: Role) -> int:
        """Count them: they were brought along with the row."""
        return len(record.permissions.all())


class GrantTable(ResourceTable):
    """Who holds which role where."""

    user = tables.Column(linkify=("accounts:grant_detail", {"pk": A("pk")}))
    role = tables.Column(linkify=True)
    where = tables.Column(
        accessor="everything", verbose_name=_("where"), order_by="everything"
    )
    valid_from = tables.TemplateColumn(AGO_OR_NONE)
    valid_until = tables.TemplateColumn(AGO_OR_NONE)
    created_at = tables.TemplateColumn(AGO, verbose_name=_("created"))

    class Meta(ResourceTable.Meta):
        model = Grant
        fields = ("user", "role", "where", "valid_from", "valid_until", "created_at")

    @cached_property
    def scope_names(self) -> Any:
        """Names of all objects that grants hold on, read once a table."""
        return selectors.scope_names(self.request.user)

    def render_where(self, record: Grant) -> str:
        """Say everywhere, or name the objects."""
        return ", ".join(selectors.places(record, self.scope_names))


class ApiTokenTable(ResourceTable):
    """Tokens by their prefix, never more of them."""

    name = tables.Column(linkify=("accounts:apitoken_detail", {"pk": A("pk")}))
    user = tables.Column(linkify=True)
    state = tables.TemplateColumn(
        template_name="accounts/_token_state.html",
        verbose_name=_("state"),
        orderable=False,
    )
    limits = tables.Column(
        verbose_name=_("limits"), orderable=False, empty_values=(), accessor="networks"
    )
    expires_at = tables.TemplateColumn(AGO, verbose_name=_("expires"))
    last_used_at = tables.TemplateColumn(AGO, verbose_name=_("last used"))

    class Meta(ResourceTable.Meta):
        model = ApiToken
        fields = (
            "name",
            "user",
            "prefix",
            "limits",
            "state",
            "expires_at",
            "last_used_at",
            "last_used_address",
        )
        default_columns = tuple(name for name in fields if name != "prefix")

    @cached_property
    def scope_names(self) -> Any:
        """Names of all objects that tokens are held to, read once a table."""
        return token_selectors.all_scope_names(self.request.user)

    def render_limits(self, record: ApiToken) -> str:
        """Say what the token may do less than its user."""
        return " · ".join(token_selectors.limits(record, self.scope_names))

    def value_state(self, record: ApiToken) -> str:
        """Write the word into an export."""
        return record.state


class AuditTable(tables.Table):
    """What happened, newest first: the order is that of the trail."""

    at = tables.TemplateColumn(
        '<a href="{% url "accounts:audit_detail" record.pk %}">{% ago value %}</a>',
        verbose_name=_("time"),
    )
    verb = tables.Column(accessor="what", verbose_name=_("action"))
    target_name = tables.TemplateColumn(
        template_name="accounts/_audit_target.html", verbose_name=_("object")
    )
    changes = tables.Column(verbose_name=_("changed fields"))

    class Meta:
        model = AuditEntry
        fields = ("at", "actor_name", "verb", "target_name", "changes", "address")
        orderable = False

    def render_changes(self, value: list[dict[str, Any]]) -> str:
        """Name the first few fields that changed."""
        names = [str(change.get("field", "")) for change in value]
        more = ", ..." if len(names) > 3 else ""
        return ", ".join(names[:3]) + more or "-"


class GroupMappingTable(ResourceTable):
    """Which group brings which role where."""

    group = tables.Column(linkify=("accounts:groupmapping_detail", {"pk": A("pk")}))
    role = tables.Column(linkify=True)
    where = tables.Column(
        accessor="everything", verbose_name=_("where"), order_by="everything"
    )

    class Meta(ResourceTable.Meta):
        model = GroupMapping
        fields = ("source", "group", "role", "where")

    @cached_property
    def scope_names(self) -> Any:
        """Names of all objects that mappings hold on, read once a table."""
        return selectors.all_scope_names(self.request.user)

    def render_where(self, record: GroupMapping) -> str:
        """Say everywhere, or name the objects."""
        return ", ".join(selectors.places(record, self.scope_names))
