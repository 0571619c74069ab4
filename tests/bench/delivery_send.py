"""A release to many hosts at once beside scp in parallel on the same farm; and a second release of which 1 % is new.

ADMINSET_BENCH_DELIVERY_HOSTS and ADMINSET_BENCH_DELIVERY_MIB make it smaller. Ours also compares SHA-256, unpacks and compares
each file; the machine's cores are shared by portal, ssh, sshd and the programs of all hosts.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

from tests.bench.delivery_farm import build, farm_of, portal
from tests.bench.figures import Figure
from tests.farm import SshFarm

HOSTS = int(os.environ.get("ADMINSET_BENCH_DELIVERY_HOSTS", "20"))
SIZE = int(os.environ.get("ADMINSET_BENCH_DELIVERY_MIB", "100")) * 10**6
ROUNDS = 2


def run(folder: Path) -> list[Figure]:
    """Measure both in turns, and give the best of each."""
    with farm_of(HOSTS, folder) as farm:
        first = build(folder, SIZE, "first")
        second = build(folder, SIZE, "second", changed=0.01)
        bare, ours = [], []
        for number in range(ROUNDS):
            bare.append(_scp(farm, folder, first))
            there = folder / f"round-{number}"
            there.mkdir()
            (there / "hosts").mkdir()
            (there / "hosts").chmod(0o777)
            there.chmod(0o711)
            told = {"first": str(first), "second": str(second)}
            ours.append(portal("send", there, farm, HOSTS, **told))
            shutil.rmtree(there / "hosts")
    best = min(ours, key=lambda seen: seen["wall"])
    return _figures(min(bare), best)


def _scp(farm: SshFarm, folder: Path, release: Path) -> float:
    """Copy one archive of the release to all hosts at once, as one would by hand."""
    archive = folder / "release.tar"
    if not archive.exists():
        subprocess.run(["tar", "-cf", archive, "-C", release, "."], check=True)
    known = folder / "known_hosts"
    places = farm.places()[:HOSTS]
    known.write_text(
        "".join(f"[{address}]:{port} {key}\n" for _n, address, port, key in places)
    )
    options = ["-q", "-F", "none", "-i", str(farm.client_key)]
    options += ["-o", f"UserKnownHostsFile={known}", "-o", "BatchMode=yes"]
    began = time.perf_counter()
    copies = [
        subprocess.Popen(
            [
                *("scp", *options, "-P", str(port), archive),
                f"{farm.user}@{address}:{folder}/hosts/{name}.tar",
            ]
        )
        for name, address, port, _key in places
    ]
    codes = {copy.wait() for copy in copies}
    took = time.perf_counter() - began
    if codes != {0}:
        raise RuntimeError(f"scp ended with {codes}")
    for name, *_rest in places:
        (folder / "hosts" / f"{name}.tar").unlink()
    return took


def _figures(bare: float, ours: dict[str, float]) -> list[Figure]:
    title = f"Delivery, {SIZE // 10**6} MB to {HOSTS} hosts"
    full = (HOSTS, SIZE) == (20, 100 * 10**6)
    return [
        Figure(
            f"{title}, wall", ours["wall"], "s", "", f"{bare:.2f} s scp in parallel"
        ),
        Figure(
            f"{title}, speed against scp",
            bare / ours["wall"],
            "x",
            "0.7 x (issue 8)" if full else "",
        ),
        Figure(
            f"{title}, second release with 1 % changed, bytes",
            ours["delta"] / ours["whole"] * 100,
            "%",
            "10 % (issue 8)",
            f"{ours['again']:.2f} s",
        ),
    ]
