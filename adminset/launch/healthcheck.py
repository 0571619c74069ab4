"""The container's health check: exit code 0 when the web process of this container answers."""

import sys

from adminset.launch import config, ready

if __name__ == "__main__":
    sys.exit(0 if ready.ask(config.read(), "/healthz").status == 200 else 1)
