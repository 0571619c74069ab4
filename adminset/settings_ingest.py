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
    "AGENT_MAX_TABLES",
    "AGENT_MAX_TABLE_ROWS",
    "INTAKE_BODY_SECONDS",
    "INTAKE_GROUP_MILLISECONDS",
    "INTAKE_GROUP_SAMPLES",
    "INTAKE_GROUP_THREADS",
    "INTAKE_MAX_BYTES",
    "INTAKE_MAX_REQUESTS",
    "INTAKE_URLCONF",
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
AGENT_MAX_TABLES = env.integer("ADMINSET_AGENT_MAX_TABLES", 32, least=0, most=256)
AGENT_MAX_TABLE_ROWS = env.integer(
    "ADMINSET_AGENT_MAX_TABLE_ROWS", 500, least=1, most=10_000
)

# ---- Of all of them in one process
INTAKE_MAX_REQUESTS = env.integer("ADMINSET_INTAKE_MAX_REQUESTS", 2000, least=1)
INTAKE_MAX_BYTES = env.integer("ADMINSET_INTAKE_MAX_BYTES", 64 * 2**20, least=2**20)
INTAKE_BODY_SECONDS = env.integer("ADMINSET_INTAKE_BODY_SECONDS", 30, least=1)
INTAKE_GROUP_SAMPLES = env.integer("ADMINSET_INTAKE_GROUP_SAMPLES", 2000, least=1)
INTAKE_GROUP_MILLISECONDS = env.integer(
    "ADMINSET_INTAKE_GROUP_MILLISECONDS", 5, least=0, most=1000
)
INTAKE_GROUP_THREADS = env.integer("ADMINSET_INTAKE_GROUP_THREADS", 1, least=1, most=16)
