"""Site map of what is no resource's endpoint, below /api/v1/."""

from appconf.pull.api_urls import urlpatterns as pull

app_name = "appconf_api"
urlpatterns = [*pull]
