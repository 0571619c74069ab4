"""Hosts have the tools that they have: what is quicker serves where it is, and never has the last word."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.delivery.onhost.host_things import Box, Pack, make_pack

FILES = {"app/a b": b"one", "app/c *d": b"two", "-rf": b"three", "docs/ä": b"four"}
# What an openssl says that is older, or stricter, or none.
STRANGE = {
    "is not there": "exit 127",
    "says nothing": "exit 0",
    "says it otherwise": 'for one; do echo "SHA256($one)= 00"; done',
    "says the wrong": 'shift 2; for one; do echo "0000 *$one"; done',
}


@pytest.fixture
def tools(box: Box, tmp_path: Path) -> Path:
    """A folder of tools that a host finds before its own."""
    folder = tmp_path / "tools"
    folder.mkdir()
    box.values["PATH"] = f"{folder}:{os.environ['PATH']}"
    return folder


def put(tools: Path, name: str, line: str) -> None:
    """Add a tool that writes its calls down and then does this."""
    text = f'#!/bin/sh\necho "$*" >>{tools}/{name}-calls\n{line}\n'
    (tools / name).write_text(text)
    (tools / name).chmod(0o755)


def broken(pack: Pack) -> Pack:
    """Give the same pack with another file in it."""
    other = make_pack(FILES, tree=FILES | {"app/c *d": b"bad"})
    return Pack(other.data, pack.artefact, pack.raw, pack.lists)


def test_openssl_compares_where_it_is(box: Box, tools: Path) -> None:
    real = shutil.which("openssl")
    if real is None:
        pytest.skip("openssl is missing")
    # A configuration may bring in a device that nobody answers for.
    put(tools, "openssl", f'[ "$OPENSSL_CONF" = /dev/null ] && exec {real} "$@"')
    # Asked for lists only, which are small.
    put(tools, "sha256sum", '[ $# = 0 ] || exit 1\nPATH=/usr/bin:/bin sha256sum "$@"')
    pack = make_pack(FILES)
    box.run("claim")
    assert box.receive(pack, "1-a").told["received"] == "yes"
    (asked,) = (tools / "openssl-calls").read_text().splitlines()
    assert asked.startswith("dgst -sha256 -r ./app/a b ./app/c *d ./-rf")


@pytest.mark.parametrize("says", STRANGE)
def test_where_openssl_is_of_no_use_sha256sum_decides(
    box: Box, tools: Path, says: str
) -> None:
    put(tools, "openssl", STRANGE[says])
    pack = make_pack(FILES)
    box.run("claim")
    bad = box.receive(broken(pack), "1-a")
    assert (bad.code, bad.told["pack_broken"]) == (76, "yes")
    assert "not the artefact: ./app/c *d" in bad.told["why"]
    # In pieces: the pack itself is compared, too.
    part = box.root / f".adminset/incoming/{pack.values('')['AS_SEND_SHA256']}.part"
    part.write_bytes(pack.data[:4000])
    said = box.run("receive", pack.data[4000:], **pack.values("1-a"))
    assert (said.code, said.told["received"]) == (0, "yes"), said
    assert (tools / "openssl-calls").read_text().splitlines()[-2] == "dgst -sha256 -r"
    box.run("activate", AS_RELEASE="1-a")
    (box.root / "current/app/a b").write_text("by hand")
    look = box.run("look")
    assert (look.told["changed"], look.told["changed_files"]) == ("1", "./app/a b ")


def test_a_piece_that_was_damaged_is_not_kept(box: Box, tools: Path) -> None:
    pack = make_pack(FILES)
    box.run("claim")
    part = box.root / f".adminset/incoming/{pack.values('')['AS_SEND_SHA256']}.part"
    part.write_bytes(b"x" * 4000)
    said = box.run("receive", pack.data[4000:], **pack.values("1-a"))
    assert (said.code, said.told["pack_broken"]) == (76, "yes")
    assert "its SHA-256 is " in said.told["why"]
    assert not part.exists()


def test_a_dd_that_cannot_count_bytes_is_not_asked_to(box: Box, tools: Path) -> None:
    if box.shell[0] == "busybox":
        pytest.skip("it has dd built in")
    put(tools, "dd", 'case $* in *iflag=*) exit 1 ;; esac; exec /bin/dd "$@"')
    box.run("claim")
    assert box.receive(make_pack(FILES), "1-a").told["received"] == "yes"
    (asked,) = (tools / "dd-calls").read_text().splitlines()
    assert asked.startswith("if=/dev/null")


def test_where_nothing_can_be_hashed_nothing_is_believed(box: Box, tools: Path) -> None:
    if box.shell[0] == "busybox":
        pytest.skip("it has sha256sum built in")
    pack = make_pack(FILES)
    box.run("claim")
    assert box.receive(pack, "1-a").told["received"] == "yes"
    for tool in ("sha256sum", "openssl"):
        put(tools, tool, "exit 137")
    (box.root / "releases/1-a/app/a b").write_text("")
    said = box.receive(pack, "1-a")
    assert said.told.get("received") != "already"
    assert said.code != 0
