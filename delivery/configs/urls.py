"""Site map of pushes of configuration and of what was read back."""

from django.urls import path

from adminset.crud.resource import share_panel
from adminset.crud.urls import pages
from appconf.models import ConfigFile
from delivery.configs import views
from delivery.configs.resources import CONFIG_DRIFTS, CONFIG_PUSHES, FILE_PANEL

share_panel(lambda resource: resource.model is ConfigFile, FILE_PANEL)

urlpatterns = [
    path(
        "environments/<int:pk>/config/",
        views.environment_config,
        name="environment_config",
    ),
    path(
        "environments/<int:pk>/config/read/",
        views.environment_config_read,
        name="environment_config_read",
    ),
    path(
        "config-pushes/<int:pk>/cancel/",
        views.configpush_cancel,
        name="configpush_cancel",
    ),
    *pages(CONFIG_PUSHES),
    *pages(CONFIG_DRIFTS),
]
