"""What a person does on the pages, step by step: shared by the tests of this folder."""

import re
from typing import Any

from tasks.targets import Target
from tests.e2e.conftest import planted
from tests.farm import SshFarm

# A run on a shared machine takes its time.
PATIENCE = 60_000


def save(page: Any) -> None:
    """Send the form of the page."""
    page.click("main form[method=post] button[type=submit].btn-primary")
    page.wait_for_load_state()


def choose(page: Any, name: str, *words: str) -> None:
    """Choose the options of a select whose text begins with these words, as its searchable box does."""
    # The scripts that make the box are modules: they have run when the page is loaded.
    page.wait_for_load_state()
    page.evaluate(
        """async ([name, words]) => {
        const select = document.querySelector(`select[name="${name}"]`);
        const box = select.tomselect, found = [];
        for (const one of words) {
            let option = [...select.options].find((option) => option.text.trim().startsWith(one));
            if (!option && select.dataset.choices) {
                const answer = await fetch(`${select.dataset.choices}?q=${encodeURIComponent(one)}`, { headers: { Accept: "application/json" } });
                option = (await answer.json()).choices.find((choice) => choice.text.startsWith(one));
            }
            if (!option) throw new Error(`${name} has no choice ${one}`);
            if (box) box.addOption({ value: String(option.value), text: option.text });
            else if (!select.querySelector(`option[value="${option.value}"]`)) select.add(new Option(option.text, option.value));
            found.push(String(option.value));
        }
        if (box) box.setValue(select.multiple ? found : found[0]);
        else for (const option of select.options) option.selected = found.includes(option.value);
        }""",
        [name, list(words)],
    )


def add_credential(page: Any, name: str, target: Target) -> None:
    """Type in the login of a target as a credential."""
    key = str(target.login.private_key)
    planted.add(f"private key of {name}", key)
    page.goto("/cmdb/credentials/add/")
    page.fill("[name=name]", name)
    page.fill("[name=username]", target.login.user)
    page.fill("[name=private_key]", key)
    save(page)
    assert name in page.inner_text("h1")
    assert "PRIVATE KEY" not in page.content()


def add_host(page: Any, name: str, target: Target, credential: str) -> None:
    """Add a target as a host; its page is open then."""
    page.goto("/cmdb/hosts/add/")
    page.fill("[name=hostname]", name)
    page.fill("[name=address]", target.address)
    page.fill("[name=ssh_port]", str(target.port))
    choose(page, "credential", credential)
    save(page)
    assert name in page.inner_text("h1")


def accept_key(page: Any) -> None:
    """Read and accept the key of the host whose page is open; come back to that page."""
    here = page.url
    page.click("text=Host key")
    page.click("text=Read the key from the host")
    page.wait_for_selector("text=SHA256:")
    page.click("text=accept this key")
    page.wait_for_load_state()
    page.goto(here)
    assert "SHA256:" in page.inner_text("main")


def host_id(page: Any, name: str) -> str:
    """Give the number of a host."""
    page.goto(f"/cmdb/hosts/?q={name}")
    href = page.locator("tbody td.first a").get_attribute("href")
    return str(href).rstrip("/").rpartition("/")[2]


def launch(page: Any) -> int:
    """Look at the preview of the launch page that is filled in, and run it; give the number of the run."""
    save(page)
    page.click("button[name=action][value=launch]")
    page.wait_for_url(re.compile(r"/tasks/runs/\d+/$"))
    return int(page.url.rstrip("/").rpartition("/")[2])


def wait_for_status(page: Any, status: str) -> None:
    """Wait on the page of a run until it stands so."""
    page.wait_for_selector(f"[data-run-status] >> text={status}", timeout=PATIENCE)


def add_two_hosts(page: Any, farm: SshFarm, names: tuple[str, ...]) -> None:
    """Add the hosts of a farm under these names, with a login and accepted keys."""
    credential = f"login of {names[0]}"
    add_credential(page, credential, farm.targets()[0])
    for name, target in zip(names, farm.targets(), strict=True):
        add_host(page, name, target, credential)
        accept_key(page)


def host_states(page: Any) -> dict[str, str]:
    """Give what the page of a run says of its hosts: name -> result, without the exit code."""
    rows = page.locator("#run-host-list tbody tr").all()
    cells = [[cell.inner_text() for cell in row.locator("td").all()] for row in rows]
    return {name: re.sub(r"[ \d]+$", "", result) for name, result, _output in cells}
