"""Secrets do not show: in a repr, in text, in a stream."""

from __future__ import annotations

from adminset.redaction import MASK, redact
from tasks.redaction import StreamRedactor
from tasks.targets import (
    Login,
    Target,
)


def test_a_login_never_shows_its_secrets() -> None:
    login = Login("root", "pw-1", "key-2", "phrase-3", "sudo", "pw-4")
    target = Target("web1", "10.0.0.1", 22, login, None, {"token": "t-5"})
    for secret in ("pw-1", "key-2", "phrase-3", "pw-4", "t-5"):
        assert secret not in repr(target)
    assert login.secrets() == ["pw-1", "key-2", "phrase-3", "pw-4"]


def test_redaction_finds_plain_json_and_line_forms() -> None:
    key = "-----BEGIN KEY-----\nabcdefghijklmnopqrstuvwxyz\n-----END KEY-----"
    secrets = ['pa"ss\\word', key, "abc", ""]
    text = redact(
        '1 pa"ss\\word 2 pa\\"ss\\\\word 3 abcdefghijklmnopqrstuvwxyz', secrets
    )
    assert text == f"1 {MASK} 2 {MASK} 3 {MASK}"
    assert redact("abc stays: too short to hide", secrets).startswith("abc")


def test_a_secret_in_two_pieces_is_redacted() -> None:
    redactor = StreamRedactor(["hunter2-hunter2"])
    shown = b"".join(redactor.feed(piece) for piece in (b"x hunter2", b"-hunter2 y h"))
    assert shown + redactor.flush() == f"x {MASK} y h".encode()
