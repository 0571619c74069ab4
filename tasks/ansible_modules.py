"""Which Ansible modules people may run by name alone: those that touch the target and nothing on the portal's machine."""

# Words that a play understands as something else than a module, and that reach the portal's machine or the play itself.
CONTROL = frozenset(
    {
        "action",
        "add_host",
        "block",
        "group_by",
        "import_playbook",
        "import_role",
        "import_tasks",
        "include",
        "include_role",
        "include_tasks",
        "include_vars",
        "local_action",
        "meta",
        "set_fact",
        "set_stats",
    }
)
# Modules whose part on the portal's side reads no file, writes no file and starts nothing there
# (ansible/plugins/action of ansible-core 2.19 looked through). All others may be used by who may write playbooks.
SAFE = frozenset(
    {
        "apt",
        "apt_repository",
        "blockinfile",
        "command",
        "cron",
        "deb822_repository",
        "dnf",
        "dnf5",
        "file",
        "find",
        "getent",
        "group",
        "hostname",
        "iptables",
        "lineinfile",
        "mount_facts",
        "package",
        "package_facts",
        "ping",
        "pip",
        "raw",
        "reboot",
        "replace",
        "rpm_key",
        "service",
        "service_facts",
        "setup",
        "shell",
        "slurp",
        "stat",
        "systemd",
        "systemd_service",
        "sysvinit",
        "tempfile",
        "user",
        "wait_for",
        "yum_repository",
    }
)
BUILT_IN = ("ansible.builtin.", "ansible.legacy.")


def plain_name(module: str) -> str:
    """Give the short name of a built-in module; any other name stays as it is."""
    for prefix in BUILT_IN:
        module = module.removeprefix(prefix)
    return module


def is_control(module: str) -> bool:
    """Say whether the word is no module but steers the play."""
    return plain_name(module) in CONTROL


def is_safe(module: str) -> bool:
    """Say whether the module leaves the portal's machine alone."""
    return plain_name(module) in SAFE
