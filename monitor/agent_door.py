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
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from django.conf import settings
from django.db import DatabaseError

from adminset import context
from adminset.body_limit import length_of
from adminset.errors import DomainError, Unavailable
from adminset.middleware import address_of
from cmdb.services.agents import AgentIdentity
from monitor import agent_auth, facts_reception, reception
from monitor.body import TooLargeError, inflate
from monitor.grouped_writes import Load
from monitor.metric_store import limits
from monitor.noted import Notes
from monitor.prometheus import counters
from monitor.side_threads import Side

logger = logging.getLogger(__name__)
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

Told = TypeVar("Told")
START = secrets.token_hex(8)

NOTE_SECONDS = 2.0
# Of the log's lines: a start of this process's own, and a count.
REQUEST_IDS = (f"{START}{n:016x}" for n in itertools.count())
# A body of this size is read in a moment; a larger one in a thread, so that others go on meanwhile.
AT_ONCE_BYTES = 131_072
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
    held: int = 0

    def header(self, name: bytes) -> str:
        """Give a header's text, "" where it is not sent."""
        return self.headers.get(name, b"").decode("latin-1")


class Door:
    """The application: one for each process, made at the first request."""

    def __init__(self, pages: Application) -> None:
        self._pages = pages
        self.load = Load(settings.INTAKE_MAX_REQUESTS, settings.INTAKE_MAX_BYTES)
        self._notes = Notes()
        self._notes_wait = False
        self._bounds = limits()
        # Proofs must not stand behind work that takes its time.
        self._proofs, self._work = Side("agents-prove", 1), Side("agents-work", 2)
        self._answers = {"metrics": self._metrics, "facts": self._facts}

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
            more = _retry(error)
        except Exception:
            logger.exception("a report of %s could not be answered", request.address)
            status, body, more = 500, BROKEN, []
        counters.count_report(name, status, time.time() - request.arrived)
        await _send(send, status, body, more)

    async def _counted(
        self, handler: Any, request: Request, receive: Receive
    ) -> dict[str, Any]:
        self.load.enter()
        try:
            agent = agent_auth.recall(request.header(b"authorization"))
            if agent is None:
                agent = await self._prove(request)
            body = await self._body(request, receive)
            answer: dict[str, Any] = await handler(agent, request, body)
        except DatabaseError as error:
            logger.warning("the database is away: %s", type(error).__name__)
            raise _no_database() from error
        finally:
            self.load.leave(request.held)
        return answer

    async def _prove(self, request: Request) -> AgentIdentity:
        header = request.header(b"authorization")
        return await self._proofs.run(_proved, header)

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
                    self._hold(request, len(parts[-1]))
                    if request.held > most:
                        raise TooLargeError(f"The body is larger than {most} bytes.")
                    if not message.get("more_body"):
                        break
        except TimeoutError:
            raise _too_slow() from None
        encoding = request.header(b"content-encoding")
        return inflate(b"".join(parts), encoding, self._bounds)

    def _hold(self, request: Request, more: int) -> None:
        request.held += more
        self.load.hold(more)

    async def _metrics(
        self, agent: AgentIdentity, request: Request, body: bytes
    ) -> dict[str, Any]:
        arrival = await self._read(reception.read, agent, request, body)
        steps = reception.clock_steps(arrival)
        if steps != agent.clock_steps:
            arrival = await self._work.run(reception.keep_clock, arrival, steps)
        await self._learn(agent)
        write = reception.wanted(arrival)
        statuses = (
            await reception.group().ask(write, len(write.samples) + 1) if write else []
        )
        counters.count_samples(statuses)
        if not reception.note(arrival, self._notes):
            await self._work.run(reception.touch, arrival)
        self._note_later()
        return reception.answer(arrival, statuses)

    async def _facts(
        self, agent: AgentIdentity, request: Request, body: bytes
    ) -> dict[str, Any]:
        told = await self._read(facts_reception.read, agent, request, body)
        if not await facts_reception.group().ask(told.repeated):
            status = await self._work.run(facts_reception.absorb, told)
        else:
            status = "unchanged"
        await self._learn(agent)
        return {"status": status, **reception.wishes(agent.host_id)}

    async def _learn(self, agent: AgentIdentity) -> None:
        if not reception.is_pace_known(agent.host_id):
            await self._proofs.run(reception.learn_pace, agent.host_id)

    async def _read(
        self,
        read: Callable[..., Told],
        agent: AgentIdentity,
        request: Request,
        body: bytes,
    ) -> Told:
        self._hold(request, len(body) * READ_FACTOR)
        told = {"address": request.address, "arrived": request.arrived}
        if len(body) <= AT_ONCE_BYTES:
            return read(agent, body, **told)
        return await self._work.run(read, agent, body, **told)

    def _note_later(self) -> None:
        """Write what reports left behind, in a while, with what others leave until then."""
        if not self._notes_wait:
            self._notes_wait = True
            asyncio.get_running_loop().call_later(NOTE_SECONDS, self._write_notes)

    def _write_notes(self) -> None:
        self._notes_wait = False
        self._work.start(self._notes.write)


def _request(scope: Scope) -> Request:
    headers = dict(scope["headers"])
    forwarded = headers.get(b"x-forwarded-for", b"").decode("latin-1")
    peer = str((scope.get("client") or ("",))[0])
    address = _address(peer, forwarded)
    browser = headers.get(b"user-agent", b"").decode("latin-1")[:300]
    context.current.set(context.RequestContext(next(REQUEST_IDS), address, browser))
    return Request(headers, address, time.time())


def _proved(header: str) -> AgentIdentity:
    agent = agent_auth.prove(header)
    if not reception.is_pace_known(agent.host_id):
        # While this thread is at it.
        reception.learn_pace(agent.host_id)
    return agent


@functools.lru_cache(20_000)
def _address(peer: str, forwarded: str) -> str:
    return address_of(peer, forwarded)


def _retry(error: DomainError) -> list[tuple[bytes, bytes]]:
    headers = []
    if error.retry_after:
        headers.append((b"retry-after", str(error.retry_after).encode()))
    # What is left of its body is not waited for.
    if error.status in {408, 413, 503}:
        headers.append((b"connection", b"close"))
    return headers


async def _send(
    send: Send, status: int, body: Any, more: list[tuple[bytes, bytes]]
) -> None:
    text = msgspec.json.encode(body)
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(text)).encode()),
        (b"x-request-id", context.current.get().request_id.encode()),
        *more,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text})


BROKEN = DomainError(
    "The portal could not take this report.", "Its log says why.", code="internal"
).as_envelope()


def _too_slow() -> DomainError:
    return DomainError(
        "The report took too long to arrive.",
        "Send it again.",
        code="too_slow",
        status=408,
        retry_after=10,
    )


def _no_database() -> Unavailable:
    return Unavailable(
        "The database does not answer.",
        "Send this one again in a while.",
        code="database_unavailable",
        retry_after=10,
    )
