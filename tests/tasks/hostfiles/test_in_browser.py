"""The files of a host in a real browser: folders, uploads by drop and by choice, downloads, acts, keyboard, a phone's width."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.templatetags.static import static
from playwright.sync_api import Page, expect

from tests.browser import CHROMIUM, page_of
from tests.e2e.conftest import wait_until
from tests.tasks.hostfiles.things import FilesPage, told

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no Chromium"),
]
CONTENT = os.urandom(5 * 2**20 + 3)
DROP = """([root, files]) => {
  const transfer = new DataTransfer();
  for (const [name, text] of files) transfer.items.add(new File([text], name));
  for (const kind of ["dragenter", "dragover", "drop"]) {
    document.dispatchEvent(new DragEvent(kind, { dataTransfer: transfer, bubbles: true, cancelable: true }));
  }
}"""


# Takes what is dropped next out of the page's hands, and keeps what it would upload.
CATCH = """async (address) => {
  const { dropped } = await import(address);
  const names = (found) => found.map(({ file, folders }) => [...folders, file?.name].join("/"));
  window.caught = new Promise((give) => {
    document.addEventListener("drop", (event) => {
      event.preventDefault();
      event.stopImmediatePropagation();
      give(dropped(event.dataTransfer).then(names));
    }, { capture: true, once: true });
  });
}"""
# What FIPS 180-4's examples and hashlib say, taken in one piece and in pieces that end within and at the borders of a block.
HASHES = """async ([address, lengths]) => {
  const { Sha256 } = await import(address);
  const bytes = (length) => Uint8Array.from({ length }, (_, at) => at * 7);
  const text = (words) => new Sha256().update(new TextEncoder().encode(words)).hex();
  const pieces = (length, step) => {
    const hash = new Sha256();
    for (let at = 0; at < length; at += step) hash.update(bytes(length).subarray(at, at + step));
    return hash.hex();
  };
  const found = lengths.map((length) => [1, 63, 64, 65, length || 1].map((step) => pieces(length, step)));
  return { found, abc: text("abc"), empty: text("") };
}"""


@pytest.fixture
def browser(
    live_server: Any, page: FilesPage, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Page]:
    """The keeper's browser; nothing that it says on its console is a mistake."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with page_of(
        live_server.url,
        page.client,
        # What stands in the way of an upload is a refusal, and no mistake.
        excused=lambda text: "409 (Conflict)" in text,
        accept_downloads=True,
        viewport=None,
    ) as opened:
        yield opened


@pytest.fixture
def go(browser: Page, page: FilesPage) -> Callable[[Path], None]:
    """Open a folder."""

    def gone(folder: Path) -> None:
        browser.goto(page.url("host_files", folder))
        browser.wait_for_selector("[data-folder]")

    return gone


def row(browser: Page, name: str) -> Any:
    return browser.locator(f'[data-row][data-name="{name}"]')


def test_a_file_goes_there_and_comes_back_with_the_same_hash(
    browser: Page, go: Callable[[Path], None], folder: Path, tmp_path: Path
) -> None:
    local = tmp_path / "sp ace.bin"
    local.write_bytes(CONTENT)
    digest = hashlib.sha256(CONTENT).hexdigest()
    go(folder)
    browser.set_input_files('[data-input="files"]', local)
    state = browser.locator(".upload-line [data-state]")
    expect(state).to_contain_text(digest, timeout=30_000)
    assert (folder / "sp ace.bin").read_bytes() == CONTENT
    expect(row(browser, "sp ace.bin")).to_be_visible()
    with browser.expect_download() as coming:
        row(browser, "sp ace.bin").locator("a[download]").click()
    assert hashlib.sha256(coming.value.path().read_bytes()).hexdigest() == digest
    assert told("upload")[0]["sha256"] == digest


