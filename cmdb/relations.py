"""What people say of how objects hang together: kinds of relations, and relations between any two objects of the CMDB."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from adminset.models import Timestamped
from cmdb.reference import Linked


class RelationKind(Linked):
    """A kind of relation: its words in both directions, and who falls with whom."""

    class Impact(models.TextChoices):
        """Which end falls with the other."""

        TARGET = "target", _("the target falls with the source")
        SOURCE = "source", _("the source falls with the target")
        BOTH = "both", _("each falls with the other")
        NONE = "none", _("neither")

    name = models.CharField(
        _("name"),
        max_length=60,
        unique=True,
        help_text=_("From the source to the target: depends on."),
    )
    reverse_name = models.CharField(
        _("reverse name"),
        max_length=60,
        help_text=_("From the target to the source: is needed by."),
    )
    impact = models.CharField(
        _("impact"), max_length=10, choices=Impact, default=Impact.NONE
    )

    class Meta:
        verbose_name = _("kind of relation")
        verbose_name_plural = _("kinds of relations")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Relation(Timestamped):
    """That two objects hang together. The ends are a model's label and a key: any object of the CMDB can be one."""

    kind = models.ForeignKey(
        "cmdb.RelationKind",
        verbose_name=_("kind"),
        on_delete=models.PROTECT,
        related_name="relations",
    )
    from_type = models.CharField(_("kind of source"), max_length=80)
    from_id = models.BigIntegerField(_("source"))
    to_type = models.CharField(_("kind of target"), max_length=80)
    to_id = models.BigIntegerField(_("target"))
    note = models.CharField(_("note"), max_length=250, blank=True)

    class Meta:
        verbose_name = _("relation")
        verbose_name_plural = _("relations")
        ordering = ["id"]
        # Whoever may change the source and see the target may relate them.
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["from_type", "from_id", "to_type", "to_id", "kind"],
                name="relation_once",
            )
        ]
        indexes = [models.Index(fields=["to_type", "to_id"], name="relation_to")]

    def __str__(self) -> str:
        ends = (self.from_type, self.from_id, self.kind, self.to_type, self.to_id)
        return "{} #{} {} {} #{}".format(*ends)
