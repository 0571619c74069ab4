"""Site map of the REST of runs, below /api/v1/."""

from django.urls import path

from tasks.run_api import client, views

urlpatterns = [
    path(
        "runs/", views.Runs.as_view({"get": "list", "post": "create"}), name="run_list"
    ),
    path("runs/<int:pk>/", views.Runs.as_view({"get": "retrieve"}), name="run_one"),
    path("runs/<int:pk>/hosts/", views.Hosts.as_view(), name="run_hosts"),
    path("runs/<int:pk>/output/", views.Output.as_view(), name="run_output"),
    path("runs/<int:pk>/follow/", views.FollowRun.as_view(), name="run_follow"),
    path("runs/<int:pk>/cancel/", views.Cancel.as_view(), name="run_cancel"),
    path("runs/<int:pk>/pause/", views.Pause.as_view(), name="run_pause"),
    path("runs/<int:pk>/resume/", views.Resume.as_view(), name="run_resume"),
    path("runs/<int:pk>/repeat/", views.Again.as_view(), name="run_repeat"),
    path("task-client/", client.Client.as_view(), name="task_client"),
]
