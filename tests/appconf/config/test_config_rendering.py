"""What a file becomes on a host: with secrets for hosts, with masks for pages, and never with what the reader may not see."""

from __future__ import annotations

import pytest

from accounts.models import User
from appconf.config import rendering
from appconf.config.texts import sha256_of
from tests.app_factories import grant_on, make_environment, make_project
from tests.appconf.config_things import make_file, make_variable, newest
from tests.factories import make_host, make_user

pytestmark = pytest.mark.django_db
TEXT = "host=${ADMINSET_HOSTNAME}/${ADMINSET_ADDRESS}\nenv=${ADMINSET_PROJECT}-${ADMINSET_ENVIRONMENT}\nport=${PORT}\nkey=${KEY}\n"


@pytest.fixture
def environment():
    hosts = [make_host("web1", address="10.9.0.1"), make_host("web2")]
    made = make_environment(make_project("shop"), "live", hosts=hosts)
    make_variable(made.project, "PORT", "80")
    make_variable(hosts[1], "PORT", "81")
    make_variable(made, "KEY", secret="s3cret-word")
    return made


def test_each_host_gets_its_own_text_with_secrets_and_facts(
    admin: User, environment
) -> None:
    file = make_file(admin, environment.project, TEXT)
    hosts = list(environment.all_hosts().order_by("hostname"))
    found = rendering.for_hosts([newest(file)], environment, hosts, reveal=True)
    text = found[0].files[file.pk].text
    assert text == "host=web1/10.9.0.1\nenv=shop-live\nport=80\nkey=s3cret-word\n"
    assert found[0].files[file.pk].sha256 == sha256_of(text)
    assert "port=81" in found[1].files[file.pk].text
    assert found[0].plain == {"KEY": "s3cret-word"}
    assert found[0].files[file.pk].secrets == ("KEY",)
    assert "s3cret-word" not in repr(found)


def test_a_page_shows_masks_and_opens_no_secret(
    admin: User, environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> str:
        raise AssertionError("a secret was opened for a page")

    monkeypatch.setattr("adminset.crypto.Secret.reveal", never)
    file = make_file(admin, environment.project, TEXT)
    shown = rendering.preview(admin, newest(file), environment)
    assert "ADMINSET_HOSTNAME" in shown.problem
    host = environment.all_hosts().get(hostname="web1")
    shown = rendering.preview(admin, newest(file), environment, host)
    assert "key=••••" in shown.text


def test_a_page_hides_what_the_reader_may_not_see(admin: User, environment) -> None:
    file = make_file(admin, environment.project, "a=${A} port=${PORT}")
    make_variable(environment.project.product_line, "A", "of the line")
    reader = make_user("reader")
    grant_on(reader, ["appconf.view_variable"], environment.project)
    shown = rendering.preview(reader, newest(file), environment)
    assert shown.text == "a=•••• port=80"
    nothing = rendering.preview(make_user("nobody"), newest(file), environment)
    assert nothing.text == "a=•••• port=••••"


def test_an_unknown_name_is_a_problem_that_names_file_line_and_name(
    admin: User, environment
) -> None:
    file = make_file(admin, environment.project, "x\n${GONE}\n", name="main")
    shown = rendering.preview(admin, newest(file), environment)
    assert (shown.text, shown.problem) == (
        "",
        "main: Line 2: there is no variable GONE.",
    )


def test_a_host_whose_name_has_unseen_signs_is_a_problem_of_that_host_only(
    admin: User, environment
) -> None:
    evil = make_host("x\nevil = 1")
    environment.hosts.add(evil)
    file = make_file(admin, environment.project, "${ADMINSET_HOSTNAME}")
    hosts = list(environment.all_hosts())
    found = rendering.for_hosts([newest(file)], environment, hosts, reveal=False)
    problems = {each.host.pk: each.problems for each in found}
    assert problems.pop(evil.pk) != []
    assert set(map(bool, problems.values())) == {False}


def test_a_text_that_becomes_too_long_is_a_problem(
    admin: User, environment, settings
) -> None:
    settings.CONFIG_TEXT_BYTES = 50
    make_variable(environment, "LONG", "y" * 60)
    file = make_file(admin, environment.project, "${LONG}")
    assert "longer" in rendering.preview(admin, newest(file), environment).problem
