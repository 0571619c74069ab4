"""A page of terminals in the browser, as a test drives it: open, type, paste, read the screen."""

import json
from pathlib import Path
from typing import Any

from tests.farm import SshFarm

# Puts the servers of a farm into the CMDB, their keys accepted; the secret is read from its file, not from the command line.
MAKE_HOSTS = """
import json, sys
from pathlib import Path
from cmdb.models import Credential, Host
told = json.loads(Path({told!r}).read_text())
login = {{"username": told["user"], "private_key": Path(told["key"]).read_text()}}
key, _ = Credential.objects.update_or_create(name="terminals", defaults=login)
for name, address, port, host_key in told["hosts"]:
    at = {{"address": address, "ssh_port": port, "credential": key, "host_key": host_key}}
    host, _ = Host.objects.update_or_create(hostname=name, defaults=at)
    print("made", host.pk)
"""
MAKE_USER = """
from accounts.models import User
User.objects.create_user({name!r}, {password!r}, is_superuser=True)
"""
ACTIVE = "window.adminsetTerminals.active"


def make_hosts(portal: Any, farm: SshFarm, told: Path) -> list[int]:
    """Make them; give their keys in the CMDB."""
    hosts = [(f"terminal-{h.name}", h.address, h.port, h.host_key) for h in farm.hosts]
    told.write_text(
        json.dumps({"user": farm.user, "key": str(farm.client_key), "hosts": hosts})
    )
    said = portal.manage("shell", "-c", MAKE_HOSTS.format(told=str(told)))
    return [int(line.split()[1]) for line in said.splitlines() if "made" in line]


def open_terminal(page: Any, *hosts: int) -> None:
    """Open terminals; of one host at once, of several by the form."""
    asked = "&".join(f"host={pk}" for pk in hosts)
    origin = "/".join(page.url.split("/", 3)[:3])
    page.goto(f"/tasks/terminal/?{asked}", referer=f"{origin}/cmdb/hosts/")
    if len(hosts) > 1:
        page.click("dialog[open] button[name=open]")
    wait_live(page, len(hosts))


def at_prompt(page: Any, host: int) -> None:
    """Open one with a prompt that is the same everywhere."""
    open_terminal(page, host)
    # What is typed does not look like the prompt itself.
    enter(page, "PS1='rea''dy> '; unset PROMPT_COMMAND; clear")
    page.wait_for_function(f"() => {ACTIVE}.screen.text().endsWith('ready>')")


def wait_live(page: Any, count: int = 1) -> None:
    """Wait until so many terminals are connected, and the shell has greeted."""
    page.wait_for_function(
        """(count) => window.adminsetTerminals?.panes.length === count
        && window.adminsetTerminals.panes.every((pane) => pane.live && pane.screen.text())""",
        arg=count,
        timeout=30_000,
    )
    page.evaluate(f"() => {ACTIVE}.screen.terminal.focus()")


def enter(page: Any, line: str) -> None:
    """Type a line and press Enter."""
    page.keyboard.type(line)
    page.keyboard.press("Enter")


def screen(page: Any) -> str:
    """Read what stands in the active terminal, above the screen as well."""
    return str(page.evaluate(f"() => {ACTIVE}.screen.text()"))


def wait_text(page: Any, text: str, seconds: float = 15) -> str:
    """Wait until the active terminal shows a text; give all that it shows."""
    page.wait_for_function(
        f"(text) => {ACTIVE}?.screen.text().includes(text)",
        arg=text,
        timeout=seconds * 1000,
    )
    return screen(page)


def paste(page: Any, text: str) -> None:
    """Paste a text as the browser does it."""
    page.evaluate(
        f"""(text) => {{
        const data = new DataTransfer();
        data.setData("text/plain", text);
        const event = new ClipboardEvent("paste", {{ clipboardData: data, bubbles: true, cancelable: true }});
        {ACTIVE}.screen.terminal.textarea.dispatchEvent(event);
        }}""",
        text,
    )
