"""What pages show is what the agent read: a real agent, a real portal process, its pages over HTTP, each number converted anew here."""

import json
import os
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from bs4 import BeautifulSoup

from monitor.store import MetricStore
from tests.e2e.conftest import wait_until
from tests.simulation.real_agent import RealAgent
from tests.simulation.servers import BareServer

pytestmark = [pytest.mark.xdist_group("portal"), pytest.mark.timeout(400)]
# Not the one of the other suites, whose tests look for it on every command line.
PASSWORD = "a password for looking at values"
ADMINISTRATOR = f"""
from accounts.models import User
User.objects.create_user(username="admin", password="{PASSWORD}", is_superuser=True)
"""
SAMPLES = 5
# Values of one moment by milliseconds.
Readings = dict[int, dict[str, float]]


class Witness(threading.Thread):
    """Looks into a spool all the time and keeps what the agent writes down there: a sample lies there until it is sent."""

    def __init__(self, folder: Path) -> None:
        super().__init__(daemon=True)
        self.folder, self.seen = folder, Readings()
        self.over = threading.Event()

    def run(self) -> None:
        """Look on, and once more at the end."""
        while not self.over.wait(0.005):
            self.look()
        self.look()

    def look(self) -> None:
        """Keep what is there now."""
        for file in self.folder.glob("*.jsonl"):
            try:
                lines = file.read_bytes().splitlines(keepends=True)
            except OSError:
                continue
            for line in lines:
                if line.endswith(b"}\n") and b'"values"' in line:
                    sample = json.loads(line)
                    self.seen[round(sample["time"] * 1000)] = sample["values"]


@dataclass
class Shown:
    """A portal's pages to somebody who is signed in, and what its one agent read and sent."""

    browser: requests.Session
    url: str
    host_id: int
    readings: Readings

    def get(self, path: str, **query: str) -> requests.Response:
        """Ask for a page."""
        answer = self.browser.get(self.url + path, params=query, timeout=20)
        assert answer.status_code == 200, answer.text[:500]
        return answer

    @property
    def newest(self) -> dict[str, float]:
        """What the agent read last."""
        return self.readings[max(self.readings)]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    """The agent is dead by the time of the tests: nothing newer comes."""
    # As the suite is set: pages need no collected static files.
    told = {"DJANGO_SETTINGS_MODULE": "tests.settings"}
    server = BareServer(tmp_path_factory.mktemp("values"), settings=told)
    try:
        ((host_id, token),) = server.prepare(1)
        server._manage("shell", "-v0", "-c", ADMINISTRATOR)
        readings = _readings(server, host_id, token)
        url = f"http://127.0.0.1:{server.ports['portal']}"
        yield Shown(_signed_in(url), url, host_id, readings)
    finally:
        server.stop()


def _readings(server: BareServer, host_id: int, token: str) -> Readings:
    """Let an agent run until the portal has enough, and give what it read of that; again where the newest was not seen."""
    agent = RealAgent(server.folder / "agent", server.ports["portal"], token)
    seen = Readings()
    for _ in range(3):
        witness = Witness(agent.spool)
        witness.start()
        agent.start()
        try:
            _sent(server.mongo_url, host_id)
        finally:
            agent.kill()
            witness.over.set()
            witness.join()
        seen |= witness.seen
        sent = _sent(server.mongo_url, host_id)
        if max(sent) in seen:
            break
    # On a busy machine a sample may come and go between two looks.
    readings = {moment: seen[moment] for moment in sent & seen.keys()}
    assert len(readings) > len(sent) / 2
    return readings


def _sent(mongo_url: str, host_id: int) -> set[int]:
    """Wait for samples enough, and give the moments of those that are there."""
    store = MetricStore(mongo_url)

    def there() -> set[int]:
        now = time.time()
        kept = store.samples_of(host_id, now - 600, now + 60)
        return {sample.milliseconds for sample in kept}

    try:
        wait_until("samples of the agent", lambda: len(there()) >= SAMPLES, 150)
        return there()
    finally:
        store.close()


def _signed_in(url: str) -> requests.Session:
    browser = requests.Session()
    page = browser.get(f"{url}/", timeout=20)
    form = BeautifulSoup(page.text, "html.parser").select_one("form[method=post]")
    assert form
    sent = {
        str(field["name"]): str(field.get("value") or "")
        for field in form.select("input[name]")
    }
    sent |= {"username": "admin", "password": PASSWORD}
    browser.post(page.url, sent, headers={"Referer": page.url}, timeout=20)
    return browser


