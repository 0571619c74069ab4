"""Stands in for manage.py: says who may sign in, or fails with the sentence it is given."""

import json
import os
import sys
from pathlib import Path

if os.environ.get("ADMINSET_STUB_SETTING"):
    sys.exit(
        "django.core.exceptions.ImproperlyConfigured: "
        + os.environ["ADMINSET_STUB_SETTING"]
    )
known = Path(os.environ["ADMINSET_DATA_DIR"]) / "known"
first = not known.exists()
known.touch()
token = "token" if "--enrolment-token" in sys.argv else None
told = {"username": "admin", "password": "first-password" if first else None}
sys.stdout.write("Migrated.\n" + json.dumps({**told, "enrolment_token": token}) + "\n")
