"""What the room keeps in SQL; the measurements lie in MongoDB. The rows stand in modules beside and are named here."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from monitor.check_models import ServiceCheck
from monitor.dashboard_models import Dashboard
from monitor.departed_models import MovingMeasurements
from monitor.heartbeat_models import Heartbeat
from monitor.intake_models import HostIntake
from monitor.package_models import HostPackages, InstalledPackage, PackageList
from monitor.policy_models import CollectionPolicy
from monitor.portal_models import PortalMetrics
from monitor.status_models import StatusItem, StatusNote, StatusPage
from monitor.watched_models import CheckFlip, State

__all__ = [
    "CheckFlip",
    "CollectionPolicy",
    "Dashboard",
    "Heartbeat",
    "HostIntake",
    "HostPackages",
    "InstalledPackage",
    "Metrics",
    "MovingMeasurements",
    "PackageList",
    "PortalMetrics",
    "ServiceCheck",
    "State",
    "StatusItem",
    "StatusNote",
    "StatusPage",
]


class Metrics(models.Model):
    """No table: carries the permission to look at measurements, so that roles can grant it."""

    class Meta:
        managed = False
        default_permissions = ()
        permissions = [
            ("view_metrics", "Can view measurements of hosts"),
            ("write_metrics", "Can send measurements of hosts (remote write)"),
        ]
        verbose_name = _("measurements")
        verbose_name_plural = _("measurements")

    def __str__(self) -> str:
        return "metrics"
