"""What stands beside the hosts of a soak: a relay that can fall silent, and a service whose health is asked."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from pathlib import Path

from tests.farm import free_port
from tests.soaks.deploy_ground import end, forked

PIECE = 64 * 1024
LOOK_SECONDS = 0.05
ANSWER = b"HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nwell"


class Relay:
    """A way to a port that can fall silent: nothing is closed, nothing passes."""

    def __init__(self, address: str, port: int) -> None:
        self.port = free_port(address)
        self._pid = forked(lambda: asyncio.run(_relay(address, self.port, port)))

    def fall_silent(self) -> None:
        """Let nothing pass; connections stay open, and new ones are taken and not answered."""
        os.kill(self._pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Bring late what did not pass."""
        os.kill(self._pid, signal.SIGCONT)

    def end(self) -> None:
        """Take the way away; what did not pass is lost."""
        end(self._pid)


async def _relay(address: str, port: int, target: int) -> None:
    async def join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(OSError):
            theirs, own = await asyncio.open_connection(address, target)
            with contextlib.closing(own):
                both = (_pump(reader, own), _pump(theirs, writer))
                tasks = [asyncio.create_task(one) for one in both]
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)

    server = await asyncio.start_server(join, address, port)
    await server.serve_forever()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while piece := await reader.read(PIECE):
            writer.write(piece)
            await writer.drain()


class Service:
    """The application of the hosts: its port answers while its flag is there."""

    def __init__(self, folder: Path) -> None:
        self.flag, self.port = folder / "up", free_port("127.0.0.1")
        self.flag.unlink(missing_ok=True)
        self._pid = forked(lambda: asyncio.run(_serve(self.flag, self.port)))

    def end(self) -> None:
        """End it."""
        end(self._pid)


async def _serve(flag: Path, port: int) -> None:
    server: asyncio.Server | None = None
    while True:
        if flag.exists() and server is None:
            server = await asyncio.start_server(_answer, "127.0.0.1", port)
        elif not flag.exists() and server is not None:
            server.close()
            server = None
        await asyncio.sleep(LOOK_SECONDS)


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.closing(writer), contextlib.suppress(OSError):
        await reader.read(PIECE)
        writer.write(ANSWER)
        await writer.drain()
