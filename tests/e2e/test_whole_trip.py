"""The product's main job in a real browser against running parts: see this machine, add a host, run on it, let it run by itself."""

import re
import socket
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.e2e.conftest import Portal, wait_until
from tests.e2e.steps import (
    PATIENCE,
    accept_key,
    add_credential,
    add_host,
    choose,
    host_id,
    launch,
    save,
    wait_for_status,
)
from tests.farm import SshFarm

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("portal")]

PLAYBOOK = """\
- hosts: all
  gather_facts: false
  tasks:
    - name: leave a mark
      ansible.builtin.copy:
        content: "written by a playbook"
        dest: "{mark}"
"""


def test_this_machine_stands_in_the_list_with_its_real_hardware(
    signed_in: Any, portal: Portal
) -> None:
    signed_in.goto("/cmdb/hosts/")
    row = signed_in.locator("tbody tr", has_text=socket.gethostname())
    shown = row.inner_text()
    assert f"{psutil.virtual_memory().total / 2**30:.0f} GiB" in shown
    assert str(psutil.cpu_count()) in shown
    row.locator("td.first a").click()
    page = signed_in.locator("main").inner_text()
    for line in Path("/etc/os-release").read_text().splitlines():
        if line.startswith("NAME="):
            assert line.partition("=")[2].strip('"') in page
    assert Path("/proc/sys/kernel/osrelease").read_text().strip() in page


def test_the_charts_draw_what_proc_says(signed_in: Any) -> None:
    signed_in.goto("/monitor/fleet/")
    signed_in.locator("tbody td.first a", has_text=socket.gethostname()).click()
    signed_in.wait_for_selector("#chart-memory[data-state=drawn]")
    total = wait_until(
        "a point of the memory chart",
        lambda: _newest(signed_in, "chart-memory", "memory.total_bytes"),
    )
    meminfo = dict(
        line.split(":") for line in Path("/proc/meminfo").read_text().splitlines()
    )
    assert total == int(meminfo["MemTotal"].split()[0]) * 1024
    load = _newest(signed_in, "chart-load", "load.15")
    assert load == pytest.approx(
        float(Path("/proc/loadavg").read_text().split()[2]), abs=3
    )
    busy = _newest(signed_in, "chart-cpu", "cpu.busy_percent")
    assert 0 <= busy <= 100
    assert signed_in.complaints == []


def _newest(page: Any, chart: str, metric: str) -> float | None:
    """Give the newest drawn value of a line."""
    script = """([id, metric]) => {
        const line = window.adminsetCharts.get(id)?.chart.series.find((one) => one.metric === metric);
        return line?.average.findLast((value) => value !== null) ?? null;
    }"""
    page.evaluate("id => document.getElementById(id).scrollIntoView()", chart)
    page.wait_for_selector(f"#{chart}[data-state=drawn]")
    return page.evaluate(script, [chart, metric])


@pytest.mark.timeout(400)
def test_a_second_host_is_added_and_work_runs_on_it(
    signed_in: Any, farm: SshFarm, tmp_path: Path, portal: Portal
) -> None:
    page, target = signed_in, farm.targets()[0]
    add_credential(page, "loopback key", target)
    add_host(page, "second", target, "loopback key")
    accept_key(page)
    _run_command(page)
    _run_playbook(page, tmp_path / "mark")
    _schedule_fires(page)
    assert page.complaints == []


def _run_command(page: Any) -> None:
    page.click("text=Run ...")
    page.fill("[name=command]", "uname -a; sleep 2; echo the end")
    launch(page)
    page.wait_for_selector("[data-text] >> text=Linux", timeout=PATIENCE)
    page.wait_for_selector("[data-text] >> text=the end", timeout=PATIENCE)
    wait_for_status(page, "ok")


def _run_playbook(page: Any, mark: Path) -> None:
    page.goto("/tasks/playbooks/add/")
    page.fill("[name=name]", "leave a mark")
    page.fill("[name=content]", PLAYBOOK.format(mark=mark))
    save(page)
    page.goto(f"/tasks/runs/add/?kind=playbook&host={host_id(page, 'second')}")
    choose(page, "playbook", "leave a mark")
    launch(page)
    page.wait_for_selector("[data-text] >> text=leave a mark", timeout=PATIENCE)
    wait_for_status(page, "ok")
    assert mark.read_text() == "written by a playbook"


def _schedule_fires(page: Any) -> None:
    page.goto("/tasks/schedules/add/")
    page.fill("[name=name]", "each minute")
    page.fill("[name=command]", "echo on time")
    page.fill("[name=every_minutes]", "1")
    choose(page, "hosts", "second")
    save(page)
    runs = f"{page.url}?tab=runs"
    until = time.monotonic() + 120
    while not _links_of_runs(page, runs):
        assert time.monotonic() < until, "the schedule did not fire within two minutes"
        page.wait_for_timeout(1000)
    page.goto(_links_of_runs(page, runs)[0])
    wait_for_status(page, "ok")
    assert "on time" in page.inner_text("[data-text]")


def _links_of_runs(page: Any, address: str) -> list[str]:
    page.goto(address)
    links = page.locator("main a[href*='/tasks/runs/']").all()
    found = [str(link.get_attribute("href")) for link in links]
    return [href for href in found if re.search(r"/tasks/runs/\d+/", href)]
