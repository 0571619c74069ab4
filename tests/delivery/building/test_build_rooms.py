"""Rooms of builds: clean at the start, gone at the end, and caches that never lead anywhere else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from delivery.building import rooms
from delivery.building.rooms import Room


def test_a_room_is_clean_whatever_was_in_it(room: Room) -> None:
    deep = room.source / "go/pkg/mod"
    deep.mkdir(parents=True)
    (deep / "x").write_text("x")
    (room.source / "out").symlink_to("/")
    deep.chmod(0o500)
    deep.parent.chmod(0o000)
    rooms.make_clean(room)
    assert list(room.source.iterdir()) == []
    assert room.root.stat().st_mode & 0o077 == 0
    assert Path("/etc").exists()


def test_caches_come_and_go_with_builds(room: Room, settings: Any) -> None:
    paths = ("node_modules/", "a/b")
    (room.source / "node_modules").mkdir()
    (room.source / "node_modules/x").write_text("kept")
    rooms.take_caches_back(room, paths)
    assert not (room.source / "node_modules").exists()
    rooms.make_clean(room)
    rooms.lend_caches(room, paths)
    assert (room.source / "node_modules/x").read_text() == "kept"
    other = rooms.room_of("deploy-2", 1)
    rooms.make_clean(other)
    rooms.lend_caches(other, paths)
    assert list(other.source.iterdir()) == []
    settings.BUILD_CACHE_BYTES = 1
    rooms.take_caches_back(room, paths)
    assert not room.caches.exists()


def test_caches_do_not_overwrite_what_the_source_brings(room: Room) -> None:
    (room.source / "vendor").mkdir()
    (room.source / "vendor/old").touch()
    rooms.take_caches_back(room, ["vendor"])
    (room.source / "vendor").mkdir()
    (room.source / "vendor/own").touch()
    rooms.lend_caches(room, ["vendor"])
    assert [p.name for p in (room.source / "vendor").iterdir()] == ["own"]


def test_no_link_of_the_source_leads_a_cache_elsewhere(
    room: Room, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    (outside / "x").mkdir(parents=True)
    (outside / "x/precious").touch()
    (room.source / "way").symlink_to(outside)
    rooms.take_caches_back(room, ["way/x", "way", "../../outside/x", "", "."])
    assert (outside / "x/precious").exists()
    kept = room.caches / "kept-way%2Fy"
    kept.mkdir(parents=True)
    rooms.lend_caches(room, ["way/y"])
    assert kept.exists()
    assert not (outside / "y").exists()
