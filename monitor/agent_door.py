"""Answers what agents send most, before Django is asked: no thread, no query and no middleware for a report of a known agent.

The rest (enrolment, rotation, other methods) goes on to Django, whose views (monitor/agent_api.py) do the same work one
request at a time. Work that waits for SQL goes to a few threads of its own; samples wait for the store in groups.
"""

import asyncio
import functools
import itertools
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, replace
from typing import Any, ParamSpec, TypeVar

from django.conf import settings
from django.db import DatabaseError

from adminset import context
from adminset.body_limit import length_of
from adminset.errors import DomainError
from adminset.middleware import address_of
from cmdb.services.agents import AgentIdentity
from cmdb.services.signs import Repeated
from monitor import agent_auth, facts_reception, reception, report_path
from monitor.agent_answers import (
    BROKEN,
    Send,
    headers_of,
    no_database,
    send_answer,
    too_slow,
)
from monitor.agent_load import Load, Shares
from monitor.agent_proofs import Proofs
from monitor.body import TooLargeError, inflate
from monitor.metric_store import limits
from monitor.noted import Notes
from monitor.prometheus import counters
from monitor.reception import Write
from monitor.report_path import Answer, Sent
from monitor.side_threads import Side
from monitor.store import Status

logger = logging.getLogger(__name__)
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

Told = ParamSpec("Told")
Result = TypeVar("Result")
START = secrets.token_hex(8)

NOTE_SECONDS = 2.0
# Of the log's lines: a start of this process's own, and a count.
REQUEST_IDS = (f"{START}{n:016x}" for n in itertools.count())
# Inflated, a body of this size is read in a moment; a larger one in a thread, so that others go on meanwhile.
AT_ONCE_BYTES = 65_536
# What is read of a body takes about so many times its bytes.
READ_FACTOR = 4
PREFIX = "/api/agent/v1/"


class GoneError(Exception):
    """Whoever asked has hung up."""


@dataclass(slots=True)
class Request:
    """One request, as far as agents need it."""

    headers: dict[bytes, bytes]
    address: str
    arrived: float
    agent_id: int = 0
    held: int = 0

    def header(self, name: bytes) -> str:
        """Give a header's text, "" where it is not sent."""
        return self.headers.get(name, b"").decode("latin-1")


