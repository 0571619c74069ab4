"""Site map of what is no resource's endpoint, below /api/v1/."""

from django.urls import path

from accounts import api

app_name = "accounts_api"
urlpatterns = [path("access/explain/", api.Explain.as_view(), name="explain")]
