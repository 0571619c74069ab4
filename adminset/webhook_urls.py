"""Site map of web-hooks."""

from django.urls import path

from adminset import webhook_views
from adminset.crud.urls import pages
from adminset.webhook_resource import WEBHOOK

app_name = "adminset"
urlpatterns = [
    path("web-hooks/<int:pk>/test/", webhook_views.webhook_test, name="webhook_test"),
    path(
        "web-hooks/<int:pk>/deliveries/<int:delivery>/send/",
        webhook_views.webhook_resend,
        name="webhook_resend",
    ),
    *pages(WEBHOOK),
]
