"""The product's main job in a real browser against running parts: see this machine, add a host, run on it, let it run by itself."""

import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.e2e.conftest import Portal, planted, sign_in, wait_until
from tests.farm import SshFarm, why_not

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


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshFarm]:
    """A second host: a real sshd on loopback."""
    if why_not():
        pytest.skip(why_not())
    with SshFarm(1, tmp_path_factory.mktemp("farm")) as started:
        yield started


@pytest.fixture
def signed_in(page: Any) -> Any:
    """A page on which the administrator is signed in."""
    sign_in(page)
    return page


def save(page: Any) -> None:
    """Send the form of the page."""
    page.click("main form[method=post] button[type=submit].btn-primary")
    page.wait_for_load_state()


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
    _add_credential(page, target)
    _add_host(page, target)
    _accept_key(page)
    _run_command(page)
    _run_playbook(page, tmp_path / "mark")
    _schedule_fires(page)
    assert page.complaints == []


def _add_credential(page: Any, target: Any) -> None:
    planted.add("private key of the farm", target.login.private_key)
    page.goto("/cmdb/credentials/add/")
    page.fill("[name=name]", "loopback key")
    page.fill("[name=username]", target.login.user)
    page.fill("[name=private_key]", target.login.private_key)
    save(page)
    assert "loopback key" in page.inner_text("h1")
    assert "PRIVATE KEY" not in page.content()


def _add_host(page: Any, target: Any) -> None:
    page.goto("/cmdb/hosts/add/")
    page.fill("[name=hostname]", "second")
    page.fill("[name=address]", target.address)
    page.fill("[name=ssh_port]", str(target.port))
    page.evaluate(
        """() => { const select = document.querySelector("[name=credential]");
        const value = [...select.options].find((option) => option.text === "loopback key").value;
        select.tomselect ? select.tomselect.setValue(value) : (select.value = value); }"""
    )
    save(page)
    assert "second" in page.inner_text("h1")


def _accept_key(page: Any) -> None:
    page.click("text=Host key")
    page.click("text=Read the key from the host")
    page.wait_for_selector("text=SHA256:")
    page.click("text=accept this key")
    page.wait_for_load_state()
    page.goto("/cmdb/hosts/?q=second")
    page.click("tbody td.first a")
    assert "SHA256:" in page.inner_text("main")


def _launch(page: Any) -> None:
    save(page)
    page.click("button[name=action][value=launch]")
    page.wait_for_url(re.compile(r"/tasks/runs/\d+/"))


def _run_command(page: Any) -> None:
    page.click("text=Run a command")
    page.fill("[name=command]", "uname -a; sleep 2; echo the end")
    _launch(page)
    page.wait_for_selector("[data-text] >> text=Linux", timeout=20_000)
    page.wait_for_selector("[data-text] >> text=the end", timeout=20_000)
    page.wait_for_selector("[data-run-status] >> text=ok", timeout=20_000)


def _run_playbook(page: Any, mark: Path) -> None:
    page.goto("/tasks/playbooks/add/")
    page.fill("[name=name]", "leave a mark")
    page.fill("[name=content]", PLAYBOOK.format(mark=mark))
    save(page)
    host = _host_id(page)
    page.goto(f"/tasks/runs/add/?kind=playbook&host={host}")
    page.evaluate(
        """() => { const select = document.querySelector("[name=playbook]");
        const value = [...select.options].find((option) => option.text.includes("leave a mark")).value;
        select.tomselect ? select.tomselect.setValue(value) : (select.value = value); }"""
    )
    _launch(page)
    page.wait_for_selector("[data-text] >> text=leave a mark", timeout=60_000)
    page.wait_for_selector("[data-run-status] >> text=ok", timeout=60_000)
    assert mark.read_text() == "written by a playbook"


def _host_id(page: Any) -> str:
    page.goto("/cmdb/hosts/?q=second")
    return (
        page.locator("tbody td.first a")
        .get_attribute("href")
        .rstrip("/")
        .rpartition("/")[2]
    )


def _schedule_fires(page: Any) -> None:
    host = _host_id(page)
    page.goto("/tasks/schedules/add/")
    page.fill("[name=name]", "each minute")
    page.fill("[name=command]", "echo on time")
    page.fill("[name=every_minutes]", "1")
    page.evaluate(
        """(value) => { const select = document.querySelector("[name=hosts]");
        if (select.tomselect) { select.tomselect.addItem(value); }
        else { [...select.options].find((option) => option.value === value).selected = true; } }""",
        host,
    )
    save(page)
    runs = f"{page.url}?tab=runs"
    until = time.monotonic() + 120
    while not _links_of_runs(page, runs):
        assert time.monotonic() < until, "the schedule did not fire within two minutes"
        page.wait_for_timeout(1000)
    page.goto(_links_of_runs(page, runs)[0])
    page.wait_for_selector("[data-run-status] >> text=ok", timeout=20_000)
    assert "on time" in page.inner_text("[data-text]")


def _links_of_runs(page: Any, address: str) -> list[str]:
    page.goto(address)
    links = page.locator("main a[href*='/tasks/runs/']").all()
    found = [str(link.get_attribute("href")) for link in links]
    return [href for href in found if re.search(r"/tasks/runs/\d+/", href)]
