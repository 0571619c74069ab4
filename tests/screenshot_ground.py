"""A portal with an application and its deliveries, for pictures: `python -m tests.screenshot_ground FOLDER [NAME ...]`.

Three real sshd, a git repository, workers; deploys that went well, one that was taken back, one that goes on while pictures are taken.
"""

import os
import sys
import time
from pathlib import Path

from tests import screenshots
from tests.e2e.delivery_steps import Repository, own_folders
from tests.farm import SshFarm
from tests.soaks.deploy_parts import DeployPortal
from tests.soaks.record import say, workplace
from tests.tasks.fault_parts import WholePortal
from tests.tasks.portal_things import wait_until

NAMES = ("sh-shop-web01", "sh-shop-web02", "sh-shop-web03")
CONFIG = "listen = 127.0.0.1:8080\nworkers = {workers}\ntimeout = {timeout}\nlog = /var/log/shop/web.log\ndatabase = ${{DB_URL}}\n"
MAKE = """
from accounts.models import User
from appconf.config.versions import keep_text
from appconf.models import ConfigFile, Dependency, Package, Variable
from cmdb.models import Host, ProductLine
from delivery.models import Pipeline, PipelineTemplate, ReleaseSet
from delivery.safety.locks import take_lock
from delivery.triggers.vouching import vouch
from tests.app_factories import make_environment, make_project
from delivery.models import DeploySchedule, GitHook
user = User.objects.get()
hosts = list(Host.objects.order_by("pk"))
for host, name in zip(hosts, given["names"]):
    Host.objects.filter(pk=host.pk).update(hostname=name)
hosts = list(Host.objects.order_by("pk"))
line = ProductLine.objects.create(name="Trade", code="trade")
source = {"source_type": "git", "source_address": given["source"]}
about = {"product_line": line, "language": "python", "owner": "Li Lei", "criticality": "high", "sla": "99.9 %", "ports": "8080", "run_user": ""}
shop = make_project("Web shop", code="shop", deploy_path=given["place"] + "/shop", description="What customers see.", **source, **about)
pay = make_project("Payment", code="pay", deploy_path=given["place"] + "/pay", product_line=line, criticality="critical", **source)
make_project("Search", code="search", deploy_path=given["place"] + "/search", product_line=line, **source)
Dependency.objects.create(project=shop, on_project=pay, kind="calls")
Dependency.objects.create(project=shop, on_host=hosts[0], kind="stores in")
staging = make_environment(shop, "staging", hosts=hosts[:1], by=user, kind="staging", position=1, deploy_path=given["place"] + "/shop-staging")
live = make_environment(shop, "production", hosts=hosts, by=user, kind="production", position=2)
paying = make_environment(pay, "production", hosts=hosts[1:], by=user, kind="production", position=1)
for name, value, where in (("LOG_LEVEL", "info", {"level": "project", "project": shop}), ("LOG_LEVEL", "warning", {"level": "environment", "environment": live}), ("DB_URL", "postgres://db01/shop", {"level": "environment", "environment": live}), ("REGION", "sh", {"level": "line", "product_line": line})):
    Variable.objects.create(name=name, value=value, **where)
Variable.objects.create(name="API_TOKEN", secret="0815-4711", is_secret=True, level="project", project=shop)
file = ConfigFile.objects.create(project=shop, environment=live, name="web", path="/etc/shop/web.conf")
for text, reason in given["texts"]:
    keep_text(actor=user, file=file, text=text, reason=reason)
for name, version in (("openjdk", "17.0.9"), ("nginx", "1.26.1"), ("shop-fonts", "3")):
    Package.objects.create(name=name, version=version, notes="Needed by the web shop.")
stages = [{"kind": "build", "title": "Build", "command": "printf 'built' >made; echo 120 files built"}, {"kind": "check", "title": "Tests", "command": "echo 214 passed"}, {"kind": "distribute"}, {"kind": "activate"}]
way = {"stages": stages, "timeout_seconds": 3600, "policy": "canary", "canary_watch_seconds": 1, "restart": given["restart"], "health_kind": "command", "health_target": given["health"], "health_attempts": 1}
web = Pipeline.objects.create(project=shop, name="web", **way)
paid = Pipeline.objects.create(project=pay, name="api", policy="batches", batches="1 50%")
PipelineTemplate.objects.create(name="Python service", description="Build, tests, canary.")
night = DeploySchedule(name="Nightly to staging", pipeline=web, environment=staging, ref="main", crontab="0 3 * * *", run_as=user)
night.plan_next()
night.save()
vouch(night)
vouch(GitHook.objects.create(name="GitLab: main", pipeline=web, environment=staging, secret="x" * 20, run_as=user))
sets = ReleaseSet.objects.create(name="Spring sale", description="Payment first, then the shop.")
for position, (pipeline, environment) in enumerate(((paid, paying), (web, live)), 1):
    sets.places.create(position=position, pipeline=pipeline, environment=environment, ref="main")
take_lock(actor=user, environment=paying, reason="The bank changes its certificates until 18:00")
"""
ASK = """
from accounts.models import User
from appconf.models import Environment
from delivery.engine.requesting import request_deploy
from delivery.models import Pipeline
from delivery.planning.planning import make_plan
about = {"actor": User.objects.get(), "pipeline": Pipeline.objects.get(name="web"), "environment": Environment.objects.get(name=given["environment"], project__code="shop"), "ref": "main"}
print(request_deploy(**about, plan_hash=make_plan(**about).hash, reason=given["reason"]).pk)
"""


