"""Names under which variables reach hooks: none that the shell or a program takes as a word on what it is to run."""

import re

PLAIN = re.compile(r"[A-Z_][A-Z0-9_]*", re.ASCII)
# What the portal tells hooks itself, what steers shells, the loader and languages, and what says where a person's files are.
REFUSED = re.compile(
    r"AS_.*|ADMINSET_.*|_|PATH|CDPATH|IFS|ENV|BASH.*|SHELL|SHELLOPTS|GLOBIGNORE|PS[0-4]|PROMPT_COMMAND|OPT(ARG|IND|ERR)|PWD|OLDPWD"
    r"|HOME|TMPDIR|LD_.*|DYLD_.*|GCONV_PATH|LOCPATH|NLSPATH|PYTHON.*|PERL.*|RUBY.*|NODE_OPTIONS|NODE_PATH"
    r"|GIT_(SSH.*|EXEC_PATH|CONFIG.*|ASKPASS|EXTERNAL_DIFF|EDITOR|PAGER|PROXY_COMMAND)",
    re.ASCII,
)


def is_for_hooks(name: str) -> bool:
    """Say whether a variable reaches hooks: capitals, and none that makes the shell or a program run something else."""
    return bool(PLAIN.fullmatch(name)) and not REFUSED.fullmatch(name)
