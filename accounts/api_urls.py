"""Site map of what is no resource's endpoint, below /api/v1/."""

from django.urls import path

from accounts import api

app_name = "accounts_api"
urlpatterns = [
    path("access/explain/", api.Explain.as_view(), name="explain"),
    path(
        "api-tokens/<int:pk>/rotate/",
        api.RotateToken.as_view(),
        name="apitoken_rotate",
    ),
]
