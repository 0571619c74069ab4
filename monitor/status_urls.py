"""The addresses of status pages: short, and outside the portal's pages."""

from django.urls import path

from monitor.status import views

app_name = "status"
urlpatterns = [
    path("<slug:slug>/", views.status_page, name="status_page"),
    path("<slug:slug>/badge.svg", views.status_badge, name="status_badge"),
]
