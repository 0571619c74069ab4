"""Clusters: hypervisors that share guests, and hosts of containers that share containers."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from cmdb.organisation import Asset


class Cluster(Asset):
    """A cluster of hypervisors or of container hosts; hosts belong to it, guests run on its hosts."""

    class Kind(models.TextChoices):
        """What holds it together."""

        VMWARE = "vmware", "VMware vSphere"
        KVM = "kvm", "KVM / libvirt"
        PROXMOX = "proxmox", "Proxmox VE"
        HYPERV = "hyperv", "Hyper-V"
        OPENSTACK = "openstack", "OpenStack"
        KUBERNETES = "kubernetes", "Kubernetes"
        SWARM = "swarm", "Docker Swarm"
        OTHER = "other", _("other")

    name = models.CharField(_("name"), max_length=100, unique=True)
    kind = models.CharField(_("kind"), max_length=20, choices=Kind, default=Kind.KVM)
    idc = models.ForeignKey(
        "cmdb.Idc",
        verbose_name=_("IDC"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="clusters",
    )
    notes = models.TextField(_("notes"), blank=True)

    class Meta:
        verbose_name = _("cluster")
        verbose_name_plural = _("clusters")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
