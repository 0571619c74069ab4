"""The sending thread: brings facts, spooled samples and tables to the portal."""

import logging
import threading
import time

from agent import sender as http
from agent.batch import Batch, numbers
from agent.clock import Clock
from agent.extras import Extras
from agent.logs import quoted
from agent.patience import CATCH_UP_PAUSE, pause_after
from agent.reporting import Reporting
from agent.schedule import Backoff, Pace
from agent.sender import Reply, Sender
from agent.spool import Spool
from agent.wire import metrics, named_samples

MOST_SAMPLES = 200
STOP_SECONDS = 0.5
EVERYTHING = (http.DENIED, http.WAIT)
log = logging.getLogger(__name__)


class Shipper(threading.Thread):
    """Waits for `flush` or its own clock; `held_until` is the moment it may speak again."""

    def __init__(
        self,
        sender: Sender,
        spool: Spool,
        reporting: Reporting,
        pace: Pace,
        extras: Extras,
    ) -> None:
        super().__init__(name="shipper", daemon=True)
        self.sender, self.spool, self.pace = sender, spool, pace
        self.reporting = reporting
        self.extras = extras
        self.clock = Clock()
        self.wake = threading.Event()
        self.stopping = False
        self.backoffs = {"facts": Backoff(), "metrics": Backoff()}
        self.failures = 0
        self.held_until = float("-inf")
        self.flush_wanted = True
        self.limit = MOST_SAMPLES
        self.behind = False

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
        due = now if self.flush_wanted else self.reporting.check
        return max(due, self.held_until, now) - now

    def work(self) -> None:
        if self.may_speak() and self.reporting.is_due():
            self.send_facts()
        if self.may_speak() and self.flush_wanted:
            self.send_samples()

    def may_speak(self) -> bool:
        return not self.stopping and time.monotonic() >= self.held_until

    def hold(self, seconds: float) -> None:
        self.held_until = time.monotonic() + seconds

    def send_facts(self) -> None:
        """When they are due or differ from those the portal has."""
        body = self.reporting.body()
        if body is None:
            return
        reply = self.sender.post("facts", body)
        if reply.action in (http.STORED, http.DROP, http.SPLIT):
            self.reporting.done()
        if reply.action == http.STORED:
            self.accepted("facts", reply)
            log.info("event=facts_sent status=%s", quoted(reply.body.get("status")))
        else:
            self.refused("facts", reply)

    def send_samples(self) -> None:
        """The newest batch, with the tables of now and this host's clock; in turn with what waits behind it."""
        batch = self.spool.newest(self.limit, self.behind)
        if batch is None:
            self.flush_wanted = False
            return
        tables = self.extras.tables()
        body = metrics(batch, self.clock.offset(), tables, self.extras.left_out())
        reply = self.sender.post("metrics", body)
        if reply.action == http.STORED:
            self.extras.done(tables)
            self.settle(batch, reply)
            return
        if reply.action in (http.DROP, http.SPLIT):
            # Tables must not cost samples: these go once more without.
            self.extras.done(tables)
            if not tables:
                self.give_up(batch, reply)
        self.refused("metrics", reply)

    def give_up(self, batch: Batch, reply: Reply) -> None:
        """Not to be taken as it is: try the newer half, until the one that is at fault is alone; that one goes."""
        if len(batch.samples) == 1:
            log.warning("event=sample_dropped status=%d", reply.status)
            self.spool.drop(batch)
        else:
            self.limit = max(len(batch.samples) // 2, 1)

    def settle(self, batch: Batch, reply: Reply) -> None:
        """Drop what the answer names; an answer that names nothing is a failure."""
        named = named_samples(reply.body) & numbers(batch)
        if not named:
            silent = "the answer names none of the samples"
            self.refused("metrics", reply._replace(action=http.RETRY, sentence=silent))
            return
        self.spool.remove(batch, named)
        self.accepted("metrics", reply)
        self.limit = MOST_SAMPLES
        log.debug("event=samples_sent count=%d", len(named))
        self.flush_wanted = self.spool.newest(1) is not None
        self.behind = self.flush_wanted and not self.behind
        if self.flush_wanted:
            self.hold(CATCH_UP_PAUSE)

    def accepted(self, what: str, reply: Reply) -> None:
        if self.backoffs[what].failures:
            log.info("event=server_answers_again what=%s", what)
        self.backoffs[what].reset()
        self.clock.learn(reply.body.get("time"), *reply.asked)
        self.pace.follow(reply.body.get("settings"))
        self.spool.follow(reply.body.get("settings"))
        self.pace.watch(reply.body.get("live"), time.monotonic())
        self.reporting.wish(reply.body.get("send"))

    def refused(self, what: str, reply: Reply) -> None:
        self.failures += 1
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
            self.reporting.later(pause)
        else:
            self.reporting.sooner(pause)
            self.hold(pause)
        if reply.action not in (http.DROP, http.SPLIT):
            # What fails must not keep the newest from being tried.
            self.behind = False
