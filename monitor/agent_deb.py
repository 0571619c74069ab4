"""The agent as a Debian package, written without Debian's tools: `make agent-deb`, and the portal gives it away too."""

import functools
import hashlib
import sys
from pathlib import Path

from monitor import agent_package
from monitor.agent_package import ROOT, Package

LIBRARY = "usr/lib/adminset-agent"
GUIDE = "usr/share/doc/adminset-agent/agent.md"
UNIT = "usr/lib/systemd/system/adminset-agent.service"
CONFIG = "etc/adminset-agent.conf"
NOT_PACKED = {"agent/install.sh", "agent/adminset-agent.service"}
MOVED = {
    "/opt/adminset-agent/venv/bin/python": "/usr/bin/python3",
    "/opt/adminset-agent/agent.md": f"/{GUIDE}",
    "=/opt/adminset-agent\n": f"=/{LIBRARY}\n",
}
CONTROL = """Package: adminset-agent
Version: {version}
Architecture: all
Maintainer: AdminSet <root@localhost>
Depends: python3 (>= 3.6), python3-psutil
Installed-Size: {kibibytes}
Section: admin
Priority: optional
Description: reports this host to AdminSet
 A small daemon that sends facts and measurements of this host to the portal.
 It listens on no network, and the portal cannot make it run anything.
"""
CONFIG_TEXT = """# The AdminSet agent; every option: /usr/share/doc/adminset-agent/agent.md
[agent]
# server = https://adminset.example.com
"""
WRAPPER = f"""#!/bin/sh
# adminset-agent enroll --server URL --token-file FILE
PYTHONPATH=/{LIBRARY} exec python3 -m agent "$@"
"""
# DPKG_ROOT: where dpkg installs into another folder, nothing of this machine is to be touched.
POSTINST = """#!/bin/sh
set -e
[ "$1" = configure ] || exit 0
python3 -m compileall -q "${DPKG_ROOT:-}/usr/lib/adminset-agent/agent" || true
[ -z "${DPKG_ROOT:-}" ] && [ -d /run/systemd/system ] || exit 0
systemctl daemon-reload
if [ -f /var/lib/adminset-agent/credential.json ]; then
    systemctl enable --quiet adminset-agent.service
    systemctl restart adminset-agent.service || true
else
    echo "Enrol this host as root, then start the agent:"
    echo "  adminset-agent enroll --server URL --token-file FILE"
    echo "  systemctl enable --now adminset-agent"
fi
"""
PRERM = """#!/bin/sh
set -e
if [ "$1" = remove ] && [ -z "${DPKG_ROOT:-}" ] && [ -d /run/systemd/system ]; then
    systemctl disable --quiet --now adminset-agent.service || true
fi
if [ -d "${DPKG_ROOT:-}/usr/lib/adminset-agent" ]; then
    find "${DPKG_ROOT:-}/usr/lib/adminset-agent" -name __pycache__ -type d -prune -exec rm -rf {} +
fi
"""
POSTRM = """#!/bin/sh
set -e
if [ "$1" = purge ]; then
    rm -rf "${DPKG_ROOT:-}/var/lib/adminset-agent" "${DPKG_ROOT:-}/var/lib/private/adminset-agent"
fi
if [ -z "${DPKG_ROOT:-}" ] && [ -d /run/systemd/system ]; then
    systemctl daemon-reload
fi
"""


@functools.cache
def deb(root: Path = ROOT) -> Package:
    """Build the package; once a process.

    Raises:
        OSError, ValueError: the files of the agent are not beside this installation.
    """
    members = _members(root)
    number = agent_package.version(root)
    parts = {
        "debian-binary": b"2.0\n",
        "control.tar.gz": agent_package.archive(_control(members, number)),
        "data.tar.gz": agent_package.archive(members),
    }
    content = b"!<arch>\n" + b"".join(_part(*part) for part in parts.items())
    name = f"adminset-agent_{number}_all.deb"
    return Package(name, content, hashlib.sha256(content).hexdigest())


def _members(root: Path) -> dict[str, bytes]:
    """Where each file lies on a host."""
    found = agent_package.files(root)
    members = {
        f"{LIBRARY}/{path}": content
        for path, content in found.items()
        if path.startswith("agent/") and path not in NOT_PACKED
    }
    unit = found["agent/adminset-agent.service"].decode()
    for there, here in MOVED.items():
        unit = unit.replace(there, here)
    if "/opt/" in unit:
        raise ValueError("agent/adminset-agent.service names a place under /opt")
    members[UNIT] = unit.encode()
    members[CONFIG] = CONFIG_TEXT.encode()
    members["usr/bin/adminset-agent"] = WRAPPER.encode()
    if "docs/agent.md" in found:
        members[GUIDE] = found["docs/agent.md"]
    return dict(sorted(members.items()))


def _control(members: dict[str, bytes], number: str) -> dict[str, bytes]:
    sums = "".join(
        f"{hashlib.md5(content, usedforsecurity=False).hexdigest()}  {path}\n"
        for path, content in members.items()
    )
    kibibytes = sum(len(content) // 1024 + 1 for content in members.values())
    texts = {
        "conffiles": f"/{CONFIG}\n",
        "control": CONTROL.format(version=number, kibibytes=kibibytes),
        "md5sums": sums,
        "postinst": POSTINST,
        "postrm": POSTRM,
        "prerm": PRERM,
    }
    return {name: text.encode() for name, text in texts.items()}


def _part(name: str, content: bytes) -> bytes:
    """One member of an ar(5) archive, owned by root, of no time."""
    head = f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(content):<10}`\n"
    return head.encode() + content + b"\n" * (len(content) % 2)


def main(arguments: list[str]) -> int:
    """Write the package into a folder, and say what it is."""
    folder = Path(arguments[0] if arguments else "var")
    package = deb()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / package.name).write_bytes(package.content)
    sys.stdout.write(f"{package.sha256}  {folder / package.name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
