"""A real worker of the urgent queue is killed while a file goes to hosts; another one goes on from there."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.farm import SshFarm
from tests.tasks.doors import belonging
from tests.tasks.portal_things import ROOT, Portal, kill, wait_until

pytestmark = pytest.mark.timeout(300)
# The first time on a host it takes a part and hangs there; the second time it takes the rest.
PROGRAM = r"""
part=$FOLDER/part-${SSH_CONNECTION##* }
[ -e "$part" ] || : >"$part"
at=$(($(wc -c <"$part")))
echo "@$AS_MARK ready $at"
if [ "$at" -eq 0 ]; then
  head -c 1000000 >>"$part"
  while :; do sleep 0.1; done
fi
cat >>"$part" || exit 76
set -- $(sha256sum "$part")
echo "@$AS_MARK from $at"
[ "$1" = "$SHA256" ] || exit 76
"""
LAUNCH = """
import tests.tasks.legs.letting
from accounts.models import User
from cmdb.models import Host
from tasks.legs.asking import Leg, SendFile, request_leg, send_leg
ids = tuple(Host.objects.values_list("pk", flat=True))
file = SendFile(given["path"], given["sha256"], given["size"])
leg = Leg(title="Send", purpose="testing.send", program=given["program"], host_ids=ids, urgent=True, timeout_seconds=120,
          values={"FOLDER": given["folder"], "SHA256": given["sha256"]}, send=dict.fromkeys(ids, file))
run = request_leg(actor=User.objects.get(), leg=leg, key="one")
send_leg(run)
print(run.pk)
"""
TOLD = """
from tasks.legs.reading import reports
from tasks.models import Run
print(json.dumps({one.host_name: [dict(one.said), one.sent] for one in reports(Run.objects.get()).values()}))
"""


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[Portal]:
    with SshFarm(2, tmp_path / "farm") as farm:
        (tmp_path / "portal").mkdir()
        made = Portal(tmp_path / "portal", farm)
        yield made
        made.stop()


def start_urgent(portal: Portal, name: str) -> subprocess.Popen[bytes]:
    words = ["-m", "celery", "-q", "-A", "adminset", "worker", "-c2", "-n", name]
    words += ["-Qurgent", "-lwarning", "-Itests.tasks.legs.letting"]
    worker = subprocess.Popen(
        [sys.executable, *words], cwd=ROOT, env=portal.env, start_new_session=True
    )
    portal.workers.append(worker)
    return worker


def test_a_killed_worker_is_followed_by_another_where_the_file_broke_off(
    portal: Portal, tmp_path: Path
) -> None:
    data = os.urandom(8_000_000)
    digest = hashlib.sha256(data).hexdigest()
    (tmp_path / "pack").write_bytes(data)
    first = start_urgent(portal, "first@test")
    given = {"path": str(tmp_path / "pack"), "sha256": digest, "size": len(data)}
    pk = int(portal.do(LAUNCH, program=PROGRAM, folder=str(tmp_path), **given))
    parts = [tmp_path / f"part-{port}" for port in portal.names]
    wait_until(lambda: all(p.exists() and p.stat().st_size >= 1_000_000 for p in parts))
    kill(first)
    start_urgent(portal, "second@test")
    told = portal.until(pk, "failed", "ok", "lost", reaping=True)
    assert told["status"] == "ok", told
    assert told["parts"] == [["done", "second@test", 1]]
    for part in parts:
        assert hashlib.sha256(part.read_bytes()).hexdigest() == digest
    for said, sent in json.loads(portal.do(TOLD)).values():
        assert (int(said["from"]), sent) == (1_000_000, len(data))
    wait_until(lambda: not belonging(portal.folder / "runs"))
    assert not list((portal.folder / "runs" / "private").glob("*/send-*"))