class PicturePortal(DeployPortal):
    """A whole portal in which somebody has worked for a while."""

    def __init__(self, folder: Path, farm: SshFarm, place: Path) -> None:
        # The hosts of these pictures have folders of their own, and another pipeline.
        WholePortal.__init__(self, folder, farm)
        self.place = place
        self.repository = Repository(folder / "repository")

    def fill(self) -> None:
        """Make the rows that people make."""
        self.repository.commit("The first offer", word="well")
        texts = [
            (CONFIG.format(workers=4, timeout=30), "First version"),
            (CONFIG.format(workers=8, timeout=20), "More customers"),
        ]
        wait = f'test "$ADMINSET_ROLLBACK" = 1 || while [ -e {self.gate} ]; do sleep 0.2; done; echo restarted'
        self.do(
            MAKE,
            names=NAMES,
            place=str(self.place),
            source=f"file://{self.repository.folder}",
            texts=texts,
            restart=wait,
            health='grep -q well "$ADMINSET_ROOT/current/word"',
        )

    def deliver(self, environment: str, reason: str, *, wait: bool = True) -> int:
        """Deliver the newest commit."""
        pk = int(self.do(ASK, environment=environment, reason=reason))
        if wait:
            say(f"{reason}: {self.ended(pk)['status']}")
        return pk


def main(folder: Path, names: list[str]) -> int:
    """Start it, fill it, take the pictures; those of these names only, where some are named."""
    os.environ["ADMINSET_LIBRARY_GIT_PROTOCOLS"] = "file"
    os.environ["ADMINSET_ADMIN_PASSWORD"] = "x"
    with workplace() as place, own_folders(len(NAMES), place / "hosts") as (farm, root):
        portal = PicturePortal(place, farm, root)
        try:
            _work(portal)
            pages = screenshots.DELIVERY
            wanted = {name: pages[name] for name in names or pages}
            url = f"http://127.0.0.1:{portal.web_port}"
            screenshots.take(url, folder, wanted, screenshots.WIDTHS)
        finally:
            portal.gate.unlink(missing_ok=True)
            portal.stop()
    return 0


def _work(portal: PicturePortal) -> None:
    portal.run("manage.py", "collectstatic", "--noinput", "--verbosity", "0")
    portal.fill()
    portal.start_web()
    portal.start_worker("pictures@test")
    portal.start_beat()
    portal.deliver("staging", "The first offer")
    portal.deliver("production", "The first offer")
    portal.repository.commit("A bolder offer", word="ill")
    portal.deliver("production", "A bolder offer")
    portal.repository.commit("Mended: prices in cents", word="well again")
    portal.deliver("production", "The bolder offer, mended")
    portal.repository.commit("A banner for the sale", word="well, with a banner")
    portal.gate.touch()
    pk = portal.deliver("production", "The banner", wait=False)
    wait_until(lambda: any(s == "activate running" for s in portal.steps(pk)), 120)
    time.sleep(2)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
