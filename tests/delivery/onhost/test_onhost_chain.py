"""The whole chain on real sshd servers, by the task centre's engine: read, check, claim, receive, activate, finish; and what goes wrong."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cmdb.models import Host
from delivery.artefacts.packs import pack_for
from delivery.artefacts.store import Stored
from delivery.onhost import legs, told
from delivery.onhost.context import Health, Hooks, HostContext
from tasks.legs.asking import Leg
from tasks.legs.reading import HostReport
from tasks.models import Run
from tests.farm import SshFarm

pytestmark = pytest.mark.django_db
Do = Callable[[Leg], dict[int, HostReport]]
Make = Callable[..., Stored]
SECRET = "Tr0ub4dor&3-of-the-hook"


@pytest.fixture
def context(tmp_path: Path, hosts: list[Host]) -> HostContext:
    """A deploy to three hosts, which are one machine here: what differs is told to each."""
    return HostContext(
        root=str(tmp_path / "srv" / "shop"),
        deploy_id=17,
        who="ann",
        project="shop",
        environment="production",
        stage_timeout=60,
        forks=3,
    )


def of(
    context: HostContext, stored: Stored, number: int, **changes: Any
) -> HostContext:
    """Give the context of a release of an artefact."""
    release = f"{number}-{stored.sha256[:8]}"
    told_of = {"release": release, "artefact_sha256": stored.sha256, "commit": "c0ffee"}
    return replace(context, **told_of, **changes)


def assert_ok(reports: Mapping[int, HostReport]) -> None:
    """Each host ended well."""
    assert {one.status for one in reports.values()} == {"ok"}, reports


def deliver(do_leg: Do, context: HostContext, host: Host) -> None:
    """Do a whole deploy with the whole artefact."""
    assert_ok(do_leg(legs.claim_leg(context, [host.pk])))
    pack = pack_for(context.artefact_sha256)
    assert_ok(do_leg(legs.receive_leg(context, {host.pk: pack})))
    assert_ok(do_leg(legs.activate_leg(context, [host.pk])))
    assert_ok(do_leg(legs.finish_leg(context, [host.pk])))


def test_the_whole_way_of_two_releases_and_back(
    context: HostContext, hosts: list[Host], artefact: Make, do_leg: Do
) -> None:
    host, root = hosts[0], Path(context.root)
    big = os.urandom(300_000)
    first = artefact({"app/main": b"one", "big": big, "it's": b"x"}, latest="app/main")
    one = of(context, first, 1, shared=("log/",))
    before = replace(one, deploy_id=0)
    assert told.state(do_leg(legs.read_leg(before, [host.pk]))[host.pk]).live == ""
    found = told.checks(do_leg(legs.check_leg(one, [host.pk]))[host.pk])
    assert [check.id for check in found if not check.ok] == []
    assert {"path", "space", "tools", "user"} <= {check.id for check in found}
    deliver(do_leg, one, host)
    assert (root / "current/app/main").read_text() == "one"

    second = artefact({"app/main": b"two", "big": big[:-5] + b"other", "new": b"n"})
    two = of(context, second, 2, shared=("log/",), deploy_id=18)
    assert_ok(do_leg(legs.claim_leg(two, [host.pk])))
    pack = pack_for(second.sha256, first.sha256)
    assert pack.size < 150_000
    sent = do_leg(legs.receive_leg(two, {host.pk: pack}, {host.pk: one.release}))
    assert_ok(sent)
    assert sent[host.pk].sent == pack.size
    assert_ok(do_leg(legs.activate_leg(two, [host.pk])))
    assert (root / "current/big").read_bytes() == big[:-5] + b"other"
    assert not (root / "current/it's").exists()
    assert_ok(do_leg(legs.finish_leg(two, [host.pk])))

    back = replace(two, deploy_id=19, rollback=True, mark_bad=True, reason="slow")
    assert_ok(do_leg(legs.claim_leg(back, [host.pk])))
    report = do_leg(legs.switch_back_leg(back, [host.pk], one.release))[host.pk]
    ended = told.switched(report)
    assert (ended.live, ended.before, ended.switched) == (
        one.release,
        two.release,
        True,
    )
    finish = replace(back, release=one.release)
    assert_ok(do_leg(legs.finish_leg(finish, [host.pk])))
    state = told.state(do_leg(legs.read_leg(back, [host.pk]))[host.pk])
    assert (state.live, state.previous) == (one.release, two.release)
    assert (state.bad, state.lock) == ((two.release,), None)
    drift = told.drift(do_leg(legs.look_leg(back, [host.pk]))[host.pk])
    assert (drift.live, drift.whole, drift.changed) == (one.release, True, 0)


def test_hosts_hear_their_own_values_and_keep_secrets(
    context: HostContext, hosts: list[Host], artefact: Make, do_leg: Do, tmp_path: Path
) -> None:
    stored = artefact({"a": b"1"})
    seen = tmp_path / "seen"
    seen.mkdir()
    hook = f'printf "%s %s %s" "$LEVEL" "$DB_PASSWORD" "$ADMINSET_RELEASE" >{seen}/$ADMINSET_HOST; echo "$DB_PASSWORD"'
    names = {host.pk: host.hostname for host in hosts}

    def every(values: dict[str, str]) -> dict[int, dict[str, str]]:
        return dict.fromkeys(names, values)

    release = of(
        context,
        stored,
        1,
        hooks=Hooks(before_switch=hook),
        host_variables={**every({"LEVEL": "all"}), hosts[1].pk: {"LEVEL": "its own"}},
        host_secrets={
            **every({"DB_PASSWORD": SECRET}),
            hosts[2].pk: {"DB_PASSWORD": "another-secret-word"},
        },
        host_names=names,
    )
    for host in hosts:
        # Three hosts on one machine: each has a turn, a path of its own.
        own = replace(release, root=f"{release.root}-{host.pk}")
        assert_ok(do_leg(legs.claim_leg(own, [host.pk])))
        assert_ok(do_leg(legs.receive_leg(own, {host.pk: pack_for(stored.sha256)})))
        assert_ok(do_leg(legs.activate_leg(own, [host.pk])))
    told_of = {one.name: one.read_text() for one in seen.iterdir()}
    assert told_of == {
        "host0": f"all {SECRET} {release.release}",
        "host1": f"its own {SECRET} {release.release}",
        "host2": f"all another-secret-word {release.release}",
    }
    kept = b"".join(
        p.read_bytes() for p in (tmp_path / "runs").rglob("*") if p.is_file()
    )
    assert SECRET.encode() not in kept
    assert b"another-secret-word" not in kept
    assert SECRET not in str([*Run.objects.values("leg__values", "leg__host_values")])


def test_bad_health_is_said_and_taken_back(
    context: HostContext, hosts: list[Host], artefact: Make, do_leg: Do
) -> None:
    host = hosts[0]
    health = Health(
        kind="command", target="grep -q good app", attempts=2, pause_seconds=0
    )
    good = of(context, artefact({"app": b"good"}), 1, health=health)
    deliver(do_leg, good, host)
    bad = of(context, artefact({"app": b"bad"}), 2, health=health, deploy_id=18)
    assert_ok(do_leg(legs.claim_leg(bad, [host.pk])))
    pack = pack_for(bad.artefact_sha256)
    assert_ok(do_leg(legs.receive_leg(bad, {host.pk: pack})))
    report = do_leg(legs.activate_leg(bad, [host.pk]))[host.pk]
    ended = told.switched(report)
    assert (report.status, report.exit_code) == ("failed", 78)
    assert (ended.live, ended.switched, ended.stage) == (bad.release, True, "health")
    assert "Not well after 2 tries" in ended.why
    back = do_leg(legs.switch_back_leg(bad, [host.pk], {host.pk: good.release}))
    assert_ok(back)
    assert told.switched(back[host.pk]).live == good.release
    assert_ok(do_leg(legs.unlock_leg(bad, [host.pk])))
    assert told.state(do_leg(legs.read_leg(bad, [host.pk]))[host.pk]).lock is None


def test_a_lock_of_another_deploy_is_named_and_broken_only_by_name(
    context: HostContext, hosts: list[Host], do_leg: Do
) -> None:
    pk = hosts[0].pk
    assert_ok(do_leg(legs.claim_leg(replace(context, reason="prices"), [pk])))
    other = replace(context, deploy_id=18, who="bob")
    report = do_leg(legs.claim_leg(other, [pk]))[pk]
    assert report.exit_code == 75
    held = told.lock(report)
    assert held is not None
    assert (held.deploy, held.who, held.reason) == ("17", "ann", "prices")
    checks = told.checks(do_leg(legs.check_leg(other, [pk]))[pk])
    assert [(one.id, one.ok) for one in checks if one.id == "lock"] == [("lock", False)]
    assert do_leg(legs.unlock_leg(other, [pk], of={pk: "16"}))[pk].exit_code == 75
    assert_ok(do_leg(legs.unlock_leg(other, [pk], of={pk: "17"})))
    assert_ok(do_leg(legs.claim_leg(other, [pk])))


def test_a_base_that_was_changed_on_the_host_asks_for_the_whole_pack(
    context: HostContext, hosts: list[Host], artefact: Make, do_leg: Do
) -> None:
    pk = hosts[0].pk
    first, second = artefact({"a": b"1", "b": b"x"}), artefact({"a": b"1", "b": b"y"})
    one = of(context, first, 1)
    deliver(do_leg, one, hosts[0])
    (Path(context.root) / "current/a").write_text("by hand")
    two = of(context, second, 2, deploy_id=18)
    assert_ok(do_leg(legs.claim_leg(two, [pk])))
    pack = pack_for(second.sha256, first.sha256)
    report = do_leg(legs.receive_leg(two, {pk: pack}, {pk: one.release}))[pk]
    assert (report.exit_code, told.base_broken(report)) == (76, True)
    whole = do_leg(legs.receive_leg(two, {pk: pack_for(second.sha256)}))
    assert_ok(whole)
    assert not told.base_broken(whole[pk])


def test_shared_paths_that_the_base_brought_are_no_loss_to_the_next_pack(
    context: HostContext, hosts: list[Host], artefact: Make, do_leg: Do
) -> None:
    pk, shared = hosts[0].pk, ("conf/", "site.ini")
    files = {"conf/a": os.urandom(9000), "conf/b": b"b", "site.ini": b"s", "app": b"1"}
    first, second = artefact(files), artefact(files | {"app": b"2", "conf/b": b"c"})
    one = of(context, first, 1, shared=shared)
    deliver(do_leg, one, hosts[0])
    (Path(context.root) / "shared/conf/a").write_text("by hand")
    two = of(context, second, 2, shared=shared, deploy_id=18)
    assert_ok(do_leg(legs.claim_leg(two, [pk])))
    pack = pack_for(second.sha256, first.sha256)
    assert_ok(do_leg(legs.receive_leg(two, {pk: pack}, {pk: one.release})))
    assert_ok(do_leg(legs.activate_leg(two, [pk])))
    live = Path(context.root) / "current"
    assert (live / "conf/a").read_text() == "by hand"
    assert (live / "app").read_text() == "2"


def test_a_network_that_breaks_goes_on_from_there(
    context: HostContext,
    hosts: list[Host],
    artefact: Make,
    do_leg: Do,
    servers: SshFarm,
) -> None:
    pk, root = hosts[0].pk, Path(context.root)
    one = of(context, artefact({"big": os.urandom(20_000_000)}), 1)
    assert_ok(do_leg(legs.claim_leg(one, [pk])))
    leg = legs.receive_leg(one, {pk: pack_for(one.artefact_sha256)})
    # Once, when some of it is there, the program takes the connection down with it.
    cut = 'read_bytes "$left" >>"$part"'
    assert cut in leg.program
    hangs_up = (
        f'if [ ! -f {root}/cut ]; then : >{root}/cut; head -c 3000000 >>"$part"; '
        'walk=$$; while read -r _ n _ up _ <"/proc/$walk/stat"; do case $n in "(sshd"*) break;; esac; walk=$up; done; '
        f"kill -9 $walk; exit 1; fi; {cut}"
    )
    report = do_leg(replace(leg, program=leg.program.replace(cut, hangs_up)))[pk]
    assert report.status == "ok", report
    assert (root / "cut").exists()
    assert (root / "releases" / one.release / "REVISION").exists()


def test_hosts_that_are_away_are_unreachable_and_not_bad(
    context: HostContext, hosts: list[Host], do_leg: Do
) -> None:
    Host.objects.filter(pk=hosts[1].pk).update(ssh_port=1)
    before = replace(context, deploy_id=0)
    said = do_leg(legs.read_leg(before, [host.pk for host in hosts[:2]]))
    assert [said[host.pk].status for host in hosts[:2]] == ["ok", "unreachable"]
    assert told.state(said[hosts[1].pk]) == told.HostState()
    assert told.checks(said[hosts[1].pk]) == []
