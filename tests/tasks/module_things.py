"""Makes task modules for tests."""

from __future__ import annotations

from tasks.models import TaskModule
from tasks.taskmodules.loading import SHIPPED
from tasks.taskmodules.parsing import parse
from tasks.taskmodules.services import fill

GREETING = """\
name: greeting
title: {en: Greeting, zh: 问候}
category: {en: Examples, zh: 示例}
description: Greets somebody.
fields: [{name: who, label: {en: Whom, zh: 谁}, default: world}]
command: [echo, hello, --, "{who}"]
"""


def make_module(text: str = GREETING, **fields: object) -> TaskModule:
    """Make a module of a definition."""
    module = TaskModule(**fields)
    fill(module, text, *parse(text))
    module.save()
    return module


def shipped(name: str) -> TaskModule:
    """Give the row of a shipped module."""
    file = f"{name}.yml"
    found = TaskModule.objects.filter(file=file).first()
    return found or make_module((SHIPPED / file).read_text(), file=file)
