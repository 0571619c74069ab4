"""The search for secrets finds them: else the tests that find none prove nothing."""

import base64
import json
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from tests.canaries import Canaries, command_lines, environments, watched
from tests.e2e.conftest import wait_until

SECRET = 'tit-for-"tat"-4711'
KEY = "-----BEGIN KEY-----\nabcdefghijklmnopqrstuvwxyz\n-----END KEY-----\n"


@pytest.fixture
def canaries() -> Canaries:
    known = Canaries()
    known.add("password", SECRET)
    known.add("key", KEY)
    known.add("token", "0123456789ab." + "x1-_" * 10 + "abc")
    return known


@pytest.mark.parametrize(
    "text",
    [
        f"it is {SECRET}.",
        json.dumps({"password": SECRET}),
        "tit-for-%22tat%22-4711",
        "tit-for-&quot;tat&quot;-4711",
        SECRET.encode().hex(),
        *(base64.b64encode(f"{'a' * n}{SECRET} b".encode()).decode() for n in range(4)),
        base64.urlsafe_b64encode(SECRET.encode()).decode(),
    ],
)
def test_a_secret_is_found_in_every_spelling(canaries: Canaries, text: str) -> None:
    assert canaries.found_in(text.encode()) == {"password"}


def test_a_line_of_a_key_and_the_hidden_half_of_a_token_are_found(
    canaries: Canaries,
) -> None:
    assert canaries.found_in(b"x abcdefghijklmnopqrstuvwxyz x") == {"key"}
    assert canaries.found_in(b"x" + b"x1-_" * 10 + b"abc") == {"token"}
    assert canaries.found_in(b"0123456789ab -----BEGIN KEY-----") == set()


def test_a_leak_names_secret_and_place_and_does_not_show_it(
    canaries: Canaries,
) -> None:
    (leak,) = canaries.leaks([(f"Redis key {SECRET}", SECRET.encode())])
    assert leak.name == "password"
    assert leak.place.startswith("Redis key")
    assert SECRET not in str(leak)
    assert SECRET not in repr(leak)


def test_processes_are_looked_through(canaries: Canaries) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", "input()", SECRET],
        env={"PASSWORD": SECRET},
        stdin=subprocess.PIPE,
    )
    try:
        found = canaries.leaks([*command_lines(), *environments(psutil.Process())])
    finally:
        process.communicate(b"\n")
    places = {leak.place.partition(" of ")[0] for leak in found}
    assert places == {"command line", "environment"}


def test_words_of_a_process_that_are_no_text_are_looked_through(
    canaries: Canaries,
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", "input()", b"\xff\xe4", SECRET],
        env={b"NAME": b"\xff", b"PASSWORD": SECRET.encode()},
        stdin=subprocess.PIPE,
    )
    try:
        with watched(canaries) as seen:
            wait_until("a look", lambda: len(seen.leaks) == 2, 20)
    finally:
        process.communicate(b"\n")
    assert any("\udcff\udce4" in line for line in seen.lines)


def test_a_look_goes_on_when_a_process_ends_under_it(
    canaries: Canaries, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, faults = psutil.process_iter, [FileNotFoundError(2, "stat"), OSError(3, "")]
    faults += [psutil.NoSuchProcess(1)]

    def listed() -> Iterator[psutil.Process]:
        if faults:
            raise faults.pop()
        return whole()

    monkeypatch.setattr(psutil, "process_iter", listed)
    with watched(canaries) as seen:
        wait_until("a look", lambda: not faults and seen.lines, 20)
    assert any("pytest" in line for line in seen.lines)
