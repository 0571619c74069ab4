"""Site map of what a new host downloads."""

from django.urls import path

from monitor import agent_download

app_name = "agent_download"
urlpatterns = [
    path("install.sh", agent_download.install_script, name="install"),
    path("<str:name>", agent_download.package, name="package"),
]
