"""The replay of a recording ends with the screen that the terminal showed: characters, colours, cursor."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyte
import pytest

from accounts.models import User
from tasks.models import TerminalSession
from tasks.recording import reading
from tasks.terminal.opening import ticket_for
from tests.tasks.terminal.things import Page, in_thread, row_becomes, run

pytestmark = pytest.mark.django_db(transaction=True)
Opened = Callable[..., Any]
SIZE = (100, 30)
# Whoever waits for a mark must not find the echo of what was typed.
PLAIN = "exec bash --norc --noprofile\n"
PROMPT = "PS1='ready'\"> \"\n"
COLOURS = (
    r"printf '\033[2J\033[H\033[1;31mred\033[0m \033[48;5;21m blue \033[0m 温度 e\314\201\t|\033[5;20H*\033[7mback\033[0m\n'"
    "\n"
)
LONG = "for n in $(seq 1 120); do printf '%s 表示 ' $n; done; echo; seq 1 90\n"
VIM = "vim -u NONE -N -i NONE -n {file}\n"


class Emulator(pyte.Screen):
    """A screen that does not fall over what vim asks a terminal."""

    def select_graphic_rendition(self, *attrs: int, **more: Any) -> None:
        """Take colours; `ESC [ ? 4 m` is a question and no colour."""
        if not more:
            super().select_graphic_rendition(*attrs)

    @property
    def shown(self) -> list[Any]:
        """Give all that one sees."""
        rows, columns = range(self.lines), range(self.columns)
        cells = [[self.buffer[y][x] for x in columns] for y in rows]
        return [(self.cursor.x, self.cursor.y), cells]

    @property
    def text(self) -> str:
        """Give the characters; pyte's own `display` falls over half of a wide one."""
        return "".join(cell.data for row in self.shown[1] for cell in row)


class Emulated(Page):
    """A page with an emulator, which draws what comes as it comes."""

    def __init__(self, key: str, user: User, screen: Emulator) -> None:
        super().__init__(key, user)
        self.screen = screen
        self.stream = pyte.ByteStream(screen)
        self.heard = b""

    async def read(self, seconds: float = 15) -> None:
        """Take in the next thing that comes, and draw it."""
        had, told = len(self.output), len(self.told)
        await super().read(seconds)
        self.heard += self.output[had:]
        self.stream.feed(self.output[had:])
        for each in self.told[told:]:
            if each["t"] == "size":
                self.screen.resize(each["rows"], each["columns"])

    async def rest(self, seconds: float = 0.5) -> None:
        """Read until nothing more comes for a moment."""
        while not await self.receive_nothing(seconds, 0.02):
            await self.read()

    async def enter(self, text: str, seconds: float = 0.5) -> None:
        """Type, and let it be answered."""
        await self.type(text)
        await self.rest(seconds)


@pytest.fixture
def begun(opened: Opened, worker: User) -> Callable[[], Any]:
    """Open a terminal with an emulator, at the prompt of a plain bash."""

    async def made() -> tuple[TerminalSession, Emulated]:
        session, hello = await in_thread(opened)
        page = Emulated(session.key, worker, Emulator(*SIZE))
        assert await page.open(hello)
        await page.hears("ready")
        await page.rest()
        await page.enter(PLAIN)
        await page.enter(PROMPT)
        return session, page

    return made


async def replayed(session: TerminalSession, page: Emulated) -> Emulator:
    """Close the terminal, and draw its recording on an empty screen."""
    await page.say("bye")
    row = await row_becomes(session, "ended")
    assert row.recording == "sealed"
    screen = Emulator(*SIZE)
    stream = pyte.Stream(screen)
    printed = ""
    for event in await in_thread(lambda: list(reading.events(row))):
        if event.kind == "o":
            printed += event.text
            stream.feed(event.text)
        elif event.size is not None:
            columns, rows = event.size
            screen.resize(rows, columns)
    assert printed == page.heard.decode("utf-8", "replace")
    return screen


def test_colours_wide_characters_and_long_lines(begun: Callable[[], Any]) -> None:
    async def scene() -> None:
        session, page = await begun()
        await page.enter(LONG)
        await page.enter(COLOURS)
        assert "温度" in page.screen.text
        shown = page.screen.shown
        assert (await replayed(session, page)).shown == shown
        await page.leave()

    run(scene)


def test_other_sizes_in_between(begun: Callable[[], Any]) -> None:
    async def scene() -> None:
        session, page = await begun()
        for columns, rows in ((60, 15), (140, 45), (77, 21)):
            await page.enter(LONG)
            await page.say("resize", columns=columns, rows=rows)
            await page.hears("size", columns=columns, rows=rows)
            await page.rest()
            await page.enter(COLOURS)
        assert (page.screen.columns, page.screen.lines) == (77, 21)
        shown = page.screen.shown
        assert (await replayed(session, page)).shown == shown
        await page.leave()

    run(scene)


@pytest.mark.skipif(shutil.which("vim") is None, reason="vim is missing: apt-get vim")
def test_in_the_middle_of_vim_and_after_it(
    begun: Callable[[], Any], tmp_path: Path
) -> None:
    file = tmp_path / "text"
    file.write_text("".join(f"line {number} 温度\n" for number in range(200)))

    async def scene(leaves: bool) -> None:
        session, page = await begun()
        await page.enter(VIM.format(file=file), 1.5)
        await page.enter("100Gddohello \x1b:split\r", 1.5)
        assert "hello" in page.screen.text
        if leaves:
            await page.enter(":qa!\r", 1.0)
        shown = page.screen.shown
        assert (await replayed(session, page)).shown == shown
        await page.leave()

    for leaves in (False, True):
        run(lambda leaves=leaves: scene(leaves))


def test_a_page_that_was_away_meanwhile(begun: Callable[[], Any], worker: User) -> None:
    async def scene() -> None:
        session, page = await begun()
        await page.type("sleep 1; " + LONG)
        await page.rest(0.3)
        await page.leave()
        await asyncio.sleep(1.5)
        ticket = await in_thread(ticket_for, actor=worker, session=session)
        again = Emulated(session.key, worker, page.screen)
        size = {"columns": SIZE[0], "rows": SIZE[1]}
        assert await again.open({"ticket": ticket, "from": page.offset, **size})
        ready = await again.hears("ready")
        assert ready["from"] == page.offset
        again.heard = page.heard
        await again.rest()
        assert "90" in again.screen.text
        shown = again.screen.shown
        assert (await replayed(session, again)).shown == shown
        await again.leave()

    run(scene)
