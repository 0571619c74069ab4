"""Runs a program that is told to stop when its parent dies, however that dies: `python leash.py PROGRAM ARGUMENTS`."""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def hold(parent: int) -> None:
    """Ask the kernel for SIGTERM at the parent's death (it survives exec)."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    # The parent may have died before the kernel was asked.
    if os.getppid() != parent:
        sys.exit(1)


if __name__ == "__main__":
    hold(os.getppid())
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606 - that is its purpose
