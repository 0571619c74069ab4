"""The web sockets of all rooms: each room's sockets.py lists its own."""

from importlib import import_module

from django.apps import apps
from django.urls import URLPattern
from django.utils.module_loading import module_has_submodule


def routes() -> list[URLPattern]:
    """Collect `socket_patterns` of every room that has a sockets.py."""
    found: list[URLPattern] = []
    for config in apps.get_app_configs():
        if config.module and module_has_submodule(config.module, "sockets"):
            found += getattr(
                import_module(f"{config.name}.sockets"), "socket_patterns", []
            )
    return found
