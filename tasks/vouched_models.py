"""What starts by itself, in its owner's name: it keeps what the owner vouched for."""

from django.db import models


class VouchedField(models.JSONField):
    """Hashes that say nothing to a reader: the audit trail keeps a mask of them."""

    secret = True


class Vouched(models.Model):
    """Something that starts by itself: of each thing that it needs a hash, as it was when the owner saved it (services/vouching.py)."""

    vouched = VouchedField(default=dict, editable=False)

    class Meta:
        abstract = True
