"""The settings of the doors for other programs: agents of AdminSet, web-hooks; part of settings.py, with a file of their own for length."""

from django.core.exceptions import ImproperlyConfigured

from adminset import env

__all__ = [
    "LEGACY_AGENTS",
    "LEGACY_MAX_AGENTS",
    "LEGACY_TOKEN",
    "PORTAL_URL",
    "WEBHOOK_LOG_DAYS",
    "WEBHOOK_MAX_FAILURES",
    "WEBHOOK_TRIES",
]

# ---- Agents and scripts of AdminSet, with the token that they all share (docs/api.md)
LEGACY_AGENTS = env.boolean("ADMINSET_LEGACY_AGENTS", False)
LEGACY_TOKEN = env.text("ADMINSET_LEGACY_TOKEN")
LEGACY_MAX_AGENTS = env.integer("ADMINSET_LEGACY_MAX_AGENTS", 1000, least=1)
if LEGACY_AGENTS and len(LEGACY_TOKEN) < 12:
    raise ImproperlyConfigured(
        "ADMINSET_LEGACY_AGENTS is on: set ADMINSET_LEGACY_TOKEN to a text of at least 12 characters."
    )

# ---- Web-hooks on changes
# Address of the portal as people open it: links in messages to chats begin with it.
PORTAL_URL = env.text("ADMINSET_PORTAL_URL")
if PORTAL_URL and not PORTAL_URL.startswith(("https://", "http://")):
    raise ImproperlyConfigured(
        "ADMINSET_PORTAL_URL has to begin with https:// or http://."
    )
WEBHOOK_TRIES = env.integer("ADMINSET_WEBHOOK_TRIES", 8, least=1, most=20)
WEBHOOK_MAX_FAILURES = env.integer("ADMINSET_WEBHOOK_MAX_FAILURES", 50, least=1)
WEBHOOK_LOG_DAYS = env.integer("ADMINSET_WEBHOOK_LOG_DAYS", 30, least=1)
