"""Every page of the menu, in both languages and themes, wide and narrow: opens without a complaint and fits its window."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import reverse

from adminset.menu import MENU
from tests.e2e.conftest import Portal, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("portal")]

LOOKS = {
    "light, English, wide": ("light", "en-US", 1440),
    "dark, Chinese, narrow": ("dark", "zh-CN", 390),
}
# Besides the lists of the menu.
PAGES = [
    "/",
    "/cmdb/hosts/",
    "/cmdb/hosts/add/",
    "/cmdb/hosts/import/",
    "/cmdb/idcs/",
    "/cmdb/cabinets/",
    "/cmdb/credentials/add/",
    "/cmdb/host-groups/add/",
    "/cmdb/subnets/add/",
    "/cmdb/certificates/add/",
    "/cmdb/contracts/add/",
    "/cmdb/custom-fields/add/",
    "/cmdb/costs/report/",
    "/imports/",
    "/system/web-hooks/add/",
    "/cmdb/agents/",
    "/cmdb/agents/?state=waiting",
    "/cmdb/enrolment-tokens/",
    "/cmdb/enrolment-tokens/add/",
    "/monitor/fleet/",
    "/monitor/fleet/?metric=cpu.iowait_percent&sort=-value&state=reporting",
    "/monitor/fleet/map/",
    "/monitor/compare/",
    "/monitor/compare/?host=1&metric=load.1",
    "/monitor/coverage/",
    "/monitor/coverage/?kind=never",
    "/monitor/hosts/1/",
    "/monitor/hosts/1/?range=24h",
    "/monitor/hosts/1/?from=1700000000&to=1700003600",
    "/monitor/dashboards/",
    "/monitor/dashboards/add/",
    "/monitor/dashboards/take/",
    "/tasks/terminal/",
    "/tasks/hosts/1/files/",
    "/tasks/runs/",
    "/tasks/runs/add/",
    "/tasks/runs/add/?kind=script",
    "/tasks/runs/add/?kind=files",
    "/tasks/runs/add/?kind=task_module",
    "/tasks/playbooks/add/",
    "/tasks/scripts/add/",
    "/tasks/ansible-roles/add/",
    "/tasks/git-repositories/add/",
    "/tasks/task-modules/add/",
    "/tasks/workflows/add/",
    "/tasks/approval-rules/add/",
    "/tasks/calendars/add/",
    "/tasks/schedules/add/",
    "/appconf/projects/add/",
    "/appconf/environments/add/",
    "/appconf/dependencies/",
    "/appconf/dependencies/add/",
    "/appconf/packages/add/",
    "/appconf/variables/add/",
    "/appconf/config-files/add/",
    "/appconf/config-versions/",
    "/appconf/pull-tokens/add/",
    "/delivery/pipelines/add/",
    "/delivery/pipeline-templates/add/",
    "/delivery/release-sets/add/",
    "/delivery/deploy-schedules/add/",
    "/delivery/git-hooks/add/",
    "/delivery/follow-ups/",
    "/delivery/follow-ups/add/",
    "/delivery/config-pushes/",
    "/accounts/users/",
    "/accounts/roles/",
    "/accounts/roles/add/",
    "/accounts/grants/",
    "/accounts/grants/add/",
    "/accounts/group-mappings/",
    "/accounts/group-mappings/add/",
    "/accounts/api-tokens/",
    "/accounts/sessions/",
    "/accounts/sign-ins/",
    "/accounts/explain/",
    "/accounts/explain/?user=admin&permission=cmdb.run_host&object=",
    "/accounts/confirm/",
    "/accounts/confirm/?lost=1",
    "/accounts/audit/",
    "/accounts/me/",
    "/accounts/me/password/",
    "/accounts/me/tokens/",
    "/accounts/me/tokens/add/",
    "/accounts/me/second-factor/",
    "/accounts/me/sessions/",
    "/accounts/me/sign-ins/",
    "/system/state/",
    "/system/maintenance/",
    "/search/",
    "/search/?q=vm",
    "/no/such/page/",
]


@pytest.fixture(params=list(LOOKS))
def visitor(request: Any, browser: Any, portal: Portal) -> Iterator[Any]:
    """A signed-in page that looks one way."""
    theme, locale, width = LOOKS[request.param]
    context = browser.new_context(
        base_url=portal.url,
        viewport={"width": width, "height": 900},
        color_scheme=theme,
        locale=locale,
    )
    page = context.new_page()
    complaints: list[str] = []
    page.on(
        "console",
        lambda message: (
            complaints.append(message.text) if message.type == "error" else None
        ),
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    sign_in(page)
    page.complaints, page.width, page.locale = complaints, width, locale
    yield page
    context.close()


@pytest.mark.timeout(480)
def test_every_page_opens_without_a_complaint_and_fits_its_window(visitor: Any) -> None:
    wrong = []
    lists = [reverse(e.url_name) for section in MENU for e in section.entries]
    for address in dict.fromkeys(lists + PAGES):
        visitor.complaints.clear()
        answer = visitor.goto(address)
        visitor.wait_for_load_state("networkidle")
        expected = 404 if "no/such" in address else 200
        if answer.status != expected:
            wrong.append(f"{address}: {answer.status}")
        needed = visitor.evaluate("document.documentElement.scrollWidth")
        if needed > visitor.width:
            wrong.append(f"{address}: {needed} px wide")
        wrong += [
            f"{address}: {text}" for text in visitor.complaints if expected == 200
        ]
    assert wrong == []


def test_the_page_speaks_the_visitors_language(visitor: Any) -> None:
    visitor.goto("/cmdb/hosts/")
    expected = "主机" if visitor.locale == "zh-CN" else "Hosts"
    assert expected in visitor.inner_text("h1")
    assert (
        visitor.evaluate("document.documentElement.lang")
        .lower()
        .startswith(visitor.locale[:2])
    )
