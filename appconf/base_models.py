"""What all rows of the room have in common: a page of their own, and that who reaches their project reaches them."""

from django.urls import reverse

from adminset.models import Timestamped


class Linked(Timestamped):
    """A row with a page of its own."""

    class Meta:
        abstract = True

    def get_absolute_url(self) -> str:
        """Give the address of the row's page."""
        return reverse(f"appconf:{self._meta.model_name}_detail", args=[self.pk])
