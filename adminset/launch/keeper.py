"""supervisord, followed by a last sweep: what left its process group goes too, even when the launcher was killed."""

import os
import sys
from pathlib import Path

from supervisor import supervisord

from adminset.launch import processes

if __name__ == "__main__":
    # The configuration names its socket by this folder, as paths of sockets are short.
    os.chdir(Path(sys.argv[-1]).parent)
    try:
        supervisord.main(sys.argv[1:])
    finally:
        processes.kill_all(os.environ[processes.MARK])
