"""Containers by their control groups, in both hierarchies."""

import json
import shutil

import pytest

from agent.collectors import container_names, containers

ID = "0123456789abcdef" * 4


def rows(found):
    (only,) = found.tables
    return [dict(zip(only["columns"], row, strict=True)) for row in only["rows"]]


def unified(folder):
    group = folder / "system.slice" / f"docker-{ID}.scope"
    group.mkdir(parents=True)
    (folder / "cgroup.controllers").write_text("cpu memory\n")
    (group / "cpu.stat").write_text("usage_usec 5000000\nuser_usec 1\n")
    (group / "memory.current").write_text("1000\n")
    (group / "memory.max").write_text("max\n")
    (group / "memory.stat").write_text("anon 1\ninactive_file 400\n")


def test_containers_of_the_unified_hierarchy_are_measured(tmp_path, monkeypatch):
    unified(tmp_path)
    monkeypatch.setattr(containers, "CGROUP", str(tmp_path))
    monkeypatch.setattr(container_names, "DOCKER", str(tmp_path / "docker"))
    (tmp_path / "docker" / ID).mkdir(parents=True)
    (tmp_path / "docker" / ID / "config.v2.json").write_text('{"Name":"/web"}')
    watcher = containers.Watcher()
    assert rows(watcher.collect())[0]["cpu_percent"] is None
    watcher.before[ID] -= 1.0
    watcher.moment -= 2.0
    found = watcher.collect()
    row = rows(found)[0]
    assert (row["id"], row["name"], row["runtime"]) == (ID[:12], "web", "docker")
    assert (row["memory_bytes"], row["memory_limit_bytes"]) == (600, None)
    assert row["cpu_percent"] == pytest.approx(50, abs=5)
    assert found.values["container.memory_bytes|web"] == 600
    assert found.values["containers.running"] == 1


def test_containers_of_the_old_hierarchy_are_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(containers, "CGROUP", str(tmp_path))
    monkeypatch.setattr(container_names, "PODMAN", str(tmp_path / "list.json"))
    named = [{"id": ID, "names": ["db"]}]
    (tmp_path / "list.json").write_text(json.dumps(named))
    memory = tmp_path / "memory" / "libpod_parent" / f"libpod-{ID}"
    cpu = tmp_path / "cpu,cpuacct" / "libpod_parent" / f"libpod-{ID}"
    memory.mkdir(parents=True)
    cpu.mkdir(parents=True)
    (memory / "memory.usage_in_bytes").write_text("5000")
    (memory / "memory.limit_in_bytes").write_text("9223372036854771712")
    (cpu / "cpuacct.usage").write_text("2500000000")
    (only,) = containers.containers(containers.places())
    assert only == (ID, "db", "podman", 2.5, 5000, None)


def test_kubernetes_pods_are_found_below_their_slices(tmp_path, monkeypatch):
    unified(tmp_path)
    pod = "kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice"
    group = tmp_path / pod / f"cri-containerd-{ID[::-1]}.scope"
    group.mkdir(parents=True)
    (group / "memory.current").write_text("1")
    monkeypatch.setattr(containers, "CGROUP", str(tmp_path))
    found = {each.runtime: each for each in containers.containers(containers.places())}
    assert set(found) == {"docker", "containerd"}
    assert found["containerd"].name == ID[::-1][:12]


def test_without_control_groups_there_is_no_table(monkeypatch):
    monkeypatch.setattr(containers, "CGROUP", "/nowhere")
    assert containers.Watcher().collect() == containers.Found()


def test_when_the_last_container_ends_the_table_is_empty(tmp_path, monkeypatch):
    unified(tmp_path)
    monkeypatch.setattr(containers, "CGROUP", str(tmp_path))
    watcher = containers.Watcher()
    assert len(rows(watcher.collect())) == 1
    shutil.rmtree(str(tmp_path / "system.slice"))
    found = watcher.collect()
    assert (rows(found), found.values) == ([], {"containers.running": 0})


def test_more_containers_than_the_bound_are_counted(tmp_path, monkeypatch):
    (tmp_path / "cgroup.controllers").write_text("")
    for number in range(containers.MOST_CONTAINERS + 3):
        group = tmp_path / "docker" / f"{number:064x}"
        group.mkdir(parents=True)
        (group / "memory.current").write_text("1")
    monkeypatch.setattr(containers, "CGROUP", str(tmp_path))
    found = containers.Watcher().collect()
    assert found.left_out == {"containers": 3}
    assert found.values["containers.running"] == containers.MOST_CONTAINERS + 3
    assert {row["runtime"] for row in rows(found)} == {"docker"}