def test_every_point_of_every_chart_is_what_the_agent_read_at_that_moment(
    shown: Shown,
) -> None:
    data = shown.get(f"/monitor/hosts/{shown.host_id}/charts/", range="15m").json()
    # Charts say the moment to the second.
    readings = {round(m / 1000): values for m, values in shown.readings.items()}
    assert {moment for moment in data["times"] if moment in readings} == set(readings)
    compared: set[str] = set()
    for chart in data["charts"].values():
        for line in chart["series"]:
            name = line["metric"]
            points = zip(data["times"], line["average"], strict=True)
            for moment, value in ((m, v) for m, v in points if m in readings):
                read = readings[moment].get(name)
                assert (value is None) == (read is None), (name, moment)
                if value is not None and read is not None:
                    off = 0.5 if abs(read) >= 100_000 else 0.0005
                    assert abs(value - read) <= off, (name, moment)
                    compared.add(name)
    families = {name.partition(".")[0] for name in compared}
    assert families >= {"cpu", "memory", "load", "fs", "net", "processes"}
    assert len(compared) > 40


def test_the_host_page_draws_those_charts(shown: Shown) -> None:
    page = BeautifulSoup(
        shown.get(f"/monitor/hosts/{shown.host_id}/").text, "html.parser"
    )
    drawn = page.select("[data-chart]")
    assert len(drawn) >= 12
    data = shown.get(str(drawn[0]["data-url"])).json()
    assert {element["data-key"] for element in drawn} == set(data["charts"])


def _row(shown: Shown, **query: str) -> list[str]:
    page = shown.get("/monitor/fleet/", **query).text
    (row,) = BeautifulSoup(page, "html.parser").select("table.fleet tbody tr")
    return [" ".join(cell.get_text(" ").split()) for cell in row.select("td")]


def _number(text: str) -> float:
    found = re.search(r"-?[\d.]+", text.replace(",", ""))
    assert found, text
    return float(found.group())


def test_the_fleet_shows_what_the_agent_read_last(shown: Shown) -> None:
    read = shown.newest
    _name, cpu, memory, load, disk, _seen = _row(shown)
    fullest = max(v for k, v in read.items() if k.startswith("fs.used_percent|"))
    for text, value in (
        (cpu, read["cpu.busy_percent"]),
        (memory, read["memory.used_percent"]),
        (disk, fullest),
    ):
        assert text.endswith("%")
        # Nearly full is never shown as full: 99.7 reads 99.
        assert abs(_number(text) - value) < 1
    assert load == f"{read['load.1']:.2f}"


UNITS = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}


@pytest.mark.parametrize(
    "metric",
    [
        "memory.total_bytes",
        "memory.available_bytes",
        "net.received_bytes_per_second",
        "processes.total",
        "load.15",
        "cpu.system_percent",
    ],
)
def test_a_further_column_shows_it_in_its_unit(shown: Shown, metric: str) -> None:
    of_it = [v for k, v in shown.newest.items() if k.partition("|")[0] == metric]
    text = _row(shown, metric=metric)[5]
    unit = text.partition("\xa0")[2] or text.partition(" ")[2]
    size = UNITS.get(unit.removesuffix("/s"), 1)
    assert _number(text) * size == pytest.approx(max(of_it), rel=0.05, abs=1)
    if metric.endswith("_bytes"):
        assert unit in UNITS
    if metric.endswith("_bytes_per_second"):
        assert unit.endswith("B/s")


def test_the_agent_read_what_the_system_says(shown: Shown) -> None:
    """The other half of the way, by what does not change from one look to the next."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    told = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    read, root = shown.newest, os.statvfs("/")
    assert read["memory.total_bytes"] == told["MemTotal"] * 1024
    assert read["swap.total_bytes"] == told["SwapTotal"] * 1024
    assert read["fs.total_bytes|/"] == root.f_blocks * root.f_frsize
    assert read["fs.inodes_total|/"] == root.f_files
    up = float(Path("/proc/uptime").read_text().split()[0])
    since = time.time() - max(shown.readings) / 1000
    assert read["system.uptime_seconds"] == pytest.approx(up - since, abs=2)
