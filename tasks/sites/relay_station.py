"""Runs beside a site's worker: takes the portal's orders, opens connections to hosts there, and passes bytes on over Redis."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from contextlib import suppress
from typing import Any

import redis
from django.conf import settings

from adminset import redis_boxes
from adminset.errors import DomainError
from tasks.sites import relay_wire as wire
from tasks.sites.relay_link import Link
from tasks.sites.relay_wire import Frame, Order

# After Redis was away, and for a list of orders that is empty.
PAUSE_SECONDS = 1
END_SECONDS = 5.0
# How long tasks may take to end before they are told once more; who ends others has more.
INNER_SECONDS, OUTER_SECONDS = 0.5, 3.0
# Orders that are remembered: more than anybody opens within wire.ORDER_SECONDS.
MOST_KNOWN = 10_000
logger = logging.getLogger(__name__)


class Station(threading.Thread):
    """A thread with an event loop of its own; `stop` ends it, and all connections with it."""

    def __init__(self, queues: list[str]) -> None:
        super().__init__(name="relay", daemon=True)
        self.queues = queues
        self.box = ""
        self.links: dict[bytes, Link] = {}
        self.ready = threading.Event()
        self._known: dict[str, None] = {}
        self._takes_orders = True
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._stopped = asyncio.Event()
        self._room = asyncio.Event()

    def run(self) -> None:
        """Serve until it is stopped."""
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._main())

    def refuse(self) -> None:
        """Take no further orders; what goes on goes on."""
        self._takes_orders = False

    def stop(self) -> None:
        """End it, and wait for that."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._stopped.set)
        self.join(END_SECONDS)

    def forget(self) -> None:
        """In a process that was just forked off: let go of the connections, which stay those of the parent."""
        for link in self.links.values():
            with suppress(OSError):
                os.close(link.descriptor)

    async def _main(self) -> None:
        stopped = asyncio.create_task(self._stopped.wait())
        while not self._stopped.is_set():
            self.box = redis_boxes.new_box()
            serving = asyncio.create_task(self._serve())
            await asyncio.wait({serving, stopped}, return_when="FIRST_COMPLETED")
            await _put_an_end({serving}, OUTER_SECONDS)
            if not self._stopped.is_set():
                logger.warning("relay: begun anew (%s)", serving.exception())
                await asyncio.wait({stopped}, timeout=PAUSE_SECONDS)

    async def _serve(self) -> None:
        client = redis_boxes.client_of_loop()
        try:
            await self._beat(client, new=True)
            self.ready.set()
            works = (self._keep_beating, self._listen, self._take_orders)
            tasks = {asyncio.create_task(work(client)) for work in works}
            try:
                done, _ = await asyncio.wait(tasks, return_when="FIRST_COMPLETED")
                done.pop().result()
            finally:
                await _put_an_end(tasks, INNER_SECONDS)
        finally:
            # What was on its way may be lost.
            await _put_an_end(set(self._tasks), INNER_SECONDS)
            with suppress(redis.RedisError):
                await client.delete(self.box)
            await client.aclose(close_connection_pool=True)

    async def _keep_beating(self, client: Any) -> None:
        while True:
            await asyncio.sleep(settings.RELAY_LEASE_SECONDS / wire.BEATS)
            await self._beat(client)

    async def _beat(self, client: Any, *, new: bool = False) -> None:
        """Give signs of life, and end the connections of portal processes that give none."""
        boxes = sorted({link.order.box for link in self.links.values()})
        lease = settings.RELAY_LEASE_SECONDS
        async with client.pipeline(transaction=False) as pipe:
            for box in boxes:
                pipe.exists(box)
            for queue in self.queues if self._takes_orders else ():
                pipe.set(wire.sign_of_station(queue), b"here", ex=lease)
            redis_boxes.keep(pipe, self.box, lease, new=new)
            answers = await pipe.execute()
        if not answers[-1]:
            raise redis.RedisError("it has lost the box")
        for link in list(self.links.values()):
            if link.order.box in boxes and not answers[boxes.index(link.order.box)]:
                link.cancel()

    async def _listen(self, client: Any) -> None:
        after = redis_boxes.START
        while True:
            async with client.pipeline(transaction=False) as pipe:
                redis_boxes.look(pipe, self.box, after)
                after, pieces = redis_boxes.found(await pipe.execute(), after)
            for piece in pieces:
                frame = Frame.read(piece)
                link = self.links.get(frame.key)
                if link is not None:
                    link.take(frame)

    async def _take_orders(self, client: Any) -> None:
        lists = [wire.orders_of(queue) for queue in self.queues]
        while True:
            if len(self.links) >= settings.RELAY_MOST or not self._takes_orders:
                # Another worker may have room.
                self._room.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(PAUSE_SECONDS):
                        await self._room.wait()
                continue
            came = await client.blpop(lists, timeout=PAUSE_SECONDS)
            if came is not None:
                self._begin(client, came[1].decode())

    def _begin(self, client: Any, text: str) -> None:
        """Begin what the portal ordered; what it did not order, or not for this worker, or twice, is left alone."""
        try:
            order = Order.opened(text)
        except (DomainError, ValueError, TypeError) as error:
            logger.warning("relay: an order is not taken (%s)", error)
            return
        if order.queue not in self.queues or self._is_known(order):
            logger.warning("relay: an order for %s is not taken", order.label)
            return
        link = Link(client, order, self.box)
        self.links[link.key] = link
        link.task = asyncio.create_task(link.run())
        self._tasks.add(link.task)
        link.task.add_done_callback(lambda task: self._ended(link, task))

    def _is_known(self, order: Order) -> bool:
        known = order.key in self._known
        self._known[order.key] = None
        while len(self._known) > MOST_KNOWN:
            del self._known[next(iter(self._known))]
        return known

    def _ended(self, link: Link, task: asyncio.Task[None]) -> None:
        self.links.pop(link.key, None)
        self._tasks.discard(task)
        self._room.set()
        if not task.cancelled() and (problem := task.exception()):
            logger.error("relay to %s broke", link.order.label, exc_info=problem)


async def _put_an_end(tasks: set[asyncio.Task[None]], patience: float) -> None:
    """Cancel until they are done: redis-py may swallow it once, while it connects."""
    while pending := {task for task in tasks if not task.done()}:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=patience)
    # What they ended with is told, or known.
    await asyncio.gather(*tasks, return_exceptions=True)
