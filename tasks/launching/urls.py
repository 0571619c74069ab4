"""Site map of the launch and of templates."""

from django.urls import path

from adminset.crud.urls import pages
from tasks.launching import views
from tasks.launching.template_resources import TEMPLATES

urlpatterns = [
    path("runs/add/", views.run_add, name="run_add"),
    path("runs/add/filter/", views.filter_count, name="run_filter"),
    path("runs/add/questions/", views.module_form, name="run_questions"),
    path("runs/add/hosts/", views.host_bulk_run, name="host_bulk_run"),
    path("host-groups/<int:pk>/run/", views.hostgroup_run, name="hostgroup_run"),
    path("runs/<int:pk>/change/", views.run_change, name="run_change"),
    path("templates/<int:pk>/launch/", views.template_launch, name="template_launch"),
    *pages(TEMPLATES),
]
