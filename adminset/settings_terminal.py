"""The settings of terminals: limits, time-outs and flow; part of settings.py, with a file of their own for length (docs/terminal.md)."""

from adminset import env

__all__ = [
    "RELAY_BYTES",
    "RELAY_LEASE_SECONDS",
    "RELAY_MOST",
    "TERMINAL_AWAY_SECONDS",
    "TERMINAL_BACKLOG_BYTES",
    "TERMINAL_CHARACTER_TYPE",
    "TERMINAL_CONNECT_SECONDS",
    "TERMINAL_IDLE_SECONDS",
    "TERMINAL_LONGEST_SECONDS",
    "TERMINAL_PROCESS_MOST",
    "TERMINAL_RECHECK_SECONDS",
    "TERMINAL_SESSION_KEEP_DAYS",
    "TERMINAL_UNACKED_BYTES",
    "TERMINAL_USER_MOST",
]

# Each step on the way to a host.
TERMINAL_CONNECT_SECONDS = env.integer(
    "ADMINSET_TERMINAL_CONNECT_SECONDS", 10, least=1, most=120
)
# A shell is kept for so long after its page or the network was gone; 0: not at all.
TERMINAL_AWAY_SECONDS = env.integer(
    "ADMINSET_TERMINAL_AWAY_SECONDS", 60, least=0, most=3600
)
# Without input, and at most; output is no sign of anybody. 0: no limit.
TERMINAL_IDLE_SECONDS = env.integer("ADMINSET_TERMINAL_IDLE_SECONDS", 1800, least=0)
TERMINAL_LONGEST_SECONDS = env.integer(
    "ADMINSET_TERMINAL_LONGEST_SECONDS", 12 * 3600, least=0
)
# Whether the user may still work there is asked anew after so long, and whenever the trail tells of a change of rights.
TERMINAL_RECHECK_SECONDS = env.integer(
    "ADMINSET_TERMINAL_RECHECK_SECONDS", 60, least=1, most=60
)
# Open terminals of one user, and of one process of the portal.
TERMINAL_USER_MOST = env.integer("ADMINSET_TERMINAL_USER_MOST", 20, least=1)
TERMINAL_PROCESS_MOST = env.integer("ADMINSET_TERMINAL_PROCESS_MOST", 250, least=1)
# What is kept in memory of the newest output, for a page that comes back, beside what its page has not shown.
TERMINAL_BACKLOG_BYTES = env.integer(
    "ADMINSET_TERMINAL_BACKLOG_BYTES", 256 * 1024, least=64 * 1024, most=16 * 2**20
)
# The host waits while the page has not shown so much.
TERMINAL_UNACKED_BYTES = env.integer(
    "ADMINSET_TERMINAL_UNACKED_BYTES", 2**20, least=32 * 1024, most=8 * 2**20
)
# Sent to the host as LC_CTYPE, so that programs there speak UTF-8; empty: the host's own.
TERMINAL_CHARACTER_TYPE = env.text("ADMINSET_TERMINAL_LC_CTYPE", "C.UTF-8")
# Rows of sessions (who was where, when, why) that ended so long ago are cleared away at night, once their recordings are
# (TERMINAL_KEEP_DAYS); 0: never.
TERMINAL_SESSION_KEEP_DAYS = env.integer(
    "ADMINSET_TERMINAL_SESSION_KEEP_DAYS", 1095, least=0
)
# Connections that a site's worker passes on to hosts: bytes on their way in each direction of one; connections of one worker;
# after how long without a sign the other end counts as gone.
RELAY_BYTES = env.integer(
    "ADMINSET_RELAY_BYTES", 2**20, least=64 * 1024, most=16 * 2**20
)
RELAY_MOST = env.integer("ADMINSET_RELAY_MOST", 100, least=1, most=2000)
RELAY_LEASE_SECONDS = env.integer("ADMINSET_RELAY_LEASE_SECONDS", 10, least=3, most=120)
