#!/usr/bin/env python3
"""AdminSet from the command line: run, follow, wait, cancel, from anywhere. One file, Python 3.8, and `requests`.

    export ADMINSET_URL=https://portal.example ADMINSET_TOKEN_FILE=~/.adminset-token
    adminset-cli run command 'systemctl is-active nginx' --group web
    adminset-cli run template deploy --var version=1.4 --timeout 900
    adminset-cli deploy shop/main live --ref v1.4 --reason 'release 1.4' --wait

The token never stands on the command line, where every user of the machine could read it:

    ADMINSET_URL         address of the portal (or --url)
    ADMINSET_TOKEN_FILE  file with an API token that only its owner can read (or --token-file); default ~/.adminset-token
    ADMINSET_TOKEN       the token itself, as CI systems give secrets
    ADMINSET_CA_FILE     certificates to trust instead of the machine's own (or --ca-file)
    ADMINSET_SECRET_X    value of the secret x that --secret x names

Ends with 0 ok, 1 the run failed, 2 wrong usage or refused by the portal, 3 cancelled, 4 not ended within --timeout,
5 the portal cannot be reached, 130 interrupted while the run goes on.
"""

import argparse
import getpass
import hashlib
import json
import os
import random
import re
import stat
import sys
import time
import uuid
from pathlib import Path
from urllib.parse import quote, urlsplit

import requests

VERSION = "1"
OK, FAILED, USAGE, CANCELLED, TIMED_OUT, UNREACHABLE, INTERRUPTED = (
    0,
    1,
    2,
    3,
    4,
    5,
    130,
)
LOCAL = {"localhost", "127.0.0.1", "::1"}
# How long the portal may hold an answer, and how often one looks at what it does not hold.
WAIT_SECONDS, LOOK_SECONDS = 20, 2
TIMES_OUT = (10, 60)
# An outage of the portal that a command sits out: asking for something, following something.
PATIENCE_ASKING, PATIENCE_FOLLOWING = 60, 600
MOST_PIECE, BYTES = 1 << 20, {"Content-Type": "application/octet-stream"}
AGAIN = {429, 502, 503, 504}
COLOURS = (36, 33, 35, 32, 34, 96, 93, 95, 92, 94)
BAD_COLOUR, GOOD_COLOUR = 31, 32
# What a terminal would obey: whole sequences, then single signs (tab and line end stay).
SEQUENCES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_].*?(?:\x07|\x1b\\)|\x1b[@-Z\\-_]?", re.DOTALL
)
SIGNS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
HIDDEN = "what stands there"
LANGUAGES = {".py": "python", ".ps1": "powershell"}


class CliError(Exception):
    """What is wrong, in a sentence, and the exit code that says so."""

    def __init__(self, words, code=USAGE):
        super().__init__(words)
        self.code = code


class _BrokenError(Exception):
    """The answer broke off on its way."""


# ---- Speaking with the portal


class _Bearer(requests.auth.AuthBase):
    """The token; as `auth`, so that a .netrc does not replace it."""

    def __init__(self, token):
        self._token = token

    def __call__(self, request):
        request.headers["Authorization"] = "Bearer " + self._token
        return request


class Portal:
    """One portal, spoken to with one token."""

    def __init__(self, url, token, ca_file=None):
        parts = urlsplit(url)
        if parts.scheme not in ("https", "http") or not parts.hostname:
            raise CliError(
                "Set ADMINSET_URL to the portal's address, such as https://portal.example."
            )
        plain = os.environ.get("ADMINSET_ALLOW_HTTP") == "1" or parts.hostname in LOCAL
        if parts.scheme == "http" and not plain:
            raise CliError(
                "A token is not sent over http:// (ADMINSET_ALLOW_HTTP=1 allows it)."
            )
        self.url = url.rstrip("/")
        self.session = requests.Session()
        self.session.auth = _Bearer(token)
        self.session.headers.update(
            {"Accept": "application/json", "User-Agent": "adminset-cli/" + VERSION}
        )
        self.verify = ca_file or True

    def get(self, path, query=None, patience=PATIENCE_ASKING):
        """Ask for something."""
        return self.send("GET", path, query=query, patience=patience)

    def post(self, path, body=None, key=None, patience=PATIENCE_ASKING):
        """Send something; with a key it is safe to send again."""
        headers = {"Idempotency-Key": key} if key else {}
        return self.send(
            "POST", path, body=body or {}, headers=headers, patience=patience
        )

    def send(
        self,
        method,
        path,
        query=None,
        body=None,
        headers=None,
        patience=PATIENCE_ASKING,
    ):
        """Send until there is an answer, with growing pauses; give its JSON."""
        until, pause = time.monotonic() + patience, 0.5
        # Bytes go as they are: a piece of a file.
        sent = {"data" if isinstance(body, bytes) else "json": body}
        while True:
            try:
                answer = self.session.request(
                    method, self.url + "/api/v1" + path, params=query, headers=headers,
                    timeout=TIMES_OUT, verify=self.verify, allow_redirects=False, **sent,
                )  # fmt: skip
            except requests.exceptions.SSLError as error:
                raise CliError(
                    f"The portal's certificate is not trusted: {error}", UNREACHABLE
                ) from None
            except requests.exceptions.RequestException as error:
                words, wait = f"The portal cannot be reached: {_short(error)}", pause
            else:
                try:
                    if answer.status_code not in AGAIN:
                        return _read(answer)
                    words, wait = _refusal(answer), _asked_pause(answer, pause)
                except _BrokenError:
                    words, wait = "The portal's answers break off.", pause
            if time.monotonic() + wait > until:
                raise CliError(words, UNREACHABLE)
            time.sleep(wait * random.uniform(0.8, 1.2))  # noqa: S311 - spreads retries, keeps no secret
            pause = min(pause * 2, 15)

    def find(self, kind, name, called=""):
        """Give the id of an object by its name or id."""
        if str(name).isdecimal():
            return int(name)
        rows = self.get(f"/{kind}/", {"f.name.is": name})["results"]
        if len(rows) != 1:
            called = called or kind[:-1]
            raise CliError(f"There is no {called} called {name} that you may see.")
        return rows[0]["id"]


