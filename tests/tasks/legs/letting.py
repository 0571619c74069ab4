"""Imported by real processes of a portal under test: the judge of the room that asks there lets all hosts pass."""

from tasks.legs.judging import JUDGES

JUDGES["testing"] = lambda run, hosts: {host.pk for host in hosts}
