"""Every sentence that the scripts of the files page say is given by the server."""

import re
from pathlib import Path

from django.conf import settings

ROOT = Path(settings.BASE_DIR)
# What is said by the state of an upload, and by the name of an act.
BY_NAME = {"waits", "verifying", "stopped", "mode", "waste", "purge"}


def test_every_word_that_a_script_says_is_given_by_the_server() -> None:
    page = ROOT / "templates" / "tasks" / "hostfiles" / "_words.html"
    given = set(re.findall(r"data-([a-z-]+)=", page.read_text()))
    asked = {
        word
        for path in (ROOT / "static" / "files").glob("*.js")
        for word in re.findall(r"\bsay\(\"(\w+)\"", path.read_text())
    }
    named = {re.sub(r"([A-Z])", lambda m: f"-{m[1].lower()}", w) for w in asked}
    assert asked
    assert named | BY_NAME == given - {"files-words"}