def _read(answer):
    if 200 <= answer.status_code < 300:
        try:
            return answer.json()
        except ValueError:
            if _is_broken(answer):
                raise _BrokenError from None
            raise CliError(
                "This address answers, but not as a portal: look at ADMINSET_URL.",
                UNREACHABLE,
            ) from None
    if 300 <= answer.status_code < 400:
        raise CliError(
            "The address leads to {}: set ADMINSET_URL to that.".format(
                answer.headers.get("Location", "?")
            )
        )
    raise CliError(_refusal(answer), USAGE if answer.status_code < 500 else UNREACHABLE)


def _is_broken(answer):
    """Say whether what cannot be read is a portal's, cut on its way: an end within the headers looks like the end of them."""
    kind = answer.headers.get("Content-Type", "")
    return "json" in kind or (
        not answer.content and "application/json".startswith(kind)
    )


def _refusal(answer):
    try:
        told = answer.json()["error"]
        fields = ["{}: {}".format(*pair) for pair in told.get("fields", {}).items()]
        words = " ".join(filter(None, [told["message"], told["hint"], *fields]))
    except (ValueError, KeyError, TypeError, AttributeError):
        words = answer.reason or ""
    return clean(f"The portal answered {answer.status_code}: {words}", lines=False)


def _asked_pause(answer, pause):
    text = answer.headers.get("Retry-After", "")
    return max(pause, min(int(text), 120)) if text.isdecimal() else pause


def _short(error):
    text = str(error)
    return text if len(text) < 200 else text[:200] + "..."


# ---- What is typed, and what is shown


def clean(text, lines=True):
    """Give a text from elsewhere without anything that a terminal would obey."""
    bare = SIGNS.sub(
        "", SEQUENCES.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    )
    return bare if lines else bare.replace("\n", " ")


def put(line):
    """Write a line of the result at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


class Screen:
    """Prints: lines of hosts in a colour each, or one JSON object a line."""

    def __init__(self, as_json=False, colour=True):
        self.as_json = as_json
        self.colour = colour and sys.stdout.isatty() and not os.environ.get("NO_COLOR")

    def painted(self, text, colour):
        """Give a text in a colour."""
        return f"\x1b[{colour}m{text}\x1b[0m" if self.colour else text

    def say(self, words):
        """Tell the person, beside what is the result."""
        sys.stderr.write(clean(words, lines=False) + "\n")

    def give(self, data, lines):
        """Print a result: the data as JSON, or lines for people."""
        if self.as_json:
            put(json.dumps(data, ensure_ascii=True, sort_keys=True))
            return
        for line in lines:
            put(line)

    def line(self, host, text):
        """Print a line of a host's output."""
        number = int(hashlib.sha256(host.encode()).hexdigest()[:4], 16)
        name = self.painted(clean(host, lines=False), COLOURS[number % len(COLOURS)])
        put(f"{name} | {clean(text, lines=False)}")

    def ended(self, host):
        """Print how a host ended."""
        good = host["status"] == "ok"
        word = self.painted(
            host["status"].replace("_", " "), GOOD_COLOUR if good else BAD_COLOUR
        )
        code = (
            ""
            if host["exit_code"] in (None, 0)
            else " (exit code {})".format(host["exit_code"])
        )
        why = (
            ""
            if good
            else clean(" " + (host["explanation"] or ""), lines=False).rstrip()
        )
        put(
            "{} = {}{}{}".format(clean(host["host_name"], lines=False), word, code, why)
        )


def token_of(named):
    """Give the token from the environment or from a file that nobody else can read."""
    if not named and os.environ.get("ADMINSET_TOKEN"):
        return _as_token(os.environ["ADMINSET_TOKEN"])
    path = Path(
        named or os.environ.get("ADMINSET_TOKEN_FILE") or "~/.adminset-token"
    ).expanduser()
    try:
        if os.name == "posix" and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise CliError(f"Others can read {path}: chmod 600 it.")
        return _as_token(path.read_text(encoding="ascii"))
    except FileNotFoundError:
        raise CliError(
            f"Set ADMINSET_TOKEN, or put an API token into {path} (mode 600)."
        ) from None
    except (OSError, ValueError) as error:
        raise CliError(f"The token cannot be read: {error}") from None


def _as_token(text):
    token = text.strip()
    if not re.match(r"[0-9A-Za-z._-]+\Z", token):
        raise CliError("This is no API token: it has the form <prefix>.<secret>.")
    return token


def pairs_of(texts, what):
    """Read name=value; a value that begins with : is JSON (count:=3, tags:=["a"])."""
    return dict(_pair(text, what, shown=repr(text)) for text in texts or ())


def _pair(text, what, shown):
    name, equals, value = text.partition("=")
    if not equals or not name.strip(":"):
        raise CliError(f"{what} takes name=value, not {shown}.")
    if not name.endswith(":"):
        return name, value
    try:
        return name[:-1], json.loads(value)
    except ValueError:
        raise CliError(f"{what}: no JSON follows := in {shown}.") from None


def piped_secrets(lines):
    """Read secrets from lines of name=value; what stands in a line that cannot be read is told nobody: it is secret."""
    return dict(
        _pair(line.rstrip("\n"), f"Line {number} of stdin", shown=HIDDEN)
        for number, line in enumerate(lines, 1)
        if line.strip()
    )


def secrets_of(args):
    """Give the values of --secret: from the environment, from stdin, or typed; never from the command line."""
    piped = piped_secrets(sys.stdin) if args.secrets_stdin else {}
    found = {}
    for name in args.secret or ():
        variable = "ADMINSET_SECRET_" + name.upper()
        if name in piped:
            found[name] = piped.pop(name)
        elif variable in os.environ:
            found[name] = os.environ[variable]
        elif sys.stdin.isatty():
            found[name] = getpass.getpass(f"{name}: ")
        else:
            raise CliError(
                f"Nobody can be asked for {name}: set {variable}, or use --secrets-stdin."
            )
    found.update(piped)
    return found


# ---- Following


class Followed:
    """What is being followed, as people call it, and where the portal has it."""

    def __init__(self, kind, number):
        name, path, again = {
            "run": ("Run", "runs", "follow"),
            "workflow": ("Workflow run", "workflow-runs", "workflow follow"),
            "deploy": ("Deploy", "deploys", "deploys --follow"),
            "push": ("Push of configuration", "config-pushes", "config-wait"),
        }[kind]
        self.number, self.name = number, f"{name} #{number}"
        self.path, self.again = f"/{path}/{number}", f"{again} {number}"


