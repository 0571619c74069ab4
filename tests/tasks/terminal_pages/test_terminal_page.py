"""The page of terminals: who comes in, which hosts it offers, and that a link from elsewhere opens nothing."""

import json
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from cmdb.models import Credential, Host, Tag
from tasks.models import TerminalSession
from tests.factories import grant, make_host

PAGE = "/tasks/terminal/"


def config_of(answer: Any) -> dict[str, Any]:
    """Read what the page tells its scripts."""
    assert answer.status_code == 200, answer.content[:500]
    found = re.search(
        r'<script id="terminal-config" type="application/json">(.*?)</script>',
        answer.content.decode(),
    )
    assert found is not None
    return dict(json.loads(found[1]))


@pytest.fixture
def credential(db: None) -> Credential:
    """A credential that the operator may use."""
    return Credential.objects.create(name="ops key", username="ops", password="x")


@pytest.fixture
def host(group: Any, credential: Credential) -> Host:
    """A host of the operator's group."""
    return make_host("web1", groups=[group], credential=credential)


def test_a_host_of_ones_own_opens_at_once_when_a_page_of_ours_led_there(
    browser: Client, host: Host
) -> None:
    config = config_of(
        browser.get(
            PAGE,
            {"host": host.pk},
            headers={"referer": "http://testserver/cmdb/hosts/"},
        )
    )
    assert config["auto"] is True
    assert [(each["name"], each["credential"]) for each in config["hosts"]] == [
        ("web1", "ops key")
    ]


@pytest.mark.parametrize("referrer", ["", "https://evil.example/"])
def test_a_link_from_elsewhere_opens_nothing_by_itself(
    browser: Client, host: Host, referrer: str
) -> None:
    headers = {"referer": referrer} if referrer else {}
    assert config_of(browser.get(PAGE, {"host": host.pk}, headers=headers))["auto"] is (
        False
    )
    assert not TerminalSession.objects.exists()


def test_a_critical_host_asks_for_a_reason_first(
    browser: Client, host: Host, settings: Any
) -> None:
    settings.RUN_CRITICAL_TAGS = ["production"]
    host.tags.add(Tag.objects.create(name="production"))
    own = {"referer": "http://testserver/cmdb/hosts/"}
    config = config_of(browser.get(PAGE, {"host": host.pk}, headers=own))
    assert config["auto"] is False
    assert "production" in config["hosts"][0]["critical"]


def test_a_host_without_a_credential_says_so(browser: Client, host: Host) -> None:
    Host.objects.filter(pk=host.pk).update(credential=None)
    own = {"referer": "http://testserver/cmdb/hosts/"}
    config = config_of(browser.get(PAGE, {"host": host.pk}, headers=own))
    assert config["auto"] is False
    assert "has no credential" in config["hosts"][0]["problem"]


def test_a_host_of_another_group_is_not_offered(
    browser: Client, host: Host, other_group: Any
) -> None:
    other = make_host("db1", groups=[other_group])
    config = config_of(browser.get(PAGE, {"host": [host.pk, other.pk]}))
    assert [each["name"] for each in config["hosts"]] == ["web1"]


def test_a_host_that_may_only_be_seen_is_not_offered(
    browser: Client, worker: Any, other_group: Any
) -> None:
    grant(worker, ["cmdb.view_host"], [other_group])
    other = make_host("db1", groups=[other_group])
    config = config_of(browser.get(PAGE, {"host": other.pk}))
    assert config["hosts"] == []
    assert config["lost"] is True


def test_a_group_gives_its_hosts(browser: Client, host: Host, group: Any) -> None:
    make_host("web2", groups=[group])
    config = config_of(browser.get(PAGE, {"group": group.pk}))
    assert [each["name"] for each in config["hosts"]] == ["web1", "web2"]
    assert config["auto"] is False


def test_only_who_may_type_to_several_gets_a_common_word(
    browser: Client, worker: Any, host: Host
) -> None:
    assert config_of(browser.get(PAGE, {"host": host.pk}))["together"] == ""
    grant(worker, ["tasks.together_terminalsession"])
    assert len(config_of(browser.get(PAGE, {"host": host.pk}))["together"]) == 43


def test_who_may_open_no_terminal_does_not_come_in(
    client_of: Any, host: Host, stranger: Any
) -> None:
    page = client_of(stranger)
    for where in (PAGE, f"/tasks/hosts/{host.pk}/terminal/", "/tasks/terminal/hosts/"):
        assert page.get(where).status_code == 403
    for where in ("/tasks/terminal/chosen/", "/tasks/terminal/open/"):
        assert page.post(where, {"pk": [host.pk], "host": host.pk}).status_code == 403
    assert not TerminalSession.objects.exists()


