"""The addresses of packages."""

from django.urls import path

from monitor.packages import views

urlpatterns = [
    path("packages/", views.packages, name="packages"),
    path("packages/ask/", views.packages_ask, name="packages_ask"),
    path("hosts/<int:pk>/packages/", views.host_packages, name="host_packages"),
    path(
        "hosts/<int:pk>/packages/ask/",
        views.host_packages_ask,
        name="host_packages_ask",
    ),
]