class Follower:
    """Where we are in the output of a run: after a lost connection it goes on from these bytes."""

    def __init__(self, portal, screen, run_id, quiet=False):
        self.portal, self.screen, self.quiet = portal, screen, quiet
        self.path = f"/runs/{run_id}"
        self.places, self.rest, self.told = {}, {}, ""

    def step(self, wait):
        """Ask once and print what is new; give the exit code once it has ended."""
        body = {"hosts": self.places, "wait": round(wait, 2)}
        news = self.portal.post(
            self.path + "/follow/", body, patience=PATIENCE_FOLLOWING
        )
        for piece in news["pieces"]:
            self._output(piece)
        for host in news["hosts"]:
            self._host(host)
        run = news["run"]
        if run["ended"] and not news["more"]:
            return _end(self.screen, run)
        if run["waits"] != self.told and run["waits"] and not self.screen.as_json:
            self.told = run["waits"]
            self.screen.say(self.told)
        return None

    def _place(self, key):
        return self.places.setdefault(str(key), {"offset": 0, "status": "not_started"})

    def _output(self, piece):
        self._place(piece["host"])["offset"] = piece["next_offset"]
        if self.quiet:
            return
        if self.screen.as_json:
            self.screen.give(dict(piece, type="output"), ())
            return
        name = piece["host_name"]
        *whole, rest = (self.rest.get(name, "") + piece["text"]).split("\n")
        for line in whole:
            self.screen.line(name, line)
        self.rest[name] = rest[-65536:]

    def _host(self, host):
        self._place(host["id"])["status"] = host["status"]
        if self.screen.as_json:
            self.screen.give(dict(host, type="host"), ())
            return
        if host["status"] in ("running", "not_started"):
            return
        self._flush(host["host_name"])
        if not self.quiet or host["status"] != "ok":
            self.screen.ended(host)

    def _flush(self, name):
        rest = self.rest.pop(name, "")
        if rest:
            self.screen.line(name, rest)


def follow(portal, screen, run_id, args):
    """Follow a run to its end; give the exit code."""
    follower = Follower(portal, screen, run_id, quiet=args.quiet)
    return to_the_end(portal, screen, Followed("run", run_id), follower.step, args)


def to_the_end(portal, screen, followed, step, args):
    """Look again and again, until it has ended, until --timeout, or until somebody interrupts; give the exit code.

    `step` looks once, waits so many seconds at most for something new, and gives the exit code, or None: it goes on.
    """
    until = time.monotonic() + args.timeout if args.timeout else None
    while True:
        try:
            left = WAIT_SECONDS if until is None else until - time.monotonic()
            code = step(max(0, min(WAIT_SECONDS, left)))
            if code is not None:
                return code
            if until is not None and time.monotonic() >= until:
                return _too_late(portal, screen, followed, args)
        except KeyboardInterrupt:
            code = _interrupted(portal, screen, followed, args)
            if code is not None:
                return code


def _end(screen, run):
    code = {"ok": OK, "cancelled": CANCELLED}.get(run["status"], FAILED)
    counted = ", ".join(
        "{} {}".format(n, word.replace("_", " "))
        for word, n in sorted(run["statuses"].items())
    )
    words = screen.painted(run["label"], GOOD_COLOUR if code == OK else BAD_COLOUR)
    line = "run #{}: {} ({})".format(run["id"], words, counted)
    why = clean(run["explanation"] or "", lines=False)
    screen.give(
        dict(run, type="end", exit_code=code), [line + (". " + why if why else "")]
    )
    return code


def _too_late(portal, screen, followed, args):
    screen.say(f"{followed.name} has not ended within {args.timeout} s.")
    if args.cancel_on_timeout:
        _cancel(portal, screen, followed)
    return TIMED_OUT


def _interrupted(portal, screen, followed, args):
    """Ask once whether it is to be stopped; None: go on following until it has stopped."""
    how = args.on_interrupt
    if how == "ask":
        how = "detach"
        if sys.stdin.isatty() and not getattr(args, "asked", False):
            args.asked = True
            how = (
                "cancel"
                if _agreed(f"Stop {followed.name.lower()} on its hosts? [y/N] ")
                else "detach"
            )
    if how == "cancel" and not getattr(args, "stopping", False):
        args.stopping = True
        _cancel(portal, screen, followed)
        return None
    screen.say(
        f"{followed.name} goes on. Follow it again: adminset-cli {followed.again}"
    )
    return INTERRUPTED


def _agreed(question):
    sys.stderr.write(question)
    sys.stderr.flush()
    try:
        return sys.stdin.readline().strip().lower() in ("y", "yes")
    except KeyboardInterrupt:
        return False


def _cancel(portal, screen, followed):
    try:
        portal.post(followed.path + "/cancel/")
        screen.say(f"{followed.name} is being stopped.")
    except CliError as error:
        screen.say(str(error))


# ---- Commands


def login_check(portal, screen, args):
    """Say whether the token works."""
    found = portal.get("/runs/", {"page_size": 1})
    screen.give(
        {"ok": True, "url": portal.url, "runs": found["count"]},
        [f"{portal.url}: the token works."],
    )
    return OK


def hosts(portal, screen, args):
    """Find hosts by a part of their name."""
    query = (
        {"f.hostname.has": args.find, "page_size": args.most}
        if args.find
        else {"page_size": args.most}
    )
    found = portal.get("/hosts/", query)
    rows = found["results"]
    screen.give(
        rows,
        [
            "{:<40} {}".format(
                clean(row["hostname"], lines=False), row.get("address") or "-"
            )
            for row in rows
        ],
    )
    if found["count"] > len(rows):
        screen.say("{} more: narrow it down.".format(found["count"] - len(rows)))
    return OK


def _work_of(args):
    """Give the fields of what runs."""
    what = args.what
    if what == "command":
        return {
            "kind": "command",
            "command": sys.stdin.read() if args.text == "-" else args.text,
        }
    if what == "script":
        return dict(
            _script_of(args), kind="script", script_arguments=args.arguments or ""
        )
    if what == "ansible":
        return {
            "kind": "module",
            "module": args.text,
            "arguments": args.arguments or "",
        }
    names = {"playbook": "playbook", "role": "role", "module": "task_module"}
    return {"kind": names[what], names[what]: args.text}


