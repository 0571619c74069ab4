"""Site map of what looks into the output of runs."""

from django.urls import path

from tasks.watching import views

urlpatterns = [
    path("runs/<int:pk>/hosts/", views.run_hosts, name="run_hosts"),
    path("runs/<int:pk>/panel/", views.run_panel, name="run_panel"),
    path("runs/<int:pk>/range/", views.run_range, name="run_range"),
    path("runs/<int:pk>/search/", views.run_search, name="run_search"),
    path("runs/<int:pk>/found/", views.run_found, name="run_found"),
    path("runs/<int:pk>/archive/", views.run_archive, name="run_archive"),
    path("runs/<int:pk>/compare/", views.run_compare, name="run_compare"),
    path("runs/<int:pk>/diff/", views.run_diff, name="run_diff"),
]
