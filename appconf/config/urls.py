"""Site map of configuration: variables, files, versions."""

from django.urls import path

from adminset.crud.resource import share_panel
from adminset.crud.urls import pages
from appconf.config import views
from appconf.config.panels import ENVIRONMENT_PANELS
from appconf.config.resources import CONFIG_FILES, CONFIG_VERSIONS, VARIABLES
from appconf.models import Environment

for panel in ENVIRONMENT_PANELS:
    share_panel(lambda resource: resource.model is Environment, panel)

ACTS = {
    "approve": views.version_approve,
    "refuse": views.version_refuse,
    "submit": views.version_submit,
    "pin": views.version_pin,
    "unpin": views.version_unpin,
    "roll_back": views.version_roll_back,
}
urlpatterns = [
    path("config-files/<int:pk>/diff/", views.configfile_diff, name="configfile_diff"),
    *(
        path(
            f"config-versions/<int:pk>/{act.replace('_', '-')}/",
            view,
            name=f"configversion_{act}",
        )
        for act, view in ACTS.items()
    ),
    *pages(VARIABLES),
    *pages(CONFIG_FILES),
    *pages(CONFIG_VERSIONS),
]