def _script_of(args):
    if args.library:
        return {"script": args.text}
    try:
        text = (
            sys.stdin.read()
            if args.text == "-"
            else Path(args.text).read_text(encoding="utf-8")
        )
    except (OSError, ValueError) as error:
        raise CliError(f"The script cannot be read: {error}") from None
    return {
        "script_text": text,
        "language": args.language or LANGUAGES.get(Path(args.text).suffix, "sh"),
    }


def body_of(args):
    """Give what is asked for."""
    body = {
        "hosts": args.host or [],
        "groups": args.group or [],
        "host_filter": args.filter or "",
    }
    body.update(
        (name, getattr(args, name))
        for name in CONTROL
        if getattr(args, name) not in (None, False)
    )
    variables, answers = pairs_of(args.var, "--var"), pairs_of(args.answer, "--answer")
    if args.what == "module":
        variables, answers = {}, dict(variables, **answers)
    options = {
        name: getattr(args, name)
        for name in OPTIONS
        if getattr(args, name) not in (None, False, 0)
    }
    deep = {
        "variables": variables,
        "answers": answers,
        "options": options,
        "secret_answers": secrets_of(args),
    }
    body.update((name, value) for name, value in deep.items() if value)
    own = {
        name: body.pop(name) for name in ("dry_run", "without_batches") if name in body
    }
    if args.what != "template":
        return dict(body, **own, **_work_of(args))
    values = {name: value for name, value in body.items() if value not in ([], "")}
    return dict(
        own, template=args.text, values=dict(values, **pairs_of(args.value, "--value"))
    )


CONTROL = (
    "title", "batches", "forks", "pause_after", "stop_percent", "together", "repeatable", "timeout_seconds",
    "run_timeout_seconds", "without_batches", "dry_run",
)  # fmt: skip
OPTIONS = ("check", "diff", "tags", "skip_tags", "limit", "verbosity")


def run(portal, screen, args):
    """Run something; follow it unless told otherwise."""
    made = portal.post("/runs/", body_of(args), key=args.key or str(uuid.uuid4()))
    if args.dry_run:
        screen.give(made, _preview(made))
        return USAGE if made["problem"] else OK
    return _begun(portal, screen, made, args)


def _begun(portal, screen, made, args):
    if screen.as_json:
        screen.give(dict(made, type="run"), ())
    else:
        screen.say("{}  {}".format(made["display"], made["url"]))
        if made["batches"]:
            screen.say("In batches: {}".format(made["batches"]))
    return OK if args.detach else follow(portal, screen, made["id"], args)


def _preview(told):
    yield "{} hosts{}".format(
        told["host_count"],
        ", in batches of {}".format(told["batch_sizes"]) if told["batches"] else "",
    )
    for host in told["hosts"]:
        notes = [*host["obstacles"], *filter(None, (host["critical"], host["frozen"]))]
        yield clean(
            "  {}{}".format(host["name"], ": " + " ".join(notes) if notes else ""),
            lines=False,
        )
    if told["problem"]:
        yield clean(told["problem"], lines=False)


def follow_run(portal, screen, args):
    """Follow a run from its beginning."""
    return follow(portal, screen, args.run, args)


def wait(portal, screen, args):
    """Wait for the end of a run, telling only what failed."""
    args.quiet = True
    return follow(portal, screen, args.run, args)


def runs(portal, screen, args):
    """List the newest runs."""
    query = {"page_size": args.most}
    if args.status:
        query["status"] = args.status
    rows = portal.get("/runs/", query)["results"]
    lines = [
        "{:<10} {:>3}/{:<4} {}".format(
            r["status"],
            r["ok_count"],
            r["host_count"],
            clean(r["display"], lines=False),
        )
        for r in rows
    ]
    screen.give(rows, lines)
    return OK


def output(portal, screen, args):
    """Print the output of one host of a run, or of the run as a whole, as it is kept."""
    offset, query = 0, {"host": args.host} if args.host else {}
    while True:
        piece = portal.get(f"/runs/{args.run}/output/", dict(query, offset=offset))
        text = (
            piece["text"]
            if args.raw or not sys.stdout.isatty()
            else clean(piece["text"])
        )
        sys.stdout.write(text)
        if piece["ended"] or not piece["text"]:
            sys.stdout.flush()
            return OK
        offset = piece["next_offset"]


def act(portal, screen, args):
    """Cancel, pause or resume a run."""
    found = portal.post(f"/runs/{args.run}/{args.command}/")
    screen.give(
        found, ["{}: {}".format(clean(found["display"], lines=False), found["label"])]
    )
    return OK


def repeat(portal, screen, args):
    """Run the same once more."""
    body = {"hosts": args.on or ["all"]}
    made = portal.post(
        f"/runs/{args.run}/repeat/", body, key=args.key or str(uuid.uuid4())
    )
    return _begun(portal, screen, made, args)


def workflow_start(portal, screen, args):
    """Start a workflow and follow its steps."""
    number = portal.find("workflows", args.name)
    body = {"variables": pairs_of(args.var, "--var")}
    made = portal.post(
        f"/workflows/{number}/start/", body, key=args.key or str(uuid.uuid4())
    )
    screen.say("workflow run #{}".format(made["id"]))
    if args.detach:
        screen.give(made, ())
        return OK
    args.run = made["id"]
    return workflow_follow(portal, screen, args)


def workflow_follow(portal, screen, args):
    """Tell of each step of a workflow as it goes on."""
    followed, known = Followed("workflow", args.run), {}

    def step(wait):
        told = portal.get(followed.path + "/steps/", patience=PATIENCE_FOLLOWING)
        for each in told["steps"]:
            if known.get(each["key"]) != (each["status"], each["attempt"]):
                known[each["key"]] = (each["status"], each["attempt"])
                _tell_step(screen, each, args.quiet)
        if told["ended"]:
            return _workflow_end(screen, told)
        time.sleep(min(wait, LOOK_SECONDS))
        return None

    return to_the_end(portal, screen, followed, step, args)


def _tell_step(screen, step, quiet):
    if quiet and step["status"] != "failed":
        return
    about = " (run #{})".format(step["run"]) if step["run"] else ""
    line = "{}: {}{} {}".format(
        step["title"] or step["key"], step["status"], about, step["explanation"]
    )
    screen.give(dict(step, type="step"), [clean(line, lines=False).rstrip()])


