"""Site map of what agents post to."""

from django.urls import path

from monitor import agent_api

app_name = "agent_api"
urlpatterns = [
    path("enroll", agent_api.enroll, name="enroll"),
    path("facts", agent_api.facts, name="facts"),
    path("metrics", agent_api.metrics, name="metrics"),
    path("rotate", agent_api.rotate, name="rotate"),
]
