"""Settings of the test suite: the portal's own, with a data directory of its own and quick password hashing."""

import os
import tempfile

os.environ.setdefault("ADMINSET_DATA_DIR", tempfile.mkdtemp(prefix="adminset-test-"))
os.environ.setdefault("DATABASE_URL", "sqlite://:memory:")

from tests import services, template

os.environ["TEST_RUN_FOLDER"] = template.run_folder()
os.environ["REDIS_URL"] = services.redis_url()
os.environ.setdefault("MONGO_URL", "mongodb://127.0.0.1:9/")

from adminset.settings import *  # noqa: F403

ALLOWED_HOSTS = ["testserver", "127.0.0.1", "localhost"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
# What a test has written is there at once.
FLEET_SECONDS = 0
WHITENOISE_AUTOREFRESH = True
# Django's live server gives away the working directory where this is empty.
MEDIA_URL = "/media/"