def _workflow_end(screen, told):
    code = {"ok": OK, "cancelled": CANCELLED}.get(told["status"], FAILED)
    line = "workflow run #{}: {} {}".format(
        told["id"], told["status"], told["explanation"]
    )
    screen.give(
        dict(told, type="end", exit_code=code), [clean(line, lines=False).rstrip()]
    )
    return code


def workflow_act(portal, screen, args):
    """Cancel or resume a run of a workflow, retry or skip a failed step of it."""
    path, body = f"/workflow-runs/{args.run}", {}
    if args.act in ("retry", "skip"):
        path += f"/steps/{quote(args.step, safe='')}"
    if args.act == "skip":
        body = {"reason": args.reason}
    told = portal.post(f"{path}/{args.act}/", body)
    line = "workflow run #{}: {} {}".format(
        told["id"], told["status"], told["explanation"]
    )
    screen.give(told, [clean(line, lines=False).rstrip()])
    return OK


def fetch(portal, screen, args):
    """Have a git repository read, and wait until it was."""
    number = portal.find("git-repositories", args.name, "git repository")
    path, until = f"/git-repositories/{number}/", time.monotonic() + args.timeout
    told = portal.post(path + "fetch/")
    while told["state"] in ("waiting", "running") and not args.detach:
        if time.monotonic() >= until:
            screen.say(f"It was not read within {args.timeout} s.")
            return TIMED_OUT
        time.sleep(LOOK_SECONDS)
        told = portal.get(path, patience=PATIENCE_FOLLOWING)
    line = "{}: {} {}".format(args.name, told["state"], told["message"])
    screen.give(told, [clean(line, lines=False).rstrip()])
    return FAILED if told["state"] == "failed" else OK


def schedule(portal, screen, args):
    """Run the work of a schedule now, pause it, or let it go on."""
    number = portal.find("schedules", args.name)
    if args.act == "run":
        key = args.key or str(uuid.uuid4())
        made = portal.post(f"/schedules/{number}/run-now/", key=key)
        return _begun(portal, screen, made, args)
    body = {"reason": args.reason} if args.reason else {}
    told = portal.post(f"/schedules/{number}/{args.act}/", body)
    line = "{}: {}".format(told["name"], "on" if told["enabled"] else "off")
    screen.give(told, [clean(line, lines=False)])
    return OK


# ---- Deliveries


def _placed(portal, kind, named, called):
    """Give the id of a pipeline or an environment: its number, its name, or PROJECT/NAME."""
    project, slash, name = named.rpartition("/")
    if not slash:
        return portal.find(kind, named, called)
    rows = portal.get(f"/{kind}/", {"f.name.is": name.strip()})["results"]
    wanted = f"{project.strip()} / {name.strip()}"
    rows = [row for row in rows if row["display"] == wanted]
    if len(rows) != 1:
        raise CliError(f"There is no {called} called {named} that you may see.")
    return rows[0]["id"]


def _until(portal, path, is_open, args):
    """Ask for something that a worker makes, until it is there."""
    until = time.monotonic() + (args.timeout or PATIENCE_FOLLOWING)
    while True:
        told = portal.get(path, {"wait": WAIT_SECONDS}, patience=PATIENCE_FOLLOWING)
        if not is_open(told):
            return told
        if time.monotonic() >= until:
            raise CliError("No worker has answered yet.", TIMED_OUT)
        time.sleep(0.2)


def deploy(portal, screen, args):
    """Show the plan of a deploy, and begin it after a yes; follow it where that is asked for."""
    number = _placed(portal, "pipelines", args.pipeline, "pipeline")
    asked = {
        "environment": args.environment,
        "ref_kind": args.ref_kind,
        "ref": args.ref,
        "hosts": args.host or [],
    }
    made = portal.post(f"/pipelines/{number}/plan/", asked)
    told = _until(
        portal,
        "/pipelines/{}/plan/{}/".format(number, made["key"]),
        lambda one: one["state"] == "asked",
        args,
    )
    if told["plan"] is None:
        raise CliError(
            clean("{} {}".format(told["message"], told["hint"]).strip(), lines=False)
        )
    plan = told["plan"]
    screen.give(dict(plan, type="plan"), map(_line, _plan_lines(plan)))
    if plan["problems"]:
        return USAGE
    if not args.yes and not (sys.stdin.isatty() and _agreed("Deliver it? [y/N] ")):
        screen.say("Nothing was begun. Say yes to the plan, or use --yes.")
        return USAGE
    body = dict(
        asked,
        plan_hash=plan["hash"],
        reason=args.reason,
        emergency_reason=args.emergency or "",
    )
    return _wished(portal, screen, f"/pipelines/{number}/deploy/", body, args)


def _plan_lines(plan):
    yield "{} -> {} host(s){}".format(plan["commit"][:12] or plan["ref"], len(plan["rows"]) + plan["hidden"],
        ", {} batches".format(plan["batch_count"]) if plan["batch_count"] > 1 else "")  # fmt: skip
    for row in plan["rows"]:
        yield "  {} {} -> {} {}".format(row["host"], row["from_release"] or "-", row["to_release"] or "a new release",
            "({} bytes)".format(row["bytes"]) if row["bytes"] is not None else "")  # fmt: skip
    for one in plan["commits"]:
        yield "  {} {} {}".format(
            "-" if one["gone"] else "+", one["commit"][:12], one["subject"]
        )
    for one in plan["commands"]:
        yield "  {} ({}): {}".format(one["stage"], one["where"], one["command"])
    if plan["approvals_needed"]:
        yield "It waits for {} approval(s).".format(plan["approvals_needed"])
    yield from filter(None, [*plan["warnings"], plan["closed"], *plan["problems"]])


def _line(text):
    return clean(text, lines=False).rstrip()


def _wished(portal, screen, path, body, args):
    """Ask for a deploy, wait until a worker has written it down, and follow it where that is asked for."""
    made = portal.post(path, body, key=args.key or str(uuid.uuid4()))
    return _decided(portal, screen, made["id"], args)


