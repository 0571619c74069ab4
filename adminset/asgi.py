"""The door that uvicorn opens: pages over HTTP and live output over web sockets, in one process."""

import os

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "adminset.settings")

pages = get_asgi_application()

from adminset.body_limit import bounded  # noqa: E402 - likewise
from adminset.sockets import routes  # noqa: E402 - Django must be set up first

application = ProtocolTypeRouter(
    {
        "http": bounded(pages),
        "websocket": AllowedHostsOriginValidator(
            AuthMiddlewareStack(URLRouter(routes()))
        ),
    }
)
