"""What a User-Agent is called."""

import pytest

from accounts.browsers import in_words

MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)"
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"
ANDROID = "Mozilla/5.0 (Linux; Android 14; Pixel 8)"
WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (f"{WINDOWS} Gecko/20100101 Firefox/140.0", "Firefox, Windows"),
        (f"{WINDOWS} {WEBKIT} Chrome/138.0.0.0 Safari/537.36", "Chrome, Windows"),
        (f"{WINDOWS} {WEBKIT} Chrome/138.0 Safari/537.36 Edg/138.0", "Edge, Windows"),
        (f"{MAC} AppleWebKit/605.1.15 Version/18.5 Safari/605.1.15", "Safari, macOS"),
        (f"{ANDROID} {WEBKIT} Chrome/138.0 Mobile Safari/537.36", "Chrome, Android"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) CriOS/138.0 Safari/604.1",
            "Chrome, iOS",
        ),
        (f"{WINDOWS} {WEBKIT} Chrome/116.0 Safari/537.36 OPR/102.0", "Opera, Windows"),
        (f"{ANDROID} {WEBKIT} Chrome/116.0 MicroMessenger/8.0", "WeChat, Android"),
        ("curl/8.5.0", "curl"),
        ("", "not known"),
        ("   ", "not known"),
        ("<script>alert(1)</script>", "another browser"),
    ],
)
def test_a_browser_is_called_as_people_call_it(user_agent: str, words: str) -> None:
    assert in_words(user_agent) == words
