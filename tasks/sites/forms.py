"""The input of a site: what each way to its hosts needs."""

from typing import Any

from django.utils.translation import gettext as _

from adminset.crud.forms import ResourceForm
from tasks.models import Site


class SiteForm(ResourceForm):
    """A site; another site that stands in has workers of its own."""

    class Meta:
        model = Site
        fields = (
            "idc",
            "enabled",
            "how",
            "jump",
            "fallback",
            "other",
            "most",
            "notes",
        )

    def clean(self) -> dict[str, Any]:
        """Want a jump host where the way leads through one, and a site with workers where another stands in."""
        cleaned = super().clean()
        if cleaned.get("how") == Site.How.JUMP and not cleaned.get("jump"):
            self.add_error("jump", _("Choose the jump host."))
        if cleaned.get("fallback") == Site.Fallback.OTHER:
            self._check_other(cleaned.get("other"))
        return cleaned

    def _check_other(self, other: Site | None) -> None:
        if other is None:
            self.add_error("other", _("Choose the site whose workers stand in."))
        elif other.pk == self.instance.pk:
            self.add_error("other", _("Choose another site than this one."))
        elif not other.has_queue:
            self.add_error("other", _("This site has no workers of its own."))
