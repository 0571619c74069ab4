"""Site map of the task modules."""

from django.urls import path

from adminset.crud.urls import pages
from tasks.taskmodules import views
from tasks.taskmodules.resources import TASK_MODULES

urlpatterns = [
    path("task-modules/gallery/", views.taskmodule_gallery, name="taskmodule_gallery"),
    path("task-modules/check/", views.taskmodule_check, name="taskmodule_check"),
    path("task-modules/reload/", views.taskmodule_reload, name="taskmodule_reload"),
    path("task-modules/<int:pk>/run/", views.taskmodule_run, name="taskmodule_run"),
    path("task-modules/<int:pk>/copy/", views.taskmodule_copy, name="taskmodule_copy"),
    path(
        "task-modules/<int:pk>/enable/",
        views.taskmodule_enable,
        name="taskmodule_enable",
    ),
    path(
        "task-modules/<int:pk>/disable/",
        views.taskmodule_disable,
        name="taskmodule_disable",
    ),
    *pages(TASK_MODULES),
]
