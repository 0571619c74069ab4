"""How the hosts feel: the app's label, and its tab on a host's page."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MonitorConfig(AppConfig):
    """The room."""

    name = "monitor"
    verbose_name = _("Monitoring")

    def ready(self) -> None:
        """Hang the charts on the host's page of the CMDB."""
        from adminset.crud.resource import Panel
        from cmdb.extensions import host_panels
        from monitor.panels import charts_of_host

        host_panels.append(
            Panel(
                "charts",
                _("Charts"),
                "monitor/_host_charts.html",
                charts_of_host,
                "monitor.view_metrics",
            )
        )
