"""The door that uvicorn opens: pages over HTTP and live output over web sockets, in one process."""

import os

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "adminset.settings")

pages = get_asgi_application()

from django.conf import settings  # noqa: E402 - Django must be set up first
from django.utils.module_loading import import_string  # noqa: E402 - likewise

from adminset.admission import admitted  # noqa: E402 - Django must be set up first
from adminset.body_limit import bounded  # noqa: E402 - likewise
from adminset.sockets import lifespan, own_origin, routes  # noqa: E402 - likewise

application = ProtocolTypeRouter(
    {
        "http": import_string(settings.AGENT_DOOR)(
            import_string(settings.PULL_DOOR)(bounded(pages))
        ),
        "websocket": admitted(own_origin(AuthMiddlewareStack(URLRouter(routes())))),
        "lifespan": lifespan,
    }
)
