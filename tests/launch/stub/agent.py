"""Stands in for the agent: enrols by writing a credential, then sleeps."""

import os
import sys
import time
from pathlib import Path

if "enroll" in sys.argv:
    folder = Path(os.environ["ADMINSET_AGENT_CONFIG"]).parent
    (folder / "credential").write_text(os.environ["ADMINSET_ENROLL_TOKEN"])
else:
    time.sleep(3600)
