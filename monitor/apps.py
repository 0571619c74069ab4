"""How the hosts feel: the app's label, and its tabs on a host's page."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MonitorConfig(AppConfig):
    """The room."""

    name = "monitor"
    verbose_name = _("Monitoring")

    def ready(self) -> None:
        """Hang charts and packages on the host's page of the CMDB; let measurements follow their hosts; check at the start how long they stay."""
        from django.core import checks

        from adminset.crud.resource import Panel
        from adminset.crud.services import before_delete
        from appconf.extensions import installed_on
        from cmdb.extensions import host_merged, host_panels
        from monitor.departed import host_is_another, host_leaves
        from monitor.packages.installed import hosts_of_package
        from monitor.packages.views import packages_of_host
        from monitor.panels import charts_of_host
        from monitor.settings_checks import check_retention

        checks.register(check_retention)
        installed_on.append(hosts_of_package)

        before_delete.append(host_leaves)
        host_merged.append(host_is_another)
        host_panels.append(
            Panel(
                "charts",
                _("Charts"),
                "monitor/_host_charts.html",
                charts_of_host,
                "monitor.view_metrics",
            )
        )
        host_panels.append(
            Panel(
                "packages",
                _("Packages"),
                "monitor/_host_packages.html",
                packages_of_host,
            )
        )
