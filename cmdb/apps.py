"""What exists, who owns it, how to reach it: the app's label."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CmdbConfig(AppConfig):
    """The room."""

    name = "cmdb"
    verbose_name = _("Assets")

    def ready(self) -> None:
        """Let grants be held to host groups, hosts and credentials; let relations go with their objects."""
        from adminset.crud.lookup_values import relatives
        from adminset.crud.services import before_delete
        from adminset.scopes import register
        from cmdb import membership, scopes
        from cmdb.services.relations import forget_relations

        for kind in (
            scopes.GROUPS,
            scopes.HOSTS,
            scopes.CREDENTIALS,
            scopes.PRODUCT_LINES,
        ):
            register(kind)
        before_delete.append(forget_relations)
        relatives["cmdb.Host.groups"] = membership.of_groups
