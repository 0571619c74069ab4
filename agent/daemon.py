"""The daemon: samples on the main thread, sends on another, stops at once."""

import functools
import logging
import signal
import time
from pathlib import Path
from typing import Any, Dict, FrozenSet, Optional, Tuple
from urllib.parse import urlsplit

from agent import credential as credentials
from agent.config import Config
from agent.credential import Credential
from agent.errors import AgentError, ConfigError
from agent.extras import Extras
from agent.facts import facts
from agent.files import read_text
from agent.gathering import Gathering
from agent.identity import boot_id, identity, since_boot
from agent.own import Own
from agent.reporting import Reporting
from agent.sampler import Sampler
from agent.schedule import Pace
from agent.sender import Sender
from agent.sequence import Sequence
from agent.shipper import Shipper
from agent.spool import Spool
from agent.version import VERSION

PRIMING_SECONDS = 1.0
LOOPBACK = ("127.0.0.1", "::1", "localhost")
log = logging.getLogger(__name__)


def report(
    server: str, dmi_dir: str, wanted: FrozenSet[str] = frozenset()
) -> Dict[str, Any]:
    """The body of a facts post (and, with the same fields, of an enrolment).

    `wanted`: what the portal asked for besides, such as the list of packages.
    """
    return {
        "boot_id": boot_id(),
        "seq": since_boot(),
        "sent_at": time.time(),
        "identity": identity(dmi_dir),
        "facts": facts(server, dmi_dir, wanted),
    }


def known(config: Config) -> Credential:
    """The credential, for the configured server when there is one."""
    credential = credentials.load(config.credential_file)
    server = config.server or credential.server
    if not server:
        raise ConfigError("No server is known: set the option server.")
    if config.ca_file and read_text(config.ca_file) is None:
        raise ConfigError(
            f"The option ca_file names {config.ca_file}, which cannot be read: "
            "give a PEM file, or leave it out to trust the system's authorities."
        )
    parts = urlsplit(server)
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        log.warning(
            'event=plain_http server=%s meaning="the secret travels in clear"', server
        )
    elif not config.verify_tls:
        log.warning('event=tls_not_verified meaning="anybody can pose as the server"')
    return credential._replace(server=server)


def sequence(config: Config) -> Sequence:
    path = Path(config.credential_file).with_name("sequence.json")
    return Sequence(path, boot_id())


class Daemon:
    """Ties sampler, spool and shipper to one clock."""

    def __init__(self, config: Config) -> None:
        self.credential = known(config)
        server = self.credential.server
        self.pace = Pace(
            config.sample_seconds, config.flush_seconds, config.facts_seconds
        )
        self.pace.warm_up(
            time.monotonic() + config.warmup_seconds, self.credential.agent_id
        )
        self.spool = Spool(
            Path(config.spool_dir), config.spool_max_bytes, config.spool_max_age_seconds
        )
        self.numbers = sequence(config)
        self.gathering = Gathering(config)
        self.sampler = Sampler(
            config.network_filesystems, (self.own_values, self.gathering.values)
        )
        self.sender = Sender(server, self.credential.token, config)
        gather = functools.partial(report, server, config.dmi_dir)
        self.shipper = Shipper(
            self.sender,
            self.spool,
            Reporting(gather, self.pace),
            self.pace,
            Extras(self.sampler, self.gathering),
        )
        self.own = Own(
            self.spool.count,
            lambda: self.shipper.failures,
            lambda: self.spool.lost,
        )
        self.flushed: Optional[Tuple[float, int]] = None

    def own_values(self) -> Dict[str, Any]:
        """The agent's own figures, and how far the host's clock is off."""
        offset = self.shipper.clock.offset()
        known = {} if offset is None else {"system.clock_offset_seconds": offset}
        return dict(self.own.values(), **known)

    def run(self) -> None:
        """Until a signal raises SystemExit; the spool needs no farewell."""
        log.info(
            "event=start version=%s agent=%s server=%s",
            VERSION,
            self.credential.agent_id,
            self.credential.server,
        )
        try:
            self.sampler.sample()
            self.gathering.start()
            self.shipper.start()
            self.loop()
        finally:
            ignore_signals()
            self.shipper.stop()
            self.gathering.stop()
            self.spool.close()
            log.info("event=stop")

    def loop(self) -> None:
        due = time.monotonic() + PRIMING_SECONDS
        while True:
            if self.pace.changed.wait(max(due - time.monotonic(), 0.0)):
                self.pace.changed.clear()
                due = self.pace.next_sample(time.monotonic())
                continue
            if not self.shipper.is_alive():
                raise AgentError(
                    "The sending thread has ended; the reason stands above."
                )
            self.tick()
            due = self.pace.next_sample(time.monotonic())

    def tick(self) -> None:
        """One sample, and a flush when it is time for one."""
        sample = self.sampler.sample()
        sample.update(boot_id=self.numbers.boot_id, seq=self.numbers.next())
        self.spool.append(sample)
        slot = self.pace.flush_slot(time.monotonic())
        if slot != self.flushed:
            self.flushed = slot
            self.shipper.flush()


def leave(_number: int, _frame: Any) -> None:
    raise SystemExit(0)


def ignore_signals() -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)


def run(config: Config) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, leave)
    Daemon(config).run()
