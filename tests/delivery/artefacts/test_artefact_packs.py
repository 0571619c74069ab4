"""Packs: whatever changed between two artefacts, a host that reads the pack has the new one, and little was sent."""

from __future__ import annotations

import os
import random
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as how
from hypothesis import strategies as st

from adminset.errors import DomainError
from delivery.artefacts import changes, packs, store
from delivery.artefacts.packs import Pack, pack_for
from delivery.artefacts.rules import Rules
from delivery.artefacts.store import Stored

Put = Callable[..., Stored]
Receive = Callable[..., Path]


def large(size: int, seed: int) -> bytes:
    return random.Random(seed).randbytes(size)  # noqa: S311 - bytes for tests


FILES: dict[str, Any] = {
    "bin/run": "#!/bin/sh\n",
    "-rf *": "a name for shells",
    " lead and trail ": "spaces",
    "ü/$(id)/'q\"": "quotes",
    "data.bin": large(400_000, 1),
    "lib/app-1.2.jar": large(300_000, 2),
    "twin1": "twins",
    "twin2": "twins",
    "moved/from/here": large(50_000, 3),
    "link": "->bin/run",
    "empty": None,
}


def changed() -> dict[str, Any]:
    files = dict(FILES)
    data = bytearray(files["data.bin"])
    data[200_000:200_000] = b"inserted"
    data[399_000] ^= 1
    files["data.bin"] = bytes(data)
    jar = bytearray(files.pop("lib/app-1.2.jar"))
    jar[7] ^= 1
    files["lib/app-1.3.jar"] = bytes(jar)
    files["and/to/there"] = files.pop("moved/from/here")
    files["twin3"] = files["twin4"] = "other twins"
    files["link"] = "->lib"
    del files["-rf *"], files["empty"]
    return files


@pytest.mark.parametrize("shell", ["dash", "busybox sh"])
def test_a_host_gets_from_one_artefact_to_the_next(
    shell: str, put: Put, receive: Receive
) -> None:
    first = put(FILES, executable=("bin/run",))
    second = put(changed(), executable=("bin/run", "twin4"))
    there = receive(pack_for(first.sha256), shell=shell)
    assert store.add(there, Rules()) == first
    (there / "app.log").write_text("written by the application")
    pack = pack_for(second.sha256, first.sha256)
    assert store.add(receive(pack, there, shell), Rules()) == second
    assert pack.size < pack_for(second.sha256).size / 5


@pytest.mark.django_db(False)
@how(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.tuples(
        *[
            st.dictionaries(
                st.text("ab- é$", min_size=1, max_size=4).filter(lambda n: n.strip()),
                st.sampled_from(["", "x", "yy", "z" * 999]),
                min_size=1,
                max_size=6,
            )
        ]
        * 2
    )
)
def test_any_two_artefacts(
    put: Put, receive: Receive, pair: tuple[dict[str, str], dict[str, str]]
) -> None:
    first, second = put(pair[0]), put(pair[1])
    there = receive(pack_for(first.sha256))
    made = receive(pack_for(second.sha256, first.sha256), there)
    assert store.add(made, Rules()) == second


def test_a_pack_is_made_once_and_always_the_same(put: Put) -> None:
    first, second = put(FILES), put(changed())
    pack = pack_for(second.sha256, first.sha256)
    before = pack.path.stat().st_ino
    assert pack_for(second.sha256, first.sha256) == pack
    assert pack.path.stat().st_ino == before
    pack.path.unlink()
    assert pack_for(second.sha256, first.sha256) == pack
    assert pack.path.stat().st_size == pack.size


def test_renames_and_equal_files_cost_nothing(put: Put) -> None:
    first = put({"old/name": large(500_000, 4), "same": large(500_000, 5)})
    second = put(
        {
            "new/name": large(500_000, 4),
            "same": large(500_000, 5),
            "again": large(500_000, 5),
        }
    )
    assert pack_for(second.sha256, first.sha256).size < 20_000


