"""A sending thread that is not started, for tests that push it by hand."""

import time
from pathlib import Path
from types import SimpleNamespace

from agent.extras import Extras
from agent.reporting import Reporting
from agent.schedule import Pace
from agent.sender import Sender
from agent.shipper import Shipper
from agent.spool import Spool

TOKEN = "0123456789abcdef0123456789abcdef.s3cr3t-and-long-enough"


class Background:
    """Tables that wait, and those that are done."""

    def __init__(self):
        self.waiting, self.finished = [], []

    def undelivered(self):
        return list(self.waiting)

    def deliver(self, tables):
        self.finished += tables
        self.waiting = [entry for entry in self.waiting if entry not in tables]

    def left_out(self):
        return {"units": 0, "containers": 2}


def spool_of(config):
    return Spool(Path(config.spool_dir), 1 << 20, 3600)


def shipper_of(config, spool, background):
    sender = Sender(config.server, TOKEN, config)
    report = {"facts": {"hostname": "h", "booted_at": 1}}
    pace = Pace(15, 15, 3600)
    sampler = SimpleNamespace(left_out={"mounts": 3, "values": 0})
    reporting = Reporting(lambda wanted: report, pace)
    made = Shipper(sender, spool, reporting, pace, Extras(sampler, background))
    made.content = report["facts"]
    return made


def left(spool):
    batch = spool.newest(200)
    return [entry["seq"] for entry in batch.samples] if batch else []


def held(shipper):
    return shipper.held_until - time.monotonic()
