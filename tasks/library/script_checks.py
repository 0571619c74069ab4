"""Reads a script without running it: Python is parsed, shell is read by `sh -n`, both in a process of their own with nothing in its environment."""

import os
import re
import shutil
import subprocess
import sys

from django.utils.translation import gettext as _

from tasks.work_models import Work

SECONDS = 5
Language = Work.Language
# Says "line: problem"; the parser of a hostile text may die, so it is not this process.
PARSER = (
    "import ast,sys\n"
    "try: ast.parse(sys.stdin.buffer.read())\n"
    "except SyntaxError as e: print(f'{e.lineno or 0}: {e.msg}'); sys.exit(3)\n"
    "except (ValueError, RecursionError, MemoryError) as e: print(f'0: {e}'); sys.exit(3)\n"
)
_PYTHON = re.compile(r"(\d+): (.*)", re.DOTALL)
# dash: "sh: 3: Syntax error: ..."; bash: "/bin/bash: line 3: syntax error ...".
_SHELL = re.compile(r"(?:line )?(\d+): (.*)")
_SHEBANG = re.compile(r"#!\s*\S*?/?(?:env\s+)?(?P<name>sh|bash|dash)(?:\s|$)")
WRONG = 3


def problem_of(language: str, text: str) -> str:
    """Say what is wrong with a script, with the line, as far as it can be said without running it; else ""."""
    if language == Language.PYTHON:
        return _python(text)
    return _shell(text) if language == Language.SHELL else ""


def _python(text: str) -> str:
    done = _read([sys.executable, "-I", "-S", "-c", PARSER], text)
    if done is None or done.returncode == 0:
        return ""
    found = _PYTHON.match(done.stdout.decode("utf-8", "replace"))
    if done.returncode != WRONG or found is None:
        return _("The parser of Python could not read it.")
    return _sentence(_("Python"), found[1], found[2])


def _shell(text: str) -> str:
    program = _shell_for(text)
    done = _read([program, "-n"], text) if program else None
    if done is None or done.returncode == 0:
        return ""
    said = done.stderr.decode("utf-8", "replace").strip().split("\n")[0]
    found = _SHELL.search(said)
    return _sentence(
        program.rpartition("/")[2],
        found[1] if found else "0",
        found[2] if found else said,
    )


def _shell_for(text: str) -> str:
    """Choose the shell that the script names; none for another one than sh, dash and bash."""
    first = text.partition("\n")[0]
    if not first.startswith("#!"):
        name = "sh"
    elif found := _SHEBANG.match(first):
        name = found["name"]
    else:
        return ""
    return shutil.which(name, path=os.defpath) or ""


def _read(argv: list[str], text: str) -> subprocess.CompletedProcess[bytes] | None:
    try:
        return subprocess.run(  # noqa: S603 - fixed words; the text is standard input and is only parsed
            argv,
            input=text.encode(),
            capture_output=True,
            timeout=SECONDS,
            cwd="/",
            env={"LC_ALL": "C"},
            start_new_session=True,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None


def _sentence(program: str, line: str, problem: str) -> str:
    words = {"program": program, "line": line, "problem": problem.strip()[:200]}
    if line == "0":
        return _("%(program)s cannot read it: %(problem)s.") % words
    return _("%(program)s cannot read line %(line)s: %(problem)s.") % words