@pytest.mark.parametrize("size", [8_192, 20_000, 100_000, 200_000])
def test_of_small_files_only_what_changed_is_sent(
    size: int, put: Put, receive: Receive
) -> None:
    files: dict[str, Any] = {f"{n}.bin": large(size, 20 + n) for n in range(30)}
    first = put(files)
    part = size // 100
    for number, (name, data) in enumerate(files.items()):
        place = (size - part) * number // 30
        new = large(part, 60 + number)
        files[name] = data[:place] + new + data[place + part :]
    second = put(files)
    there = receive(pack_for(first.sha256))
    pack = pack_for(second.sha256, first.sha256)
    assert store.add(receive(pack, there), Rules()) == second
    assert pack.size < pack_for(first.sha256).size / 10


def test_a_host_is_not_asked_for_more_pieces_than_it_can_join(
    put: Put, receive: Receive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "MOST_PIECES_OF_SMALL", 6)
    old = {f"{n}.bin": large(20_000, 20 + n) for n in range(5)}
    first = put(old)
    second = put({name: data[:9000] + b"x" + data[9001:] for name, data in old.items()})
    found = changes.changes_between(
        store.manifest(second.sha256), store.manifest(first.sha256)
    )
    assert (len(found.patches), len(found.sent)) == (2, 3)
    there = receive(pack_for(first.sha256))
    made = receive(pack_for(second.sha256, first.sha256), there)
    assert store.add(made, Rules()) == second


def test_compression_is_for_what_gets_smaller(put: Put) -> None:
    text = put({"a": "words and more words\n" * 20_000})
    noise = put({"a": large(400_000, 6)})
    small, plain = pack_for(text.sha256), pack_for(noise.sha256)
    assert (small.compressed, plain.compressed) == (True, False)
    assert small.size < small.raw_size / 10
    assert plain.size == plain.raw_size


def test_a_pack_names_no_person_and_holds_times_that_do_not_lie(put: Put) -> None:
    kept = put({"a": "one"}, executable=("a",))
    with tarfile.open(pack_for(kept.sha256).path) as tar:
        members = {member.name: member for member in tar}
    assert list(members)[:7] == [
        "plan",
        "sums",
        "links",
        "exec",
        "same",
        "copies",
        "patches",
    ]
    about = members["tree/a"]
    assert (about.uid, about.gid, about.uname, about.gname, about.mode) == (
        0,
        0,
        "",
        "",
        0o755,
    )
    blob = store.blob_path(store.manifest(kept.sha256).files["a"].sha256)
    assert about.mtime == int(blob.stat().st_mtime)


def test_a_damaged_file_is_never_sent_and_a_build_mends_it(put: Put) -> None:
    kept = put({"a": "one", "b": "two"})
    blob = store.blob_path(store.manifest(kept.sha256).files["a"].sha256)
    blob.write_text("eno")
    with pytest.raises(DomainError, match="damaged"):
        pack_for(kept.sha256)
    assert not list((store.root() / "packs").glob("*.pack"))
    assert put({"a": "one", "b": "two"}) == kept
    assert pack_for(kept.sha256).size


def test_old_packs_go_and_young_ones_stay(put: Put, settings: Any) -> None:
    first, second = pack_for(put({"a": "1"}).sha256), pack_for(put({"a": "2"}).sha256)
    old = settings.ARTEFACT_PACK_HOURS * 3600 + 60
    for path in (first.path, first.path.with_suffix(".json")):
        os.utime(path, (path.stat().st_mtime - old,) * 2)
    assert packs.clean() == 1
    assert (first.path.exists(), second.path.exists()) == (False, True)


def test_pack_is_what_others_were_told(put: Put) -> None:
    pack = pack_for(put({"a": "one"}).sha256)
    assert isinstance(pack, Pack)
    assert (pack.base, pack.whole_size, pack.path.stat().st_size) == ("", 3, pack.size)