class Door:
    """The application: one for each process, made at the first request."""

    def __init__(self, pages: Application) -> None:
        self._pages = pages
        self.load = Load(settings.INTAKE_MAX_REQUESTS, settings.INTAKE_MAX_BYTES)
        self.notes = Notes()
        self._notes_wait = False
        self._shares = Shares(
            settings.INTAKE_REQUESTS_PER_AGENT, settings.INTAKE_BYTES_PER_AGENT
        )
        self._proofs = Proofs(self.load)
        self._bounds = limits()
        self._at_once = replace(self._bounds, inflated_bytes=AT_ONCE_BYTES)
        self.work = Side("agents-work", 2)
        self.reads = Side("agents-read", 1)
        self._answers = {"metrics": report_path.metrics, "facts": report_path.facts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer an agent's report; pass everything else on."""
        name = scope["path"].removeprefix(PREFIX)
        handler = self._answers.get(name)
        if (
            handler is None
            or scope["method"] != "POST"
            or len(name) == len(scope["path"])
        ):
            await self._pages(scope, receive, send)
            return
        request = _request(scope)
        try:
            status, body, more = 200, await self._counted(handler, request, receive), []
        except GoneError:
            return
        except DomainError as error:
            status, body = error.status, error.as_envelope()
            more = headers_of(error)
        except Exception:
            logger.exception("a report of %s could not be answered", request.address)
            status, body, more = 500, BROKEN, []
        counters.count_report(name, status, time.time() - request.arrived)
        await send_answer(send, status, body, more)

    async def _counted(self, way: Any, request: Request, receive: Receive) -> Answer:
        try:
            told = request.header(b"authorization")
            agent = agent_auth.recall(told)
            if agent is None:
                agent = await self._proofs.ask(told, request.address)
            self._enter(agent, request)
            try:
                body = await self._body(request, receive)
                sent = Sent(agent, body, request.address, request.arrived)
                answer: Answer = await way(_Beside(self), sent)
            finally:
                self.load.leave(request.held)
                self._shares.leave(agent.pk, request.held)
        except DatabaseError as error:
            logger.warning("the database is away: %s", type(error).__name__)
            raise no_database() from error
        return answer

    def _enter(self, agent: AgentIdentity, request: Request) -> None:
        """Count a report among all and among those of its agent."""
        self.load.enter()
        try:
            self._shares.enter(agent.pk)
        except DomainError:
            self.load.leave(0)
            raise
        request.agent_id = agent.pk

    async def _body(self, request: Request, receive: Receive) -> bytes:
        """Read the body; what it holds counts while it comes."""
        most = self._bounds.body_bytes
        if length_of(request.header(b"content-length")) > most:
            raise TooLargeError(f"The body is larger than {most} bytes.")
        parts: list[bytes] = []
        try:
            async with asyncio.timeout(settings.INTAKE_BODY_SECONDS):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise GoneError
                    parts.append(message.get("body", b""))
                    self.hold(request, len(parts[-1]))
                    if request.held > most:
                        raise TooLargeError(f"The body is larger than {most} bytes.")
                    if not message.get("more_body"):
                        break
        except TimeoutError:
            raise too_slow() from None
        body = await self._inflated(b"".join(parts), request)
        self.hold(request, len(body) * READ_FACTOR)
        return body

    async def _inflated(self, body: bytes, request: Request) -> bytes:
        encoding = request.header(b"content-encoding")
        if len(body) <= AT_ONCE_BYTES:
            try:
                return inflate(body, encoding, self._at_once)
            except TooLargeError:
                # Larger than it looked: not at the cost of all others.
                return await self.reads.run(inflate, body, encoding, self._bounds)
        return await self.reads.run(inflate, body, encoding, self._bounds)

    def hold(self, request: Request, more: int) -> None:
        """Count bytes that a report holds from now on."""
        request.held += more
        try:
            self.load.hold(more)
        finally:
            # Both count it, whichever refuses.
            self._shares.hold(request.agent_id, more)

    def note_later(self) -> None:
        """Write what reports left behind, in a while, with what others leave until then."""
        if not self._notes_wait:
            self._notes_wait = True
            asyncio.get_running_loop().call_later(NOTE_SECONDS, self._write_notes)

    def _write_notes(self) -> None:
        self._notes_wait = False
        self.work.start(self.notes.write)


@dataclass(frozen=True, slots=True)
class _Beside:
    """Does the steps of a report beside the loop where they take time; see monitor/report_path.py."""

    door: Door

    @property
    def notes(self) -> Notes:
        return self.door.notes

    async def read(self, read: Callable[..., Result], sent: Sent) -> Result:
        told = {"address": sent.address, "arrived": sent.arrived}
        if len(sent.body) <= AT_ONCE_BYTES:
            return read(sent.agent, sent.body, **told)
        return await self.door.reads.run(read, sent.agent, sent.body, **told)

    async def aside(
        self, work: Callable[Told, Result], *told: Told.args, **more: Told.kwargs
    ) -> Result:
        return await self.door.work.run(work, *told, **more)

    async def store(self, write: Write) -> list[Status]:
        # Without a time-out of its own: the store has one, and a group answers whatever becomes of it.
        return await reception.group().ask(write, len(write.samples) + 1)

    async def is_repeated(self, repeated: Repeated) -> bool:
        return await facts_reception.group().ask(repeated)

    def note_later(self) -> None:
        self.door.note_later()


def _request(scope: Scope) -> Request:
    headers = dict(scope["headers"])
    forwarded = headers.get(b"x-forwarded-for", b"").decode("latin-1")
    peer = str((scope.get("client") or ("",))[0])
    address = _address(peer, forwarded)
    browser = headers.get(b"user-agent", b"").decode("latin-1")[:300]
    context.current.set(context.RequestContext(next(REQUEST_IDS), address, browser))
    return Request(headers, address, time.time())


@functools.lru_cache(20_000)
def _address(peer: str, forwarded: str) -> str:
    return address_of(peer, forwarded)
