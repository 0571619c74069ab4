"""Secrets do not stand in logs: not in a message, an argument, an error, a chained error, a task's failure, an object's words."""

import io
import logging
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from celery import shared_task
from django.http import QueryDict
from django.test import Client
from django.urls import reverse

from accounts.models import User
from adminset import crypto
from adminset.celery import app
from adminset.crypto import Secret
from adminset.logs import LineFormatter, RequestFilter
from adminset.redaction import MASK, KnownSecrets, clean, redact
from cmdb.forms.credentials import CredentialForm
from cmdb.models import Credential

ROOT = Path(__file__).resolve().parents[2]
MARKER = "marker <5ecret> & \"more\" 'quotes'\\"
logger = logging.getLogger("somebody")


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the portal's own handler writes."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    handler.addFilter(RequestFilter())
    handler.setFormatter(LineFormatter())
    logging.getLogger().addHandler(handler)
    yield text
    logging.getLogger().removeHandler(handler)


@pytest.fixture
def opened() -> str:
    """A secret that this process has opened."""
    return Secret(crypto.encrypt(MARKER, "x"), "x").reveal()


def fails(words: str) -> None:
    raise ConnectionError(f"cannot sign in with {words}")


def hidden(log: io.StringIO) -> bool:
    text = log.getvalue()
    return MASK in text and "5ecret" not in text


def test_message_and_arguments_are_masked(log: io.StringIO, opened: str) -> None:
    logger.warning("it is %s", opened)
    logger.warning("it is %r", {"x": opened})
    logger.warning("it is " + opened)  # noqa: G003 - what others may write
    assert hidden(log)
    assert log.getvalue().count("\n") == 3


def test_an_error_and_the_one_behind_it_are_masked(
    log: io.StringIO, opened: str
) -> None:
    try:
        try:
            fails(opened)
        except ConnectionError as error:
            raise ValueError(f"no luck: {opened}") from error
    except ValueError:
        logger.exception("failed")
    assert hidden(log)
    assert "ConnectionError: cannot sign in with" in log.getvalue()
    assert "direct cause" in log.getvalue()


def test_a_traceback_that_another_handler_wrote_down_is_masked(
    log: io.StringIO, opened: str
) -> None:
    record = logger.makeRecord("a", logging.ERROR, "f", 1, "m", (), None)
    record.exc_text = f"ConnectionError: {opened}"
    logger.handle(record)
    assert hidden(log)


@shared_task(name="tests.fails")
def fail_in_a_worker() -> None:
    """Fail with a secret in the error."""
    fails(MARKER)


@pytest.mark.django_db
def test_the_failure_of_a_task_is_logged_without_secrets(
    log: io.StringIO, opened: str
) -> None:
    result = fail_in_a_worker.apply()
    assert result.failed()
    assert "tests.fails" in log.getvalue()
    assert hidden(log)
    assert app.conf.worker_hijack_root_logger is False


@pytest.mark.django_db
def test_a_page_that_breaks_is_logged_without_secrets(
    log: io.StringIO,
    opened: str,
    admin: User,
    client_of: Callable[[User], Client],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("adminset.health.state", lambda: fails(opened))
    client = client_of(admin)
    client.raise_request_exception = False
    answer = client.get(reverse("system_state"))
    assert answer.status_code == 500
    assert "5ecret" not in answer.content.decode()
    assert "Internal Server Error" in log.getvalue()
    assert hidden(log)


@pytest.mark.django_db
def test_objects_that_are_logged_show_no_secret(log: io.StringIO, admin: User) -> None:
    sent = QueryDict(mutable=True)
    sent.update({"name": "c", "username": "root", "port": "22", "password": MARKER})
    form = CredentialForm(data=sent, user=admin)
    form.is_valid()
    row = Credential(name="c", password="a plain one 5ecret")
    for shown in (sent, form, form.data, row, vars(row)):
        logger.warning("%r", shown)
    logger.warning("%s", form.errors)
    assert hidden(log)


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer 5ecret-5ecret",
        "Authorization: Basic 5ecret",
        "sent Bearer 5ecret-5ecret to us",
        "-----BEGIN OPENSSH PRIVATE KEY-----\n5ecret\n-----END OPENSSH PRIVATE KEY-----",
        "-----BEGIN RSA PRIVATE KEY-----\\n5ecret, cut off",
        "mysql -u root --password=5ecret -h db",
        "{'become_password': ['5ecret'], 'a': ['b']}",
        '{"passphrase": "it\\"s 5ecret", "a": 1}',
        "GET /legacy?token=5ecret&host=a",
        "redis://:5ecret@127.0.0.1:6379/0",
        "Set-Cookie: sessionid=5ecret; Path=/",
        "0123456789ab." + "5ecret" * 7 + "x",
        "0123456789abcdef" * 2 + "." + "5ecret" * 7 + "x",
        "private_key => '5ecret'",
    ],
)
def test_what_looks_like_a_secret_is_masked_though_nobody_knows_it(text: str) -> None:
    assert "5ecret" not in clean(text)
    assert MASK in clean(text)


@pytest.mark.parametrize(
    "text",
    [
        "api token 0123456789ab was used from 10.0.0.1",
        "sudo: a password is required",
        "Permission denied (publickey,password).",
        "https://example.com:8080/path 12:30:59 a@b.c",
        "run 7: the command on web-1 could not be followed",
    ],
)
def test_other_words_stay_as_they_are(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "a.-" * 40_000,
        "token='" * 20_000,
        "token=['a', " * 10_000,
        "://a:" * 20_000,
        "-----BEGIN " * 10_000,
    ],
)
def test_a_hostile_text_costs_no_more_than_its_length(text: str) -> None:
    began = time.process_time()
    clean(text)
    assert time.process_time() - began < 2


def test_a_secret_is_found_in_every_spelling() -> None:
    text = f"{MARKER!r} marker &lt;5ecret&gt; &amp; &quot;more&quot; &#x27;quotes&#x27;\\ marker+%3C5ecret%3E+%26+%22more%22+%27quotes%27%5C"
    assert "5ecret" not in redact(text, [MARKER])


def test_only_the_last_values_are_remembered_and_short_ones_never() -> None:
    known = KnownSecrets(most=2)
    for value in ("first-one", "second-one", "first-one", "third-one", "root", "  a  "):
        known.add(value)
    text = "first-one second-one third-one root"
    assert known.mask(text) == f"{MASK} second-one {MASK} root"


def test_uvicorns_own_handlers_do_not_write_past_the_masks() -> None:
    code = (
        "import logging, uvicorn, django; uvicorn.Config('adminset.asgi:application').load();"
        "logging.getLogger('uvicorn.error').error('password=5ecret');"
        "assert not logging.getLogger('uvicorn').handlers;"
        "assert not logging.getLogger('uvicorn.access').hasHandlers()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert f"uvicorn.error request=- password={MASK}" in done.stderr
    assert "5ecret" not in done.stderr
