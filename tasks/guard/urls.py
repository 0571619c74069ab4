"""Site map of the guard, for the room's own."""

from django.urls import path

from adminset.crud.urls import pages
from tasks.guard import views
from tasks.guard.resources import RULES

urlpatterns = [
    path("guard-rules/try/", views.guard_try, name="guard_try"),
    path("guard-rules/notices/", views.guard_notices, name="guard_notices"),
    path("guard-rules/sudoers/", views.guard_sudoers, name="guard_sudoers"),
    *pages(RULES),
]