def test_a_name_that_is_hostile_stays_text(browser: Client, group: Any) -> None:
    other = make_host("</script><b>x", groups=[group])
    answer = browser.get(PAGE, {"host": other.pk})
    assert config_of(answer)["hosts"][0]["name"] == "</script><b>x"
    assert b"</script><b>x" not in answer.content


def test_who_is_not_signed_in_is_led_to_the_door(client: Client, db: None) -> None:
    assert "/sign-in/" in client.get(PAGE)["Location"]


def test_the_page_shows_without_a_fresh_proof_and_opens_nothing_without_one(
    browser: Client, host: Host
) -> None:
    session = browser.session
    session["proved_at"] = 0
    session.save()
    assert browser.get(PAGE, {"host": host.pk}).status_code == 200
    assert browser.get("/tasks/terminal/hosts/").status_code == 200
    chosen = browser.post("/tasks/terminal/chosen/", {"pk": [host.pk]})
    assert chosen["Location"] == f"{PAGE}?host={host.pk}"
    answer = browser.post(
        reverse("tasks:terminal_open"),
        {"host": host.pk},
        headers={"accept": "application/json"},
    )
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "proof_needed"
    assert not TerminalSession.objects.exists()


def test_ways_lead_to_the_page(browser: Client, host: Host, group: Any) -> None:
    where = f"/tasks/hosts/{host.pk}/terminal/"
    assert browser.get(where)["Location"] == f"{PAGE}?host={host.pk}"
    where = f"/tasks/host-groups/{group.pk}/terminal/"
    assert browser.get(where)["Location"] == f"{PAGE}?group={group.pk}"
    other = make_host("web2", groups=[group])
    chosen = browser.post("/tasks/terminal/chosen/", {"pk": [host.pk, other.pk]})
    assert chosen["Location"] == f"{PAGE}?host={host.pk}&host={other.pk}"


def test_a_host_that_is_out_of_sight_leads_nowhere(
    browser: Client, other_group: Any
) -> None:
    other = make_host("db1", groups=[other_group])
    assert browser.get(f"/tasks/hosts/{other.pk}/terminal/").status_code == 404
    chosen = browser.post("/tasks/terminal/chosen/", {"pk": [other.pk]})
    assert chosen.status_code == 403


def test_each_row_of_the_host_list_has_a_terminal_button(
    browser: Client, host: Host, client_of: Any, auditor: Any
) -> None:
    page = browser.get("/cmdb/hosts/").content.decode()
    assert f'href="/tasks/hosts/{host.pk}/terminal/"' in page
    assert "Terminal: web1" in page
    page = browser.get(f"/cmdb/hosts/{host.pk}/").content.decode()
    assert f'href="/tasks/hosts/{host.pk}/terminal/" target="_blank"' in page
    page = client_of(auditor).get("/cmdb/hosts/").content.decode()
    assert "/terminal/" not in page


def test_hosts_for_a_further_terminal_are_found_by_name_and_address(
    browser: Client, host: Host, other_group: Any
) -> None:
    make_host("web-of-others", groups=[other_group])
    answer = browser.get("/tasks/terminal/hosts/", {"q": "WEB"}).json()
    assert [each["name"] for each in answer["hosts"]] == ["web1"]
    answer = browser.get("/tasks/terminal/hosts/", {"q": host.address}).json()
    assert [each["name"] for each in answer["hosts"]] == ["web1"]


def test_many_hosts_cost_no_more_queries(
    browser: Client, host: Host, group: Any
) -> None:
    browser.get(PAGE, {"group": group.pk})
    with CaptureQueriesContext(connection) as few:
        browser.get(PAGE, {"group": group.pk})
    for number in range(10):
        make_host(f"more{number}", groups=[group], credential=host.credential)
    with CaptureQueriesContext(connection) as many:
        browser.get(PAGE, {"group": group.pk})
    assert len(many) == len(few)


def test_a_group_of_thousands_is_cut_and_says_so(
    browser: Client, group: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.terminal_pages.choosing.MOST_LISTED", 2)
    for number in range(4):
        make_host(f"web{number}", groups=[group])
    config = config_of(browser.get(PAGE, {"group": group.pk}))
    assert (len(config["hosts"]), config["more"]) == (2, True)
