"""An endpoint that stands beside those of a resource: it asks for the resource's permission, by what it does."""

from collections.abc import Mapping
from typing import Any

from rest_framework.views import APIView

from adminset.crud.rest import ResourcePermission


class ResourceEndpoint(APIView):
    """What such endpoints share.

    Attributes:
        resource: whose permission is asked for. needs: method -> action, where the method alone would ask for another.
    """

    resource: Any = None
    permission_classes = [ResourcePermission]
    needs: Mapping[str, str] = {}

    @property
    def action(self) -> str:
        """Name what is done, for the permission."""
        return self.request.method or ""