def _decided(portal, screen, number, args):
    told = _until(
        portal,
        f"/deploy-requests/{number}/",
        lambda one: one["state"] == "waiting",
        args,
    )
    screen.give(
        dict(told, type="request"),
        [_line("deploy #{}  {}".format(told["deploy"], told["url"]))]
        if told["deploy"]
        else [],
    )
    if told["deploy"] is None:
        raise CliError(_line(told["words"]))
    return deploy_follow(portal, screen, told["deploy"], args) if args.wait else OK


def deploy_follow(portal, screen, number, args):
    """Tell of each step and host of a deploy as it goes on."""
    followed, known, mark = Followed("deploy", number), {}, [""]

    def step(wait):
        query = {"known": mark[0], "wait": round(wait, 2)}
        told = portal.get(
            followed.path + "/status/", query, patience=PATIENCE_FOLLOWING
        )
        mark[0] = told["mark"]
        rows = [("step", one["words"], one) for one in told["steps"]] + [
            ("host", one["host_name"], one) for one in told["hosts"]
        ]
        for kind, name, one in rows:
            _tell_change(screen, known, kind, name, one, args.quiet)
        if told["waiting_for"] and known.get("waits") != told["waiting_for"]:
            known["waits"] = told["waiting_for"]
            screen.say(told["waiting_for"])
        if not told["ended"]:
            time.sleep(min(wait, 0.2))
            return None
        code = {"ok": OK, "cancelled": CANCELLED}.get(told["status"], FAILED)
        line = "deploy #{}: {} {}".format(number, told["label"], told["explanation"])
        screen.give(dict(told, type="end", exit_code=code), [_line(line)])
        return code

    return to_the_end(portal, screen, followed, step, args)


def _tell_change(screen, known, kind, name, one, quiet):
    key, now = (kind, one["id"]), one["status"]
    if known.get(key) == now or (now == "waiting" and key not in known):
        return
    known[key] = now
    if not quiet or now in ("failed", "unreachable"):
        screen.give(
            dict(one, type=kind),
            [
                _line(
                    "{}: {} {}".format(name, now.replace("_", " "), one["explanation"])
                )
            ],
        )


def deploys(portal, screen, args):
    """List the newest deploys, follow one, cancel one, or try one again."""
    if args.cancel:
        told = portal.post(
            f"/deploys/{args.cancel}/cancel/",
            {"reason": args.reason} if args.reason else {},
        )
        screen.give(told, [_line("{}: {}".format(told["display"], told["label"]))])
        return OK
    if args.retry:
        return _retried(portal, screen, args)
    if args.follow:
        return deploy_follow(portal, screen, args.follow, args)
    query = {"page_size": args.most, **({"status": args.status} if args.status else {})}
    rows = portal.get("/deploys/", query)["results"]
    lines = [
        "{:<16} {} {}".format(row["status"], row["display"], row["ref"]) for row in rows
    ]
    screen.give(rows, map(_line, lines))
    return OK


def _retried(portal, screen, args):
    """Try a deploy again: it goes on itself, or a worker makes another one; follow it where that is asked for."""
    body = {"what": "stage" if args.all_hosts else "failed"}
    body.update({name: text for name, text in (("reason", args.reason),
        ("emergency_reason", args.emergency)) if text})  # fmt: skip
    key = args.key or str(uuid.uuid4())
    told = portal.post(f"/deploys/{args.retry}/retry/", body, key=key)
    if told["request"]:
        return _decided(portal, screen, told["request"], args)
    screen.give(dict(told, type="retry"), [f"deploy #{args.retry} goes on"])
    return deploy_follow(portal, screen, args.retry, args) if args.wait else OK


def rollback(portal, screen, args):
    """Switch an environment back to a release that its hosts keep."""
    number = _placed(portal, "environments", args.environment, "environment")
    body = {"reason": args.reason, "hosts": args.host or []}
    if args.to:
        body["artefact"] = args.to
    return _wished(portal, screen, f"/environments/{number}/rollback/", body, args)


def config_push(portal, screen, args):
    """Push the configuration files of an environment that are in force to its hosts; follow it where that is asked for."""
    body = {"files": args.file or [], "hosts": args.host or []}
    if args.dry_run:
        number = _placed(portal, "environments", args.environment, "environment")
        plan = portal.post(f"/environments/{number}/config-plan/", body)
        screen.give(dict(plan, type="plan"), map(_line, _config_plan_lines(plan)))
        return USAGE if plan["problems"] else OK
    body.update(
        reason=args.reason,
        emergency_reason=args.emergency or "",
        plan_hash=args.plan_hash or "",
    )
    return _config_begun(portal, screen, "config-push", body, args)


def _config_plan_lines(plan):
    for one in plan["files"]:
        yield "{} v{}".format(one["path"], one["number"])
    for row in plan["hosts"]:
        for path, words in sorted(row["files"].items()):
            yield "  {} {}: {}".format(row["host_name"], path, words)
    if plan["hidden"]:
        yield "  and {} host(s) that you may not see".format(plan["hidden"])
    for command in plan["reload_commands"]:
        yield f"  reload: {command}"
    yield from filter(None, [plan["closed"], *plan["problems"]])
    yield "--plan-hash " + plan["hash"]


def config_read(portal, screen, args):
    """Read the configuration files of an environment back from its hosts."""
    body = {"files": args.file or []}
    return _config_begun(portal, screen, "config-read", body, args)


def _config_begun(portal, screen, act, body, args):
    number = _placed(portal, "environments", args.environment, "environment")
    key = args.key or str(uuid.uuid4())
    made = portal.post(f"/environments/{number}/{act}/", body, key=key)
    line = "{} #{}  {}".format(act, made["id"], made["url"])
    screen.give(dict(made, type="begun"), [_line(line)])
    return _config_follow(portal, screen, made["id"], args) if args.wait else OK


def config_wait(portal, screen, args):
    """Wait for the end of a push of configuration, or of a reading."""
    return _config_follow(portal, screen, args.push, args)


def _config_follow(portal, screen, number, args):
    followed = Followed("push", number)

    def step(wait):
        told = portal.get(followed.path + "/", patience=PATIENCE_FOLLOWING)
        if told["status"] == "running":
            time.sleep(min(wait, LOOK_SECONDS))
            return None
        code = {"ok": OK, "cancelled": CANCELLED}.get(told["status"], FAILED)
        line = "config #{}: {} {}".format(number, told["status"], told["explanation"])
        screen.give(dict(told, type="end", exit_code=code), [_line(line)])
        return code

    return to_the_end(portal, screen, followed, step, args)


