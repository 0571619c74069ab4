"""Stands in for worker and beat; dies at once when ADMINSET_STUB_DIES names it."""

import os
import sys
import time

sys.stdout.write("celery stub " + " ".join(sys.argv[1:]) + "\n")
if os.environ.get("ADMINSET_STUB_DIES") in sys.argv:
    sys.exit("the stub was told to die")
time.sleep(3600)
