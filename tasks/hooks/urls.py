"""Site map of web-hooks in, for the room's own."""

from django.urls import path

from adminset.crud.urls import pages
from tasks.hooks import door, views
from tasks.hooks.resources import IN_HOOKS

urlpatterns = [
    path("in/<slug:key>/", door.hook_in, name="hook_in"),
    path("hooks-in/<int:pk>/try/", views.inhook_try, name="inhook_try"),
    *pages(IN_HOOKS),
]
