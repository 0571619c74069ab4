"""Web-hooks to chats: each service gets the body and the signature that it documents, and what hosts say stays text."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from accounts.models import User
from adminset import audit, webhook_outbox, webhook_sending
from adminset.models import AuditEntry, WebHook
from adminset.redaction import MASK
from adminset.webhook_chats import LONGEST_BYTES, plain, refusal_in, without_address
from tests.adminset.test_webhooks import (
    PORTAL,
    Make,
    _look_at_web_hooks,
    make,
    receiver,
)
from tests.factories import make_host

__all__ = ["_look_at_web_hooks", "make", "receiver"]
pytestmark = pytest.mark.django_db
SECRET = "SEC-what-the-robot-shows"
CHATS = ["slack", "dingtalk", "wecom", "feishu"]
HOOKS = "/system/web-hooks/"
GOOD = {
    "slack": b"ok",
    "dingtalk": b'{"errcode": 0, "errmsg": "ok"}',
    "wecom": b'{"errcode": 0, "errmsg": "ok"}',
    "feishu": b'{"code": 0, "msg": "success", "data": {}}',
}
HOSTILE = '<!channel> @all [pay](https://evil.example) <at user_id="all">x</at>\n# *a* `b` & \u202e'


def text_of(told: dict[str, Any]) -> str:
    """Give the words of a body, whose form is checked on the way."""
    if "text" in told:
        assert set(told) == {"text"}
        return str(told["text"])
    if told.get("msg_type"):
        assert set(told) - {"timestamp", "sign"} == {"msg_type", "content"}
        assert (told["msg_type"], set(told["content"])) == ("text", {"text"})
        return str(told["content"]["text"])
    assert told["msgtype"] == "markdown"
    marked = told["markdown"]
    if "content" in marked:
        assert (set(told), set(marked)) == ({"msgtype", "markdown"}, {"content"})
        return str(marked["content"])
    assert set(marked) == {"title", "text"}
    assert told["at"] == {"isAtAll": False}
    return str(marked["text"])


def tell(
    hook: WebHook, receiver: Any, said: bytes = b"", **line: Any
) -> tuple[str, dict[str, Any]]:
    """Let the portal tell of a change; gives the path that was asked for, and the body."""
    receiver.says = said or GOOD[hook.format]
    line.setdefault("changes", [{"field": "owner", "old": "", "new": "ann"}])
    audit.record(PORTAL, "host.update", line.pop("host", make_host()), **line)
    webhook_sending.send_due(hook.pk)
    ((headers, body),) = receiver.got
    assert headers["Content-Type"] == "application/json"
    return receiver.paths[0], json.loads(body)


@pytest.mark.parametrize("to", CHATS)
def test_each_service_gets_one_sentence_with_a_link_in_its_own_form(
    make: Make, receiver: Any, settings: Any, to: str
) -> None:
    settings.PORTAL_URL = "https://portal.example/"
    hook, host = make(format=to, secret=None), make_host("web-1")
    changes = [{"field": "owner", "old": "", "new": "Zhang Wei"}]
    path, told = tell(
        hook, receiver, host=host, changes=changes, reason="he moved desks"
    )
    words = text_of(told)
    assert words.startswith("test changed host web-1. Reason: he moved desks.")
    page = f"https://portal.example{host.get_absolute_url()}"
    link = {"slack": f"<{page}|Open the page>", "feishu": f"\n{page}"}
    assert words.endswith(link.get(to, f"[Open the page]({page})"))
    # Nothing is signed where nothing was given to sign with.
    assert (path, "sign" in told) == ("/hook?key=hush", False)
    row = hook.deliveries.get()
    assert (row.state, row.error) == ("sent", "")


def test_dingtalk_gets_time_and_signature_in_the_address(
    make: Make, receiver: Any
) -> None:
    path, _told = tell(make(format="dingtalk", secret=SECRET), receiver)
    asked = {name: one for name, (one,) in parse_qs(urlsplit(path).query).items()}
    assert (asked["key"], len(asked["timestamp"])) == ("hush", 13)
    text = f"{asked['timestamp']}\n{SECRET}".encode()
    mine = hmac.new(SECRET.encode(), text, hashlib.sha256).digest()
    assert base64.b64decode(asked["sign"]) == mine


def test_feishu_gets_time_and_signature_in_the_body(make: Make, receiver: Any) -> None:
    path, told = tell(make(format="feishu", secret=SECRET), receiver)
    assert (path, len(told["timestamp"])) == ("/hook?key=hush", 10)
    key = f"{told['timestamp']}\n{SECRET}".encode()
    assert base64.b64decode(told["sign"]) == hmac.digest(key, b"", "sha256")


@pytest.mark.parametrize("to", CHATS)
def test_what_hosts_and_people_say_mentions_nobody_and_links_nowhere(
    make: Make, receiver: Any, to: str
) -> None:
    host = make_host("h")
    host.hostname = HOSTILE
    hook = make(format=to, secret=None)
    _path, told = tell(hook, receiver, host=host, reason=HOSTILE * 50)
    words = text_of(told)
    for mark in ("@", "](", "<", "`", "*", "\n", "\u202e", "://"):
        assert mark not in words
    assert len(words.encode()) <= LONGEST_BYTES
    assert "evil.example" in words


def test_only_slack_reads_entities() -> None:
    assert plain("a < b & c", "slack") == "a &lt; b &amp; c"
    assert plain("a < b & c", "wecom") == "a ＜ b ＆ c"
    assert len(plain("x" * 900, "feishu")) == 400


@pytest.mark.parametrize(
    ("to", "said", "words"),
    [
        ("dingtalk", b'{"errcode": 310000, "errmsg": "sign not match"}', "310000"),
        ("wecom", b'{"errcode": 93000, "errmsg": "invalid webhook url"}', "93000"),
        ("feishu", b'{"code": 19021, "msg": "sign match fail"}', "19021"),
        ("feishu", b'{"code": "0", "msg": "?"}', "code 0"),
        ("wecom", b"<html>welcome</html>", "none of this service"),
        ("dingtalk", b"[0]", "none of this service"),
        ("feishu", b'{"code": false}', "code False"),
        pytest.param("dingtalk", b"[" * 5000, "none of this service", id="deep"),
    ],
)
def test_an_answer_200_that_says_an_error_is_a_failure_and_is_shown(
    make: Make, receiver: Any, to: str, said: bytes, words: str
) -> None:
    hook = make(format=to, secret=None)
    tell(hook, receiver, said)
    row = hook.deliveries.get()
    assert (row.state, row.status) == ("waiting", 200)
    assert words in row.error
    hook.refresh_from_db()
    assert hook.failures == 1


def test_words_of_an_answer_are_bounded_and_show_no_secret(make: Make) -> None:
    hook = make(format="dingtalk", secret="robot secret 1234567")
    hook.refresh_from_db()
    sealed: Any = hook.secret
    assert sealed.reveal() == "robot secret 1234567"
    said = {"errcode": 1, "errmsg": "robot secret 1234567 " + "x" * 900}
    told = refusal_in(json.dumps(said).encode(), "dingtalk")
    assert "robot secret" not in told
    assert len(told) < 300


def test_an_answer_does_not_show_the_address_that_lets_anybody_write() -> None:
    address = "https://chat.example/robot/send/T0AAAAAAA?key=0815-4711-secret"
    words = "refused: /robot/send/T0AAAAAAA key 0815-4711-secret"
    told = without_address(words, address)
    assert told == f"refused: /robot/send/{MASK} key {MASK}"


def a_form(**values: Any) -> dict[str, Any]:
    plain_form = {"name": "chat", "kinds": ["cmdb.host"], "verbs": ["update"]}
    return {**plain_form, "format": "wecom", "active": "on", **values}


def test_of_a_chat_only_the_host_is_kept_open(client_of: Any, admin: User) -> None:
    client = client_of(admin)
    url = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=hush-hush-hush"
    assert client.post(f"{HOOKS}add/", a_form(url=url)).status_code == 302
    hook = WebHook.objects.get()
    assert (hook.url, hook.address) == ("https://qyapi.weixin.qq.com/", url)
    for page in (f"{HOOKS}{hook.pk}/", f"{HOOKS}{hook.pk}/edit/", HOOKS):
        assert "hush-hush" not in client.get(page).content.decode()
    assert (
        "hush-hush" not in client.get(f"/api/v1/web-hooks/{hook.pk}/").content.decode()
    )
    edit = f"{HOOKS}{hook.pk}/edit/"
    # The host alone leaves the rest as it is; another host gets nothing of it.
    client.post(edit, a_form(url=hook.url, name="ours"))
    assert WebHook.objects.get().address == url
    answer = client.post(edit, a_form(url="https://evil.example/"))
    assert "Give the whole address" in answer.content.decode()
    assert WebHook.objects.get().address == url
    client.post(edit, a_form(url=f"{url}-2"))
    assert WebHook.objects.get().address == f"{url}-2"
    line = AuditEntry.objects.filter(verb="webhook.update").latest("pk")
    assert [one["field"] for one in line.changes][-1] == "url_secret"
    assert "hush-hush" not in str(list(AuditEntry.objects.values_list("changes")))
    sealed = {"format": "generic", "url": WebHook.objects.get().url}
    client.post(edit, a_form(**sealed, secret="a secret of sixteen signs"))
    assert WebHook.objects.get().address == "https://qyapi.weixin.qq.com/"


def test_a_test_is_in_the_form_of_the_chat(
    client_of: Any, admin: User, make: Make, receiver: Any
) -> None:
    hook = make(format="feishu", secret=None)
    receiver.says = GOOD["feishu"]
    said = client_of(admin).post(f"{HOOKS}{hook.pk}/test/", follow=True)
    assert "The receiver took the message." in said.content.decode()
    assert "works" in text_of(json.loads(receiver.got[0][1]))


def test_of_a_generic_web_hook_nothing_is_read_in_the_answer(
    make: Make, receiver: Any
) -> None:
    hook = make()
    receiver.says = b'{"errcode": 1}'
    audit.record(PORTAL, "host.update", make_host(), changes=[{"field": "x"}])
    assert webhook_sending.send_due(hook.pk) == 1
    assert webhook_outbox.what(AuditEntry(verb="host.create")) == "create"
