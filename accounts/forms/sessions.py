"""Shape of a session: nobody enters one, but its endpoints want to know its fields."""

from accounts.models import PortalSession
from adminset.crud.forms import ResourceForm


class SessionForm(ResourceForm):
    """What a session is by; never sent."""

    class Meta:
        model = PortalSession
        fields = ["user"]
