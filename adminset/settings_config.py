"""Settings of the configuration of applications, see docs/config.md; adminset/settings.py takes all of it."""

from adminset import env

# ---- Variables and files
CONFIG_VALUE_BYTES = env.integer(
    "ADMINSET_CONFIG_VALUE_BYTES", 32 * 1024, least=256, most=100 * 1024
)
# Text of one version of a file, and of one file once it is filled in.
CONFIG_TEXT_BYTES = env.integer(
    "ADMINSET_CONFIG_TEXT_BYTES", 256 * 1024, least=1024, most=1024 * 1024
)
# All files of one push for one host.
CONFIG_PUSH_BYTES = env.integer(
    "ADMINSET_CONFIG_PUSH_BYTES", 512 * 1024, least=4096, most=1024 * 1024
)
# The same for all hosts of one push together: they wait in one row of the database.
CONFIG_PUSH_TOTAL_BYTES = env.integer(
    "ADMINSET_CONFIG_PUSH_TOTAL_BYTES", 16 * 2**20, least=2**20
)
# More texts than these (hosts times files) are filled in by a worker, not while somebody waits for the page.
CONFIG_PUSH_AT_ONCE = env.integer("ADMINSET_CONFIG_PUSH_AT_ONCE", 500, least=0)

# ---- Programs that fetch their configuration
# Where requests for configuration that wait are kept, around Django.
PULL_DOOR = "appconf.pull.door.Door"
CONFIG_PULL_WAIT_SECONDS = env.integer(
    "ADMINSET_CONFIG_PULL_WAIT_SECONDS", 60, least=1, most=300
)
# Who waits looks again by itself so often, for a Redis that is away.
CONFIG_PULL_LOOK_SECONDS = env.integer(
    "ADMINSET_CONFIG_PULL_LOOK_SECONDS", 15, least=1, most=300
)
# Requests that wait at the same time: in one process, and with one token there.
CONFIG_PULL_WAITERS = env.integer("ADMINSET_CONFIG_PULL_WAITERS", 500)
CONFIG_PULL_WAITERS_PER_TOKEN = env.integer(
    "ADMINSET_CONFIG_PULL_WAITERS_PER_TOKEN", 50
)
CONFIG_TOKEN_DAYS = env.integer("ADMINSET_CONFIG_TOKEN_DAYS", 365, least=1)

# ---- Files on hosts
# Of a file on a host at most so much is read back and compared.
CONFIG_READ_BYTES = env.integer(
    "ADMINSET_CONFIG_READ_BYTES", 256 * 1024, least=1024, most=1024 * 1024
)
# Hosts that did not answer are not asked again before.
CONFIG_READ_AGAIN_SECONDS = env.integer(
    "ADMINSET_CONFIG_READ_AGAIN_SECONDS", 600, least=60
)
# One validate or reload command on a host.
CONFIG_COMMAND_SECONDS = env.integer(
    "ADMINSET_CONFIG_COMMAND_SECONDS", 60, least=1, most=3600
)
CONFIG_PUSH_SECONDS = env.integer("ADMINSET_CONFIG_PUSH_SECONDS", 600, least=10)
CONFIG_PUSH_FORKS = env.integer("ADMINSET_CONFIG_PUSH_FORKS", 20, least=1, most=200)
# Pushes and readings that have ended stay so many days.
CONFIG_PUSH_DAYS = env.integer("ADMINSET_CONFIG_PUSH_DAYS", 180, least=1)
