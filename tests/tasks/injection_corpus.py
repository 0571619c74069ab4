"""Hostile values: inputs of the incidents in jobs.md, section 5, and our own. `PROOF` stands for a file that nothing may make."""

NUL = "\0"
# Why it is here -> the value.
CORPUS: dict[str, str] = {
    "a second command": "x; touch PROOF",
    "a pipe": "x | touch PROOF",
    "in the background": "x & touch PROOF &",
    "and, or": "x && touch PROOF || touch PROOF",
    "substitution": "$(touch PROOF)",
    "backticks": "`touch PROOF`",
    "a quote that closes": "'; touch PROOF; '",
    "a double quote that closes": '"; touch PROOF; "',
    "both quotes": "'\"'; touch PROOF; '\"'",
    "a backslash at the end": "x\\",
    "a backslash and a quote": "\\'; touch PROOF; \\'",
    "a new line": "x\ntouch PROOF\n",
    "a carriage return": "x\rtouch PROOF",
    "a redirection": "x > PROOF",
    "a reading of a file": "< /etc/passwd",
    "a variable": "$HOME ${IFS} $ADMINSET_RUN",
    "arithmetic": "a[$(touch PROOF)]",
    "a glob": "/etc/pass* ~root {a,b}",
    "a remark": "x # touch PROOF",
    "NUL": "x\0touch PROOF",
    "an option of ssh": "-oProxyCommand=touch PROOF",
    "an option of git": "--upload-pack=touch PROOF",
    "an option of tar": "--checkpoint-action=exec=touch PROOF",
    "an option of find": "-exec touch PROOF ;",
    "a dash alone": "-",
    "a lookup of Jinja": "{{ lookup('pipe', 'touch PROOF') }}",
    "a statement of Jinja": "{% set x = lookup('pipe', 'touch PROOF') %}",
    "Jinja by attributes": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "Jinja hidden in a comment": "{# x #}{{ lookup('env', 'PATH') }}",
    "Ansible's unsafe mark": "{\"__ansible_unsafe\": \"{{ lookup('pipe', 'touch PROOF') }}\"}",
    "Ansible's vault mark": '{"__ansible_vault": "x"}',
    "a tag of YAML": "!!python/object/apply:os.system ['touch PROOF']",
    "a key of a play": "x\ndelegate_to: localhost",
    "a key of a play behind an escape": '{"\\u0064elegate_to": "localhost"}',
    "connection by a variable": "ansible_connection=local",
    "a local action": "local_action: command touch PROOF",
    "arguments of a module": "x creates=/ chdir=/ _raw_params='touch PROOF'",
    "unicode quotes": "\u2018; touch PROOF; \u2019 \uff07; touch PROOF; \uff07",
    "a full-width semicolon": "x\uff1b touch PROOF",
    "a direction mark": "\u202egnp.hs\u202c\u200f",
    "a zero-width space": "x\u200b;\u200btouch PROOF",
    "a line separator": "x\u2028touch PROOF",
    "escapes of a terminal": "\x1b]0;x\x07\x1b[2J\x1b[31mred",
    "a bell and a backspace": "x\x07\x08\x7f",
    "format of printf": "%s%n%d \\x41 \\041 \\c",
    "Chinese": "主机；重启 $(touch PROOF)",
    "an emoji": "\U0001f4a3",
    "a path upwards": "../../../../etc/passwd",
    "a URL of a file": "file:///etc/passwd",
    "ext of git": "ext::sh -c touch% PROOF",
    "SQL": "'); DROP TABLE tasks_run; --",
    "markup": "<script>fetch('//x')</script><img src=x onerror=alert(1)>",
    "spaces at both ends": "  x  ",
    "a sudo line": "x\n%wheel ALL=(ALL) NOPASSWD: ALL",
    "64 KiB": "$(touch PROOF)" + "x" * (64 * 1024 - 14),
}
# Fit for a box of one line: no sign that cannot be seen, not too long.
ONE_LINE = {
    why: value
    for why, value in CORPUS.items()
    if len(value) <= 1000
    and not any(ord(sign) < 32 or ord(sign) == 127 for sign in value)
    and "\u2028" not in value
}
# Fit for a box of many lines.
MANY_LINES = {
    why: value
    for why, value in CORPUS.items()
    if NUL not in value and len(value) <= 65_536 and "\r" not in value
}


def against(proof: object, values: dict[str, str]) -> dict[str, str]:
    """Give values that would make the file `proof` if anything of them ran."""
    return {
        why: value.replace("PROOF", str(proof))[: 64 * 1024]
        for why, value in values.items()
    }
