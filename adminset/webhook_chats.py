"""Messages to chats, in the form that each service documents (docs/webhooks.md): one plain sentence, and the link to the page.

What comes from data is text and nothing else: it mentions nobody, links nowhere, and is bounded.
"""

import base64
import hashlib
import hmac
import json
import re
import unicodedata
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from adminset.models import AuditEntry
from adminset.redaction import MASK, clean
from adminset.webhook_models import WebHook
from adminset.webhook_subjects import NOTHING, Subject, address_of
from adminset.words import VERBS, type_words, verb_words

Format = WebHook.Format
# WeCom takes 4096 bytes; the link comes to these.
LONGEST_BYTES = 3000
LONGEST_NAME, LONGEST_WORDS = 200, 400
LONGEST_ANSWER = 200
# Shorter parts of an address (send, v2, hook) are no secret.
LEAST_PART = 8
# No service documents how these are escaped in its markup: they give way to signs that look alike and mean nothing.
LOOK_ALIKE = str.maketrans("@[]*`\\|<>&~#!", "＠［］＊｀＼｜＜＞＆～＃！")
OF_SLACK = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
SLACK_ALIKE = str.maketrans("@[]*`\\|~", "＠［］＊｀＼｜～")


def plain(text: str, to: str, most: int = LONGEST_WORDS) -> str:
    """Give a text of anybody as text of a chat: one line, bounded, without marks, mentions and addresses that could be pressed."""
    told = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in text)
    told = " ".join(told.split())
    told = f"{told[: most - 1]}…" if len(told) > most else told
    told = told.replace("://", "：//")
    if to == Format.SLACK:
        return told.translate(SLACK_ALIKE).translate(OF_SLACK)
    return told.translate(LOOK_ALIKE)


def chat_body(entry: AuditEntry, subject: Subject | None, to: str) -> str:
    """Write the message of a line of the trail for a service, in the portal's language."""
    with translation.override(settings.LANGUAGE_CODE):
        return body_for(sentence(entry, subject or NOTHING, to), address_of(entry), to)


def trial_body(to: str) -> str:
    """Write a message that tells of nothing."""
    return body_for(_("A test of the portal: this web-hook works."), "", to)


def sentence(entry: AuditEntry, subject: Subject, to: str) -> str:
    """Say what happened to what, who did it, how it stands, and why."""
    what = str(verb_words(entry.verb))
    if entry.verb not in VERBS and entry.target_type:
        what = f"{what} {type_words(entry.target_type)}"
    told = {
        "who": plain(entry.actor_name, to, LONGEST_NAME),
        "what": what,
        "name": plain(entry.target_name, to, LONGEST_NAME),
    }
    parts = [_("%(who)s %(what)s %(name)s.") % told]
    rest = (
        (_("State: %(words)s."), subject.state),
        (_("Asked for by %(words)s."), subject.who),
        (_("Reason: %(words)s."), entry.reason or subject.reason),
        ("%(words)s", subject.why),
    )
    for pattern, words in rest:
        if said := plain(clean(words), to).rstrip("."):
            parts.append(pattern % {"words": said})
    return _cut(" ".join(parts))


def _cut(text: str) -> str:
    return text.encode()[:LONGEST_BYTES].decode(errors="ignore")


def body_for(text: str, url: str, to: str) -> str:
    """Put a sentence and a link of ours into the body that a service takes."""
    link = f"[{_('Open the page')}]({url})" if url else ""
    told: dict[str, Any]
    if to == Format.SLACK:
        told = {"text": f"{text} <{url}|{_('Open the page')}>" if url else text}
    elif to == Format.DINGTALK:
        marked = {"title": text[:60], "text": f"{text}\n\n{link}".strip()}
        told = {"msgtype": "markdown", "markdown": marked, "at": {"isAtAll": False}}
    elif to == Format.WECOM:
        marked = {"content": f"{text}\n{link}".strip()}
        told = {"msgtype": "markdown", "markdown": marked}
    else:
        told = {"msg_type": "text", "content": {"text": f"{text}\n{url}".strip()}}
    return json.dumps(told, ensure_ascii=False)


def signed_address(url: str, to: str, secret: str, now: float) -> str:
    """Add what DingTalk wants to an address: the time (milliseconds) and its signature; others get theirs as it is."""
    if to != Format.DINGTALK or not secret:
        return url
    moment = str(int(now * 1000))
    sign = _sign(secret.encode(), f"{moment}\n{secret}".encode())
    between = "&" if "?" in url else "?"
    return f"{url}{between}{urlencode({'timestamp': moment, 'sign': sign})}"


def signed_body(body: str, to: str, secret: str, now: float) -> bytes:
    """Add what Feishu wants to a body: the time (seconds) and its signature; others get theirs as it is."""
    if to != Format.FEISHU or not secret:
        return body.encode()
    moment = str(int(now))
    # Its documentation makes the text the key, and signs nothing.
    sign = _sign(f"{moment}\n{secret}".encode(), b"")
    told = {"timestamp": moment, "sign": sign} | json.loads(body)
    return json.dumps(told, ensure_ascii=False).encode()


def _sign(key: bytes, text: bytes) -> str:
    return base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()


# Where a service says in the body of its answer how it went, and in which words.
CODES: Mapping[str, tuple[str, str]] = {
    Format.DINGTALK: ("errcode", "errmsg"),
    Format.WECOM: ("errcode", "errmsg"),
    Format.FEISHU: ("code", "msg"),
}


def refusal_in(body: bytes, to: str) -> str:
    """Say what an answer with status 2xx complains of; "" where the service took the message."""
    if to not in CODES:
        return ""
    code_name, words_name = CODES[to]
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict) or code_name not in told:
        return "The answer is none of this service: see that the address is right."
    if told[code_name] == 0 and told[code_name] is not False:
        return ""
    # The words are the receiver's: they may repeat what was sent to it.
    words = clean(plain(str(told.get(words_name, "")), to, LONGEST_ANSWER))
    code = plain(str(told[code_name]), to, 20)
    return f"The receiver refused it with code {code}: {words}"


def without_address(words: str, address: str) -> str:
    """Take those parts of a chat's address out of a sentence that let anybody write there: a receiver may say them back."""
    parts = urlsplit(address)
    for part in re.split(r"[/?&=]", f"{parts.path}?{parts.query}"):
        if len(part) >= LEAST_PART:
            words = words.replace(part, MASK)
    return words
