"""The settings of the intake of measurements: how much of a host, how much at once, and which part of the portal this process is."""

from adminset import env

__all__ = [
    "AGENT_CLOCK_TOLERANCE_SECONDS",
    "AGENT_DOOR",
    "AGENT_MAX_CONTAINERS",
    "AGENT_MAX_CUSTOM_SERIES",
    "AGENT_MAX_DISKS",
    "AGENT_MAX_INTERFACES",
    "AGENT_MAX_MOUNTS",
    "AGENT_MAX_SHAPES",
    "AGENT_MAX_TABLES",
    "AGENT_MAX_TABLE_ROWS",
    "INTAKE_BODY_SECONDS",
    "INTAKE_BYTES_PER_AGENT",
    "INTAKE_GROUP_MILLISECONDS",
    "INTAKE_GROUP_SAMPLES",
    "INTAKE_GROUP_THREADS",
    "INTAKE_MAX_BYTES",
    "INTAKE_MAX_REQUESTS",
    "INTAKE_MAX_UNPROVED",
    "INTAKE_MISSES_PER_ADDRESS",
    "INTAKE_REQUESTS_PER_AGENT",
    "INTAKE_URLCONF",
    "LEFT_OUT_DAYS",
    "PACKAGES_ASK_HOSTS",
    "PACKAGES_PER_HOST",
    "PACKAGES_WAIT_HOURS",
    "ROLE",
]

# "ingest": a process that answers agents and nobody else.
ROLE = env.choice("ADMINSET_ROLE", "portal", ("portal", "ingest"))
INTAKE_URLCONF = "monitor.ingest_urls"
# The application that answers agents before Django is asked; a room's, by name.
AGENT_DOOR = "monitor.agent_door.Door"

# ---- Of one host
AGENT_CLOCK_TOLERANCE_SECONDS = env.integer(
    "ADMINSET_AGENT_CLOCK_TOLERANCE_SECONDS", 5, least=1
)
AGENT_MAX_MOUNTS = env.integer("ADMINSET_AGENT_MAX_MOUNTS", 100, least=1)
AGENT_MAX_INTERFACES = env.integer("ADMINSET_AGENT_MAX_INTERFACES", 100, least=1)
AGENT_MAX_DISKS = env.integer("ADMINSET_AGENT_MAX_DISKS", 200, least=1)
AGENT_MAX_CONTAINERS = env.integer("ADMINSET_AGENT_MAX_CONTAINERS", 200, least=0)
AGENT_MAX_CUSTOM_SERIES = env.integer("ADMINSET_AGENT_MAX_CUSTOM_SERIES", 1000, least=0)
# Different lists of metrics in one report; as many as an agent sends samples at once.
AGENT_MAX_SHAPES = env.integer("ADMINSET_AGENT_MAX_SHAPES", 200, least=1)
# What the store keeps of a host, monitor/table_keeping.py, is no more.
AGENT_MAX_TABLES = env.integer("ADMINSET_AGENT_MAX_TABLES", 32, least=0, most=64)
AGENT_MAX_TABLE_ROWS = env.integer(
    "ADMINSET_AGENT_MAX_TABLE_ROWS", 500, least=1, most=10_000
)

# What was left out of a host's reports is told of for so long.
LEFT_OUT_DAYS = env.integer("ADMINSET_LEFT_OUT_DAYS", 7, least=1, most=365)

# Packages: how many of a host are kept, how long a host that was asked may wait, and how many are asked by one click.
PACKAGES_PER_HOST = env.integer(
    "ADMINSET_PACKAGES_PER_HOST", 20_000, least=1, most=20_000
)
PACKAGES_WAIT_HOURS = env.integer("ADMINSET_PACKAGES_WAIT_HOURS", 24, least=1, most=720)
PACKAGES_ASK_HOSTS = env.integer("ADMINSET_PACKAGES_ASK_HOSTS", 100, least=1, most=5000)

# ---- Of all of them in one process
INTAKE_MAX_REQUESTS = env.integer("ADMINSET_INTAKE_MAX_REQUESTS", 2000, least=1)
INTAKE_MAX_BYTES = env.integer("ADMINSET_INTAKE_MAX_BYTES", 64 * 2**20, least=2**20)
# Reports of those who have not proved who they are yet, and misses of one address in a minute.
INTAKE_MAX_UNPROVED = env.integer("ADMINSET_INTAKE_MAX_UNPROVED", 500, least=1)
INTAKE_MISSES_PER_ADDRESS = env.integer(
    "ADMINSET_INTAKE_MISSES_PER_ADDRESS", 300, least=1
)
# Of one agent at once: it sends one report after the other, unless a connection broke.
INTAKE_REQUESTS_PER_AGENT = env.integer(
    "ADMINSET_INTAKE_REQUESTS_PER_AGENT", 3, least=1
)
INTAKE_BYTES_PER_AGENT = env.integer(
    "ADMINSET_INTAKE_BYTES_PER_AGENT", 8 * 2**20, least=2**16
)
INTAKE_BODY_SECONDS = env.integer("ADMINSET_INTAKE_BODY_SECONDS", 30, least=1)
INTAKE_GROUP_SAMPLES = env.integer("ADMINSET_INTAKE_GROUP_SAMPLES", 2000, least=1)
INTAKE_GROUP_MILLISECONDS = env.integer(
    "ADMINSET_INTAKE_GROUP_MILLISECONDS", 5, least=0, most=1000
)
INTAKE_GROUP_THREADS = env.integer("ADMINSET_INTAKE_GROUP_THREADS", 1, least=1, most=16)
