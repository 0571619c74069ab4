"""The Celery application: worker and beat start from here; rooms bring their tasks.py."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "adminset.settings")

app = Celery("adminset")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
