"""The sending thread: brings facts and spooled samples to the portal."""

import logging
import random
import threading
import time
from typing import Any, Callable, Dict, Optional

from agent import sender as http
from agent.facts import content
from agent.logs import quoted
from agent.sampler import FAULTS
from agent.schedule import Backoff, Pace
from agent.sender import Reply, Sender
from agent.spool import Batch, Spool
from agent.wire import metrics, named_samples, numbers

MOST_SAMPLES = 200
CATCH_UP_PAUSE = 1.0
FACTS_CHECK_SECONDS = 60.0
DENIED_PAUSE = (300.0, 600.0)
SKEW_PAUSE = 60.0
FACTS_PAUSE = 300.0
STOP_SECONDS = 0.5
EVERYTHING = (http.DENIED, http.WAIT)
log = logging.getLogger(__name__)


class Shipper(threading.Thread):
    """Waits for `flush` or its own clock; `held_until` is the moment it may speak again."""

    def __init__(
        self,
        sender: Sender,
        spool: Spool,
        report: Callable[[], Dict[str, Any]],
        pace: Pace,
    ) -> None:
        super().__init__(name="shipper", daemon=True)
        self.sender, self.spool, self.report, self.pace = sender, spool, report, pace
        self.wake = threading.Event()
        self.stopping = False
        self.backoffs = {"facts": Backoff(), "metrics": Backoff()}
        self.held_until = float("-inf")
        self.flush_wanted = True
        self.limit = MOST_SAMPLES
        self.facts_check = float("-inf")
        self.facts_sent_at = float("-inf")
        self.facts_sent: Optional[Dict[str, Any]] = None

    def flush(self) -> None:
        """Called by the sampling thread: there is something to send."""
        self.flush_wanted = True
        self.wake.set()

    def stop(self) -> None:
        """A request under way is abandoned: its samples are still in the spool."""
        self.stopping = True
        self.wake.set()
        if self.is_alive():
            self.join(STOP_SECONDS)

    def run(self) -> None:
        while not self.stopping:
            self.work()
            self.wake.wait(self.pause())
            self.wake.clear()

    def pause(self) -> float:
        """Seconds until there is something to do."""
        now = time.monotonic()
        due = now if self.flush_wanted else self.facts_check
        return max(due, self.held_until, now) - now

    def work(self) -> None:
        if self.may_speak() and time.monotonic() >= self.facts_check:
            self.send_facts()
        if self.may_speak() and self.flush_wanted:
            self.send_samples()

    def may_speak(self) -> bool:
        return not self.stopping and time.monotonic() >= self.held_until

    def hold(self, seconds: float) -> None:
        self.held_until = time.monotonic() + seconds

    def send_facts(self) -> None:
        """When they are due or differ from those the portal has."""
        payload = self.gather()
        if payload is None:
            return
        found = content(payload["facts"])
        now = time.monotonic()
        self.facts_check = now + min(FACTS_CHECK_SECONDS, self.pace.facts_seconds)
        if (
            found == self.facts_sent
            and now < self.facts_sent_at + self.pace.facts_seconds
        ):
            return
        reply = self.sender.post("facts", payload)
        if reply.action in (http.STORED, http.DROP, http.SPLIT):
            self.facts_sent, self.facts_sent_at = found, now
        if reply.action == http.STORED:
            self.accepted("facts", reply)
            log.info("event=facts_sent status=%s", quoted(reply.body.get("status")))
        else:
            self.refused("facts", reply)

    def gather(self) -> Optional[Dict[str, Any]]:
        """The facts; when they cannot be had, the samples go on without them."""
        try:
            return self.report()
        except FAULTS as error:
            self.facts_check = time.monotonic() + FACTS_PAUSE
            reason = f"{type(error).__name__}: {error}"
            log.warning("event=facts_failed error=%s", quoted(reason))
            return None

    def send_samples(self) -> None:
        batch = self.spool.newest(self.limit)
        if batch is None:
            self.flush_wanted = False
            return
        reply = self.sender.post("metrics", metrics(batch))
        if reply.action == http.STORED:
            self.settle(batch, reply)
            return
        if reply.action == http.DROP or (
            reply.action == http.SPLIT and len(batch.samples) == 1
        ):
            self.spool.remove(batch, numbers(batch))
        elif reply.action == http.SPLIT:
            self.limit = max(len(batch.samples) // 2, 1)
        self.refused("metrics", reply)

    def settle(self, batch: Batch, reply: Reply) -> None:
        """Drop what the answer names; an answer that names nothing is a failure."""
        named = named_samples(reply.body) & numbers(batch)
        if not named:
            silent = "the answer names none of the samples"
            self.refused("metrics", Reply(http.RETRY, reply.status, {}, silent))
            return
        self.spool.remove(batch, named)
        self.accepted("metrics", reply)
        self.limit = MOST_SAMPLES
        log.debug("event=samples_sent count=%d", len(named))
        self.flush_wanted = self.spool.newest(1) is not None
        if self.flush_wanted:
            self.hold(CATCH_UP_PAUSE)

    def accepted(self, what: str, reply: Reply) -> None:
        if self.backoffs[what].failures:
            log.info("event=server_answers_again what=%s", what)
        self.backoffs[what].reset()
        self.pace.follow(reply.body.get("settings"))

    def refused(self, what: str, reply: Reply) -> None:
        pause = pause_after(reply, self.backoffs[what])
        log.warning(
            "event=not_sent what=%s status=%d does=%s pause=%.1f message=%s",
            what,
            reply.status,
            reply.action,
            pause,
            quoted(reply.sentence),
        )
        if what == "facts" and reply.status and reply.action not in EVERYTHING:
            self.facts_check = max(self.facts_check, time.monotonic() + pause)
        else:
            self.facts_check = min(self.facts_check, time.monotonic() + pause)
            self.hold(pause)


def pause_after(reply: Reply, backoff: Backoff) -> float:
    """Seconds to be silent after an answer that was no success."""
    if reply.action in (http.DROP, http.SPLIT):
        return CATCH_UP_PAUSE
    if reply.action == http.DENIED:
        return random.SystemRandom().uniform(*DENIED_PAUSE)
    if reply.action == http.SKEW:
        return backoff.delay(least=SKEW_PAUSE)
    if reply.retry_after is not None:
        return reply.retry_after + min(backoff.delay(), reply.retry_after / 10 + 1)
    return backoff.delay()
