"""Debian packages that some tests need: installed where that is possible, else named together with what is skipped."""

import os
import shutil
import subprocess

from adminset.launch import shell
from adminset.launch.config import Place
from adminset.launch.errors import LaunchError
from adminset.launch.progress import say

# Package and what is skipped without it.
WANTED = {
    "git": "scripts and playbooks from git repositories",
    "subversion": "projects from svn repositories",
    "openssh-server": "runs on a real host over SSH",
    "slapd": "signing in by a real LDAP server",
    "sudo": "becoming root on a host",
    "chromium": "pages in a real browser",
    "fonts-noto-cjk": "screenshots in Chinese",
}


def bring(place: Place) -> bool:
    """Install what is missing, or say what is skipped; False when nothing is missing."""
    lacking = [name for name in WANTED if not is_installed(name)]
    if not lacking:
        return False
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        say("\n" + advice(lacking, "this user may not install packages"))
        return True
    try:
        _install(place, lacking)
    except LaunchError as error:
        say("\n" + advice(lacking, str(error)))
    return True


def is_installed(name: str) -> bool:
    """Ask dpkg; False on a system without it."""
    query = shutil.which("dpkg-query")
    if not query:
        return False
    done = subprocess.run(  # noqa: S603 - our own command
        [query, "-W", "-f", "${Status}", name],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.endswith(" installed")


def _install(place: Place, names: list[str]) -> None:
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    what = "Debian packages for tests"
    shell.run(place, ["apt-get", "update", "-q"], what=what, extra=quiet)
    install = ["apt-get", "install", "-q", "-y", "--no-install-recommends"]
    shell.run(place, [*install, *names], what=what, extra=quiet)


def advice(names: list[str], why: str) -> str:
    """Say what is skipped and how to get it."""
    skipped = "; ".join(f"{WANTED[name]} (needs {name})" for name in names)
    return f"Skipped: {skipped}: {why}. To run them too: sudo apt-get install {' '.join(names)}"
