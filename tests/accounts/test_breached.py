"""Passwords that are known from breaches: found in a sorted file, and a file that is no such list stops the start."""

import hashlib
import io
import random
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.urls import reverse

from accounts import breached
from accounts.models import User
from tests.factories import PASSWORD

KNOWN = "swordfish and chips"
NEW = "quite another long secret"


def line(password: str, end: str = "\r\n") -> str:
    """Write a password as the list writes it."""
    digest = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest()
    return f"{digest.upper()}:{random.Random(password).randint(1, 10**7)}{end}"  # noqa: S311 - a count


@pytest.fixture
def listed(tmp_path: Path, settings: Any) -> Path:
    """A list with 2,000 passwords, one of which is KNOWN."""
    file = tmp_path / "breached.txt"
    words = [KNOWN, *(f"password {n}" for n in range(1999))]
    file.write_text("".join(sorted(line(word) for word in words)), newline="")
    settings.BREACHED_PASSWORDS = str(file)
    return file


def test_every_password_of_the_list_is_found_and_no_other(listed: Path) -> None:
    assert breached.is_breached(KNOWN)
    assert all(breached.is_breached(f"password {n}") for n in range(1999))
    assert not any(breached.is_breached(f"another {n}") for n in range(2000))


@pytest.mark.parametrize("size", [0, 1, 2, 3])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_short_lists_are_searched_to_both_ends(size: int, end: str) -> None:
    words = [f"word {n}" for n in range(size)]
    file = io.BytesIO("".join(sorted(line(w, end) for w in words)).encode())
    for word in (*words, "missing"):
        digest = line(word, "")[:40].encode()
        assert breached.holds(file, digest) is (word in words)


def test_lower_case_and_a_last_line_without_an_end_are_read(
    tmp_path: Path, settings: Any
) -> None:
    text = "".join(sorted(line(w, "\n") for w in (KNOWN, "a", "b"))).lower().rstrip()
    (tmp_path / "list").write_text(text)
    settings.BREACHED_PASSWORDS = str(tmp_path / "list")
    assert all(breached.is_breached(word) for word in (KNOWN, "a", "b"))
    assert breached.check_list() == []


def test_a_look_up_reads_a_few_lines_of_a_big_file() -> None:
    class Big(io.RawIOBase):
        """A sorted list of 2^32 lines that is nowhere: each line is made as it is read."""

        size, place, reads = 2**32 * 43, 0, 0

        def seek(self, place: int, whence: int = 0) -> int:
            self.place = self.size if whence == 2 else place
            return self.place

        def tell(self) -> int:
            return self.place

        def readline(self, limit: int | None = -1) -> bytes:
            self.reads += 1
            if self.place >= self.size:
                return b""
            number, column = divmod(self.place, 43)
            self.place = (number + 1) * 43
            return (b"%08X%032X:1\n" % (number, 0))[column:]

    file = Big()
    assert breached.holds(file, b"%08X%032X" % (0xDEADBEEF, 0))  # type: ignore[arg-type]
    assert not breached.holds(file, b"%08X%032X" % (0xDEADBEEF, 1))  # type: ignore[arg-type]
    assert file.reads < 200


@pytest.mark.django_db
def test_a_password_of_the_list_is_refused_in_a_plain_sentence(
    client_of, stranger: User, listed: Path
) -> None:
    data = {"old_password": PASSWORD, "password": KNOWN, "repeat": KNOWN}
    answer = client_of(stranger).post(reverse("accounts:password_change"), data)
    assert answer.status_code == 422
    assert "known from a breach" in str(answer.context["form"].errors["password"])
    stranger.refresh_from_db()
    assert stranger.check_password(PASSWORD)


@pytest.mark.django_db
def test_without_a_list_it_is_as_before(client_of, stranger: User) -> None:
    client, page = client_of(stranger), reverse("accounts:password_change")
    assert "breach" not in client.get(page).content.decode()
    data = {"old_password": PASSWORD, "password": KNOWN, "repeat": KNOWN}
    assert client.post(page, data).status_code == 302


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("text", "number"),
    [
        (None, "accounts.E001"),
        ("", "accounts.E002"),
        ("hunter2\nswordfish\n", "accounts.E002"),
        ("x" * 100_000, "accounts.E002"),
        (line("c") + line("a") + line("b") + line("d"), "accounts.E003"),
    ],
)
def test_a_file_that_is_no_sorted_list_stops_the_start(
    tmp_path: Path, settings: Any, text: str | None, number: str
) -> None:
    file = tmp_path / "list"
    if text is not None:
        file.write_text(text)
    settings.BREACHED_PASSWORDS = str(file)
    with pytest.raises(SystemCheckError) as error:
        call_command("check")
    assert number in str(error.value)
    assert "HINT" in str(error.value)


def test_a_list_that_goes_away_later_holds_up_nobody(
    listed: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert breached.check_list() == []
    listed.unlink()
    assert not breached.is_breached(KNOWN)
    assert "not held against" in caplog.text
    assert KNOWN not in caplog.text
