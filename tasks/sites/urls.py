"""Site map of sites, for the room's own."""

from django.urls import path

from adminset.crud.urls import pages
from tasks.sites import views
from tasks.sites.resources import SITES

urlpatterns = [
    path(
        "sites/<int:pk>/close-breaker/",
        views.site_close_breaker,
        name="site_close_breaker",
    ),
    *pages(SITES),
]