def artefact(portal, screen, args):
    """Send an archive that a project is delivered from, or list what was built."""
    number = portal.find("projects", args.project)
    if args.act == "list":
        rows = portal.get("/artefacts/", {"project": number})["results"]
        lines = [
            "{} {} {}{}".format(
                row["display"],
                row["commit"][:12],
                row["subject"],
                " BAD" if row["bad"] else "",
            )
            for row in rows
        ]
        screen.give(rows, map(_line, lines))
        return OK
    told = _upload(portal, f"/projects/{number}/uploads/", Path(args.file), args)
    screen.give(
        told,
        [
            _line("{} {}".format(told["sha256"], told["name"])),
            "Deliver it: --ref-kind upload --ref " + told["sha256"],
        ],
    )
    return OK


def _upload(portal, path, file, args):
    """Send a file in pieces; what is sent is hashed on the way, and the portal compares."""
    hashed = hashlib.sha256()
    try:
        with file.open("rb") as data:
            begun = portal.post(path)
            place = path + begun["ticket"] + "/"
            while piece := data.read(min(begun["piece_bytes"], MOST_PIECE)):
                portal.send(
                    "PUT",
                    place,
                    {"offset": data.tell() - len(piece)},
                    piece,
                    BYTES,
                    PATIENCE_FOLLOWING,
                )
                hashed.update(piece)
    except OSError as error:
        raise CliError(f"The archive cannot be read: {error}") from None
    return portal.post(
        place + "finish/",
        {"name": args.name or file.name, "sha256": hashed.hexdigest()},
    )


# ---- The command line


