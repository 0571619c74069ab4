"""Site map of pull tokens."""

from django.urls import path

from adminset.crud.urls import pages
from appconf.pull import pages as views
from appconf.pull.pages import PULL_TOKENS

urlpatterns = [
    path("pull-tokens/add/", views.pulltoken_add, name="pulltoken_add"),
    path(
        "pull-tokens/<int:pk>/revoke/", views.pulltoken_revoke, name="pulltoken_revoke"
    ),
    *pages(PULL_TOKENS),
]