def test_what_is_dropped_and_a_folder_that_is_chosen_arrive(
    browser: Page, go: Callable[[Path], None], folder: Path, tmp_path: Path
) -> None:
    go(folder)
    browser.evaluate(DROP, [None, [["one.txt", "1"], ["zwei ü.txt", "2"]]])
    expect(browser.locator('.upload-line[data-state="done"]')).to_have_count(2)
    assert (folder / "zwei ü.txt").read_text() == "2"
    tree = tmp_path / "tree"
    (tree / "deep").mkdir(parents=True)
    (tree / "deep" / "file").write_text("deep")
    (tree / "top").write_text("top")
    browser.set_input_files('[data-input="folder"]', tree)
    expect(browser.locator('.upload-line[data-state="done"]')).to_have_count(4)
    assert (folder / "tree" / "deep" / "file").read_text() == "deep"
    assert (folder / "tree" / "top").read_text() == "top"


def drop(browser: Page, what: Path) -> None:
    """Drag a file or folder of this machine over the page, and let it go there."""
    drag = browser.context.new_cdp_session(browser)
    data = {"items": [], "files": [str(what)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        drag.send(
            "Input.dispatchDragEvent", {"type": kind, "x": 300, "y": 300, "data": data}
        )


def test_a_folder_that_is_dropped_arrives_with_all_that_is_in_it(
    browser: Page, go: Callable[[Path], None], folder: Path, tmp_path: Path
) -> None:
    tree = tmp_path / "tree"
    (tree / "empty").mkdir(parents=True)
    (tree / "多 deep").mkdir()
    (tree / "多 deep" / "file").write_text("deep")
    (tree / "top").write_text("top")
    go(folder)
    drop(browser, tree)
    expect(browser.locator('.upload-line[data-state="done"]')).to_have_count(2)
    there = folder / "tree"
    assert (there / "多 deep" / "file").read_text() == "deep"
    assert (there / "top").read_text() == "top"
    wait_until("the empty folder", (there / "empty").is_dir)


def test_of_a_large_folder_that_is_dropped_no_name_is_left_out(
    browser: Page, go: Callable[[Path], None], folder: Path, tmp_path: Path
) -> None:
    # Chromium gives a hundred names of a folder at a time.
    names = [f"many/{number:03}" for number in range(230)]
    (tmp_path / "many").mkdir()
    for name in names:
        (tmp_path / name).write_text(name)
    go(folder)
    browser.evaluate(CATCH, static("files/chosen.js"))
    drop(browser, tmp_path / "many")
    assert sorted(browser.evaluate("() => window.caught")) == names


def test_an_upload_that_is_paused_goes_on(
    browser: Page, go: Callable[[Path], None], folder: Path, settings: Any
) -> None:
    settings.FILES_PIECE_BYTES = 256 * 1024
    local = folder.parent / "big.bin"
    local.write_bytes(CONTENT)
    go(folder)
    browser.set_input_files('[data-input="files"]', local)
    browser.locator('[data-tool="pause"]').click()
    line = browser.locator(".upload-line")
    expect(line).to_have_attribute("data-state", "paused")
    assert not (folder / "big.bin").exists()
    browser.locator('[data-tool="resume"]').click()
    expect(line).to_have_attribute("data-state", "done", timeout=30_000)
    assert (folder / "big.bin").read_bytes() == CONTENT


def test_what_is_there_is_replaced_only_when_one_says_so(
    browser: Page, go: Callable[[Path], None], folder: Path, tmp_path: Path
) -> None:
    (folder / "file").write_text("old")
    local = tmp_path / "file"
    local.write_text("new")
    go(folder)
    browser.set_input_files('[data-input="files"]', local)
    line = browser.locator(".upload-line")
    expect(line).to_have_attribute("data-state", "failed")
    assert (folder / "file").read_text() == "old"
    browser.locator('[data-tool="replace"]').click()
    expect(line).to_have_attribute("data-state", "done")
    assert (folder / "file").read_text() == "new"


def test_folders_names_and_the_waste_by_mouse_and_keyboard(
    browser: Page, go: Callable[[Path], None], folder: Path
) -> None:
    (folder / "bad<b>.txt").write_text("x")
    go(folder)
    browser.click('[data-act="folder"]')
    browser.fill("[data-value]", "new folder")
    browser.keyboard.press("Enter")
    expect(row(browser, "new folder")).to_be_visible()
    row(browser, "bad<b>.txt").locator("[data-more]").click()
    browser.click('[data-more-dialog] [data-do="rename"]')
    browser.fill("[data-value]", "good.txt")
    browser.keyboard.press("Enter")
    expect(row(browser, "good.txt")).to_be_visible()
    assert (folder / "good.txt").read_text() == "x"
    # j goes to the first row, Enter opens it, u goes up, and back in the history leads down again.
    browser.keyboard.press("j")
    browser.keyboard.press("Enter")
    expect(browser.locator(".empty")).to_be_visible()
    browser.keyboard.press("u")
    expect(row(browser, "good.txt")).to_be_visible()
    browser.go_back()
    expect(browser.locator(".empty")).to_be_visible()
    browser.go_back()
    row(browser, "good.txt").locator("[data-select-row]").check()
    browser.click('[data-chosen="waste"]')
    browser.click("[data-yes]")
    expect(row(browser, "good.txt")).to_have_count(0)
    assert not (folder / "good.txt").exists()


def test_a_hash_stands_in_the_dialog(
    browser: Page, go: Callable[[Path], None], folder: Path
) -> None:
    (folder / "file").write_bytes(CONTENT)
    go(folder)
    row(browser, "file").locator("[data-more]").click()
    browser.click('[data-do="hash"]')
    shown = browser.locator('[data-show="sha256"]')
    expect(shown).to_have_text(hashlib.sha256(CONTENT).hexdigest())


def test_the_hash_of_the_page_is_sha_256(
    browser: Page, go: Callable[[Path], None], folder: Path
) -> None:
    go(folder)
    lengths = [0, 1, 55, 56, 57, 63, 64, 65, 119, 120, 127, 128, 129, 1000]
    said = browser.evaluate(HASHES, [static("files/sha256.js"), lengths])
    contents = [bytes(at * 7 % 256 for at in range(length)) for length in lengths]
    digests = [hashlib.sha256(content).hexdigest() for content in contents]
    assert said["found"] == [[digest] * 5 for digest in digests]
    assert said["abc"].startswith("ba7816bf8f01cfea414140de5dae2223")
    assert said["empty"].startswith("e3b0c44298fc1c149afbf4c8996fb924")


def test_on_a_phone_one_sees_and_sorts_by_when_a_file_changed(
    browser: Page, go: Callable[[Path], None], folder: Path
) -> None:
    for name, at in (("a-new", 1_700_000_000), ("b-old", 1_600_000_000)):
        (folder / name).write_text(name)
        os.utime(folder / name, (at, at))
    browser.set_viewport_size({"width": 390, "height": 800})
    go(folder)
    rows = browser.locator("[data-row]")
    expect(rows.first).to_have_attribute("data-name", "a-new")
    browser.select_option("[data-order-choice]", "changed")
    expect(rows.first).to_have_attribute("data-name", "b-old")
    expect(browser.locator("[data-order-choice]")).to_have_value("changed")
    row(browser, "b-old").locator("[data-more]").click()
    expect(browser.locator('[data-show="changed"]')).to_contain_text("2020-09-13")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_phone_sees_all_without_going_sideways(
    browser: Page, go: Callable[[Path], None], folder: Path, theme: Any
) -> None:
    (folder / ("long-name-" * 12)).write_text("x")
    browser.emulate_media(color_scheme=theme)
    browser.set_viewport_size({"width": 390, "height": 800})
    go(folder)
    wide = browser.evaluate("document.documentElement.scrollWidth")
    assert wide <= 390