def parser():
    """Make the reader of the command line."""
    made = argparse.ArgumentParser(
        prog="adminset-cli",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    made.set_defaults(
        url=os.environ.get("ADMINSET_URL", ""),
        token_file="",
        ca_file=os.environ.get("ADMINSET_CA_FILE") or None,
        json=False,
        no_color=False,
    )
    _add_shared(made)
    made.add_argument("--version", action="version", version="adminset-cli " + VERSION)
    commands = made.add_subparsers(dest="command", metavar="COMMAND")
    commands.required = True

    def command(name, does, words):
        added = commands.add_parser(name, help=words, allow_abbrev=False)
        added.set_defaults(does=does)
        _add_shared(added)
        return added

    command("login-check", login_check, "say whether the token works")
    found = command("hosts", hosts, "find hosts by a part of their name")
    found.add_argument("find", nargs="?", default="")
    found.add_argument("--most", type=int, default=100)
    _add_run(commands)
    for name, does, words in (
        ("follow", follow_run, "follow a run"), ("wait", wait, "wait for the end of a run"),
    ):  # fmt: skip
        added = command(name, does, words)
        added.add_argument("run", type=int)
        _add_following(added)
    found = command("runs", runs, "list the newest runs")
    found.add_argument("--status", action="append")
    found.add_argument("--most", type=int, default=20)
    found = command("output", output, "print an output")
    found.add_argument("run", type=int)
    found.add_argument("--host", help="name of the host")
    found.add_argument(
        "--raw", action="store_true", help="with what a terminal would obey"
    )
    for name in ("cancel", "pause", "resume"):
        command(name, act, f"{name} a run").add_argument("run", type=int)
    found = command("repeat", repeat, "run the same once more")
    found.add_argument("run", type=int)
    choices = [
        "all",
        "not_ok",
        "failed",
        "unreachable",
        "not_started",
        "unknown",
        "timed_out",
    ]
    found.add_argument("--on", action="append", choices=choices)
    found.add_argument("--detach", action="store_true")
    found.add_argument("--key", help="Idempotency-Key")
    _add_following(found)
    found = command("fetch", fetch, "have a git repository read")
    found.add_argument("name")
    found.add_argument("--timeout", type=float, default=1800)
    found.add_argument("--detach", action="store_true")
    _add_deliveries(commands, command)
    for add in (_add_schedule, _add_workflow):
        add(commands)
    return made


def _add_shared(added):
    """Take these before and behind the command; one that is not given changes nothing."""
    for name in ("url", "token-file", "ca-file"):
        added.add_argument("--" + name, default=argparse.SUPPRESS)
    for name, words in (("json", "one JSON object a line"), ("no-color", None)):
        added.add_argument(
            "--" + name, action="store_true", default=argparse.SUPPRESS, help=words
        )


def _add_following(added):
    added.add_argument(
        "--timeout", type=float, help="wait so many seconds at most (exit code 4)"
    )
    added.add_argument("--cancel-on-timeout", action="store_true")
    added.add_argument(
        "--quiet", action="store_true", help="only what failed, and the end"
    )
    added.add_argument(
        "--on-interrupt", choices=["ask", "cancel", "detach"], default="ask"
    )


def _add_run(commands):
    added = commands.add_parser("run", help="run something", allow_abbrev=False)
    added.set_defaults(does=run)
    _add_shared(added)
    added.add_argument(
        "what",
        choices=[
            "command",
            "script",
            "playbook",
            "role",
            "template",
            "module",
            "ansible",
        ],
    )
    added.add_argument(
        "text", help="command, file of the script, name of the item; - reads stdin"
    )
    added.add_argument(
        "arguments", nargs="?", help="of a script or of a module of Ansible"
    )
    for name in ("host", "group", "var", "answer", "value", "secret"):
        shown = "NAME" if name in ("host", "group", "secret") else "NAME=VALUE"
        added.add_argument("--" + name, action="append", metavar=shown)
    added.add_argument(
        "--filter", help="what stands behind the ? of the portal's list of hosts"
    )
    added.add_argument(
        "--secrets-stdin",
        action="store_true",
        help="read name=value lines of secrets from stdin",
    )
    for name in (
        "check",
        "diff",
        "repeatable",
        "without-batches",
        "dry-run",
        "detach",
        "library",
    ):
        added.add_argument("--" + name, action="store_true")
    for name in ("tags", "skip-tags", "limit", "title", "batches", "key"):
        added.add_argument("--" + name)
    added.add_argument("-v", dest="verbosity", action="count", default=0)
    for name in ("forks", "stop-percent"):
        added.add_argument("--" + name, type=int)
    added.add_argument("--host-timeout", dest="timeout_seconds", type=int)
    added.add_argument("--run-timeout", dest="run_timeout_seconds", type=int)
    added.add_argument("--pause-after", choices=["never", "failure", "always"])
    added.add_argument("--together", choices=["refuse", "queue", "allow"])
    added.add_argument("--language", choices=["sh", "python", "powershell"])
    _add_following(added)


def _add_deliveries(commands, command):
    added = command("deploy", deploy, "show the plan of a deploy, and begin it")
    added.add_argument("pipeline", help="PROJECT/NAME, or number")
    added.add_argument("environment", help="code, name or number")
    added.add_argument(
        "--ref", default="", help="branch, tag, commit, artefact, upload"
    )
    added.add_argument(
        "--ref-kind",
        default="branch",
        choices=["branch", "tag", "commit", "artefact", "upload"],
    )
    added.add_argument("--emergency", help="why it cannot wait for a window")
    added.add_argument("--yes", action="store_true", help="say yes to the plan")
    back = command(
        "rollback", rollback, "switch an environment back to an earlier release"
    )
    back.add_argument("environment", help="PROJECT/NAME, or number")
    back.add_argument(
        "--to", help="number or name of the release; none: the one before"
    )
    for one in (added, back):
        one.add_argument("--reason", required=True)
        one.add_argument("--host", action="append", metavar="NAME")
        one.add_argument("--wait", action="store_true", help="follow it to its end")
        one.add_argument("--key", help="Idempotency-Key")
        _add_following(one)
    added = command(
        "deploys", deploys, "list the newest deploys, follow, cancel or retry one"
    )
    added.add_argument("--status", action="append")
    added.add_argument("--most", type=int, default=20)
    for name in ("follow", "cancel", "retry"):
        added.add_argument("--" + name, type=int, metavar="NUMBER")
    added.add_argument("--all-hosts", action="store_true",
        help="retry on all hosts, not only those that failed")  # fmt: skip
    added.add_argument("--wait", action="store_true", help="follow what is retried")
    added.add_argument("--emergency", help="why the retry cannot wait for a window")
    added.add_argument("--key", help="Idempotency-Key")
    added.add_argument("--reason")
    _add_following(added)
    _add_configs(command)
    added = commands.add_parser(
        "artefact", help="send an archive, or list what was built", allow_abbrev=False
    )
    below = added.add_subparsers(dest="act", metavar="upload|list")
    below.required = True
    for name in ("upload", "list"):
        act = below.add_parser(name, allow_abbrev=False)
        act.add_argument("project")
        if name == "upload":
            act.add_argument("file")
            act.add_argument("--name")
        act.set_defaults(does=artefact)
        _add_shared(act)


def _add_configs(command):
    push = command("config-push", config_push, "push configuration files to hosts")
    read = command("config-read", config_read, "read configuration files back")
    for one in (push, read):
        one.add_argument("environment", help="PROJECT/NAME, or number")
        one.add_argument("--file", action="append", metavar="NAME",
            help="only this file: name, path or number")  # fmt: skip
        one.add_argument("--wait", action="store_true", help="wait for its end")
        one.add_argument("--key", help="Idempotency-Key")
        _add_following(one)
    push.add_argument("--reason", default="", help="needed, but for --dry-run")
    push.add_argument("--host", action="append", metavar="NAME")
    push.add_argument("--dry-run", action="store_true", help="only show the plan")
    push.add_argument("--plan-hash", help="push only what that plan showed")
    push.add_argument("--emergency", help="why it cannot wait for a window")
    added = command("config-wait", config_wait, "wait for a push or a reading to end")
    added.add_argument("push", type=int, metavar="NUMBER")
    _add_following(added)


def _add_workflow(commands):
    added = commands.add_parser(
        "workflow", help="start, follow or mend a workflow", allow_abbrev=False
    )
    below = added.add_subparsers(
        dest="act", metavar="start|follow|cancel|resume|retry|skip"
    )
    below.required = True
    begin = below.add_parser("start", allow_abbrev=False)
    begin.add_argument("name")
    begin.add_argument("--var", action="append", metavar="NAME=VALUE")
    _add_beginning(begin, workflow_start)
    go_on = below.add_parser("follow", allow_abbrev=False)
    go_on.add_argument("run", type=int)
    _add_following(go_on)
    go_on.set_defaults(does=workflow_follow)
    _add_shared(go_on)
    for name in ("cancel", "resume", "retry", "skip"):
        act = below.add_parser(name, allow_abbrev=False)
        act.add_argument("run", type=int)
        if name in ("retry", "skip"):
            act.add_argument("step", help="key of the step")
        if name == "skip":
            act.add_argument("--reason", required=True)
        act.set_defaults(does=workflow_act)
        _add_shared(act)


def _add_schedule(commands):
    added = commands.add_parser(
        "schedule", help="run a schedule now, or pause it", allow_abbrev=False
    )
    below = added.add_subparsers(dest="act", metavar="run|pause|resume")
    below.required = True
    begin = below.add_parser("run", allow_abbrev=False)
    begin.add_argument("name")
    _add_beginning(begin, schedule)
    for name in ("pause", "resume"):
        act = below.add_parser(name, allow_abbrev=False)
        act.add_argument("name")
        act.add_argument("--reason")
        act.set_defaults(does=schedule)
        _add_shared(act)


def _add_beginning(added, does):
    """Take what belongs to every command that begins something."""
    added.add_argument("--detach", action="store_true")
    added.add_argument("--key", help="Idempotency-Key")
    _add_following(added)
    added.set_defaults(does=does)
    _add_shared(added)


def main(arguments=None):
    """Do what the command line says; give the exit code."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that has no sign for something shows its number.
        stream.reconfigure(errors="backslashreplace")
    args = parser().parse_args(arguments)
    screen = Screen(args.json, colour=not args.no_color)
    try:
        portal = Portal(args.url, token_of(args.token_file), args.ca_file)
        return args.does(portal, screen, args)
    except CliError as error:
        sys.stderr.write(f"adminset-cli: {error}\n")
        return error.code
    except KeyboardInterrupt:
        screen.say("Interrupted. What was begun goes on.")
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED


if __name__ == "__main__":
    sys.exit(main())
