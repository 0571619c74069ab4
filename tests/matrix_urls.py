"""Fills the urls of the matrix with objects of its stage, and says what each is about and how it is asked."""

import re
from typing import Any

from django.urls import URLPattern

from tasks.models import RunHost, TerminalSession

# Kinds of object that lie where their host lies.
OF_HOSTS = ("installation", "nic", "disk", "ipaddress", "dnsrecord", "identityconflict")
# Workflows lie where the hosts of their steps lie.
FLOWS = {"workflow", "workflowrun", "workflowstep"}
# What stands for the other parts of an address.
TAKEN = {
    "delivery": "1",
    "key": "cpu",
    "host": "1",
    "kind": "cmdb.hostgroup",
    "panel": "p1",
    "word": "start",
    "path": "hosts",
    "position": "1",
    "ticket": "0" * 32,
}


def kind_of(name: str) -> str:
    """Say which object a url needs, by its name: "api:cmdb-host-detail" and "tasks:host_key" a host."""
    plain = name.rpartition(":")[2]
    if name.startswith("api:"):
        return plain.split("-")[1]
    for stem in ("my_token", "my_session"):
        if plain.startswith(stem):
            return stem
    return plain.partition("_")[0]


def address_of(name: str, route: str, objects: dict[str, int]) -> str:
    """Fill a route with an object.

    Raises:
        AssertionError: there is no such object on the stage: the url has no row yet.
    """
    plain = route.replace("^", "").replace("$", "").replace("\\Z", "")
    plain = re.sub(r"\(\?P<(\w+)>[^)]*\)", r"<\1>", plain).replace("\\.", ".")
    for taken in re.findall(r"<(?:\w+:)?(\w+)>", plain):
        if taken in ("pk", "object_id"):
            kind = kind_of(name)
            assert kind in objects, (
                f"{name} needs a {kind}: make one in tests/matrix.py, so that it gets a row"
            )
            value = str(objects[kind])
        else:
            value = TAKEN.get(taken, "json")
        plain = re.sub(rf"<(?:\w+:)?{taken}>", value, plain, count=1)
    return "/" + plain.replace("/?", "/")


def is_scoped(name: str) -> bool:
    """Say whether a url is about an object that lies in a group or does not."""
    kinds = {"host", "agent", "hostgroup", "credential", "enrolmenttoken", *OF_HOSTS}
    kinds |= {"servicecheck", "heartbeat", "terminalsession"}
    kinds |= {"relation", "related", "impact"}
    # What is delivered lies where the hosts of its environment lie.
    kinds |= {"deploy", "deploylock"}
    kinds |= {"project", "environment"}
    about_one = name.endswith("-detail") or not name.endswith(
        (
            "_list",
            "-list",
            "_add",
            "_import",
            "_edit",
            "_delete",
            "_bulk_rename",
            "card",
            "fleet",
            "run_filter",
            "run_questions",
            "host_bulk_run",
            "host_bulk_terminal",
            "schedule_preview",
            "terminalsession_live",
            "terminalsession_recordings",
        )
    )
    single = name.endswith(("_edit", "_delete")) and "_bulk_" not in name
    lines = {"change", "request"}
    return kind_of(name) in kinds | lines | {
        "run",
        "schedule",
        "template",
    } | FLOWS and (about_one or single)


def socket_address(route: str, objects: dict[str, int]) -> str:
    """Fill the route of a web socket of a run or of a terminal."""
    if "<str:key>" in route:
        session = TerminalSession.objects.get(pk=objects["terminalsession"])
        return "/" + route.replace("<str:key>", session.key)
    run_host = RunHost.objects.get(run=objects["run"])
    plain = route.replace("<int:pk>", str(objects["run"]))
    return "/" + plain.replace("<int:host>", str(run_host.pk))


def methods_of(name: str, pattern: URLPattern) -> tuple[str, ...]:
    """Say which methods are asked: of an endpoint those that it offers, of a page GET and POST."""
    view: Any = pattern.callback
    actions = getattr(view, "actions", None)
    if actions is None:
        return ("GET", "POST")
    offered = set(view.cls.http_method_names)
    return tuple(
        m.upper()
        for m in ("get", "post", "put", "patch", "delete")
        if m in actions and m in offered
    )
