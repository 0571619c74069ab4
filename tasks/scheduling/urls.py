"""Site map of schedules and calendars, for the room's own."""

from django.urls import path

from adminset.crud.urls import pages
from tasks.scheduling import views
from tasks.scheduling.resources import CALENDARS, SCHEDULES

urlpatterns = [
    path("schedules/card/", views.schedule_card, name="schedule_card"),
    path("schedules/preview/", views.schedule_preview, name="schedule_preview"),
    path(
        "schedules/<int:pk>/run-now/", views.schedule_run_now, name="schedule_run_now"
    ),
    path("schedules/<int:pk>/enable/", views.schedule_enable, name="schedule_enable"),
    path(
        "schedules/<int:pk>/disable/", views.schedule_disable, name="schedule_disable"
    ),
    *pages(SCHEDULES),
    *pages(CALENDARS),
]
