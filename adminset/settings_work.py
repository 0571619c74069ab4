"""How much work the portal takes on: lists and imports, agents and measurements, runs; adminset/settings.py takes all of it."""

import shlex

from adminset import env

# ---- Lists
LIST_PAGE_SIZES = [25, 50, 100, 200]
EXPORT_MAX_ROWS = env.integer("ADMINSET_EXPORT_MAX_ROWS", 200_000, least=1)
IMPORT_MAX_ROWS = env.integer("ADMINSET_IMPORT_MAX_ROWS", 20_000, least=1)
IMPORT_MAX_BYTES = env.integer("ADMINSET_IMPORT_MAX_BYTES", 10 * 2**20, least=1)
IMPORT_MAX_CELL_CHARACTERS = env.integer(
    "ADMINSET_IMPORT_MAX_CELL_CHARACTERS", 32_767, least=1
)
# What an XLSX may take unpacked: it is a ZIP archive.
IMPORT_MAX_INFLATED_BYTES = env.integer(
    "ADMINSET_IMPORT_MAX_INFLATED_BYTES", 256 * 2**20, least=1024
)
IMPORT_KEEP_DAYS = env.integer("ADMINSET_IMPORT_KEEP_DAYS", 30, least=1)
BULK_MAX_ROWS = env.integer("ADMINSET_BULK_MAX_ROWS", 1000, least=1)
BULK_MAX_MATCHING = env.integer("ADMINSET_BULK_MAX_MATCHING", 20_000, least=1)
BULK_INLINE_ROWS = env.integer("ADMINSET_BULK_INLINE_ROWS", 200, least=0)
# A host that sent nothing for so long is told on the page of the data quality.
QUALITY_STALE_DAYS = env.integer("ADMINSET_QUALITY_STALE_DAYS", 7, least=1, most=3650)
IMPACT_MAX_DEPTH = env.integer("ADMINSET_IMPACT_MAX_DEPTH", 6, least=1, most=20)
IMPACT_MAX_NODES = env.integer("ADMINSET_IMPACT_MAX_NODES", 500, least=2, most=5000)

# ---- Agents and measurements
AGENT_SAMPLE_SECONDS = env.integer(
    "ADMINSET_AGENT_SAMPLE_SECONDS", 15, least=1, most=3600
)
AGENT_FLUSH_SECONDS = env.integer(
    "ADMINSET_AGENT_FLUSH_SECONDS", 60, least=1, most=3600
)
AGENT_FACTS_SECONDS = env.integer("ADMINSET_AGENT_FACTS_SECONDS", 3600, least=60)
AGENT_SILENT_SECONDS = env.integer("ADMINSET_AGENT_SILENT_SECONDS", 120, least=10)
AGENT_MAX_BODY_BYTES = env.integer("ADMINSET_AGENT_MAX_BODY_BYTES", 2**20, least=1024)
AGENT_MAX_INFLATED_BYTES = env.integer(
    "ADMINSET_AGENT_MAX_INFLATED_BYTES", 4 * 2**20, least=1024
)
AGENT_MAX_CLOCK_SKEW_SECONDS = env.integer(
    "ADMINSET_AGENT_MAX_CLOCK_SKEW_SECONDS", 3600, least=1
)
AGENT_MAX_SAMPLE_AGE_SECONDS = env.integer(
    "ADMINSET_AGENT_MAX_SAMPLE_AGE_SECONDS", 47 * 3600
)
METRICS_RAW_HOURS = env.integer("ADMINSET_METRICS_RAW_HOURS", 48, least=1)
# Newest values of the whole fleet are read again after so many seconds (sorting, filters, heat map).
FLEET_SECONDS = env.integer("ADMINSET_FLEET_SECONDS", 10, least=0, most=300)
# Hosts whose lines one chart of a group adds up.
GROUP_CHART_HOSTS = env.integer("ADMINSET_GROUP_CHART_HOSTS", 300, least=1, most=5000)
METRICS_CUSTOM_SERIES = env.integer("ADMINSET_METRICS_CUSTOM_SERIES", 5000, least=0)
METRICS_DAILY_SERIES = env.integer("ADMINSET_METRICS_DAILY_SERIES", 10_000, least=1)
# At least what an agent sends that somebody watches: a sample a second.
METRICS_HOUR_SAMPLES = env.integer("ADMINSET_METRICS_HOUR_SAMPLES", 4000, least=3600)
METRICS_MINUTE_DAYS = env.integer("ADMINSET_METRICS_MINUTE_DAYS", 14, least=1)
METRICS_TEN_MINUTE_DAYS = env.integer("ADMINSET_METRICS_TEN_MINUTE_DAYS", 90, least=2)
METRICS_TWO_HOUR_DAYS = env.integer("ADMINSET_METRICS_TWO_HOUR_DAYS", 730, least=30)

# ---- Prometheus, see docs/prometheus.md
PROM_HOST_LABELS = env.words(
    "ADMINSET_PROM_HOST_LABELS", ["instance", "host", "hostname"]
)
PROM_MAX_BODY_BYTES = env.integer("ADMINSET_PROM_MAX_BODY_BYTES", 2**20, least=1024)
PROM_MAX_INFLATED_BYTES = env.integer(
    "ADMINSET_PROM_MAX_INFLATED_BYTES", 8 * 2**20, least=1024
)
PROM_MAX_SAMPLES = env.integer("ADMINSET_PROM_MAX_SAMPLES", 20_000, least=1)
PROM_MAX_LABELS = env.integer("ADMINSET_PROM_MAX_LABELS", 30, least=1, most=200)
PROM_MAX_LABEL_CHARACTERS = env.integer(
    "ADMINSET_PROM_MAX_LABEL_CHARACTERS", 200, least=1, most=2000
)
PROM_MAX_SERIES_PER_HOST = env.integer(
    "ADMINSET_PROM_MAX_SERIES_PER_HOST", 3000, least=1
)
PROM_QUERY_MAX_STEPS = env.integer("ADMINSET_PROM_QUERY_MAX_STEPS", 11_000, least=1)
PROM_QUERY_MAX_HOSTS = env.integer("ADMINSET_PROM_QUERY_MAX_HOSTS", 500, least=1)
PROM_QUERY_MAX_SERIES = env.integer("ADMINSET_PROM_QUERY_MAX_SERIES", 5000, least=1)
PROM_QUERY_MAX_POINTS = env.integer(
    "ADMINSET_PROM_QUERY_MAX_POINTS", 2_000_000, least=1
)
# Queries that one process evaluates at the same time, and those of one user among them.
PROM_QUERIES_AT_ONCE = env.integer("ADMINSET_PROM_QUERIES_AT_ONCE", 8, least=1)
PROM_QUERIES_PER_USER = env.integer("ADMINSET_PROM_QUERIES_PER_USER", 4, least=1)
PROM_QUERY_SECONDS = env.integer("ADMINSET_PROM_QUERY_SECONDS", 20, least=1, most=300)
PROM_LOOKBACK_SECONDS = env.integer("ADMINSET_PROM_LOOKBACK_SECONDS", 300, least=1)
# Who may read /metrics without a token; empty: nobody.
OWN_METRICS_NETWORKS = env.networks("ADMINSET_OWN_METRICS_NETWORKS")

# ---- Runs
RUN_FORKS = env.integer("ADMINSET_RUN_FORKS", 20, least=1, most=200)
RUN_MAX_TARGETS = env.integer("ADMINSET_RUN_MAX_TARGETS", 1000, least=1)
RUN_TIMEOUT_SECONDS = env.integer("ADMINSET_RUN_TIMEOUT_SECONDS", 3600, least=1)
RUN_CONNECT_TIMEOUT_SECONDS = env.integer(
    "ADMINSET_RUN_CONNECT_TIMEOUT_SECONDS", 10, least=1
)
RUN_OUTPUT_BYTES_PER_HOST = env.integer(
    "ADMINSET_RUN_OUTPUT_BYTES_PER_HOST", 4 * 2**20, least=1024
)
# Output, see docs/tasks-output.md: what is kept of a whole run, and of each host's end where more comes than is kept.
RUN_OUTPUT_BYTES = env.integer("ADMINSET_RUN_OUTPUT_BYTES", 2**30, least=2**20)
RUN_OUTPUT_TAIL_BYTES = env.integer(
    "ADMINSET_RUN_OUTPUT_TAIL_BYTES", 64 * 1024, least=512, most=2**20
)
RUN_LEASE_SECONDS = env.integer("ADMINSET_RUN_LEASE_SECONDS", 15, least=3)
RUN_RENEW_SECONDS = env.integer("ADMINSET_RUN_RENEW_SECONDS", 5, least=1)
# Work of a delivery on hosts ends after the time that it may take there and so long besides: its worker may never come.
LEG_WAIT_SECONDS = env.integer("ADMINSET_LEG_WAIT_SECONDS", 3600, least=10)
LEG_URGENT_WAIT_SECONDS = env.integer("ADMINSET_LEG_URGENT_WAIT_SECONDS", 600, least=10)
# A run over which so many workers were lost is given up.
RUN_MOST_LOSSES = env.integer("ADMINSET_RUN_MOST_LOSSES", 3, least=1)
# Runs at once in a queue, and of one user; 0: as many as there are workers.
RUN_QUEUE_MOST = env.integer("ADMINSET_RUN_QUEUE_MOST", 0)
RUN_USER_MOST = env.integer("ADMINSET_RUN_USER_MOST", 0)
# Sites, see docs/tasks-sites.md: without a sign of a worker for so long the work of a site goes to whoever stands in.
SITE_PATIENCE_SECONDS = env.integer("ADMINSET_SITE_PATIENCE_SECONDS", 60, least=45)
# This machine is not the portal's: the output of runs is sent home. `make worker` sets it.
RUN_SENDS_OUTPUT = env.boolean("ADMINSET_RUN_SENDS_OUTPUT", False)
# SSH, see docs/tasks-ssh.md: idle connections that one process keeps, and for how long; channels that it opens at once
# through a jump host; failures in a row to reach a jump host, after which it is left alone for so many seconds.
SSH_POOL_SECONDS = env.integer("ADMINSET_SSH_POOL_SECONDS", 60, least=0, most=3600)
SSH_POOL_MOST = env.integer("ADMINSET_SSH_POOL_MOST", 100, least=0, most=1000)
SSH_JUMP_MOST = env.integer("ADMINSET_SSH_JUMP_MOST", 50, least=1, most=1000)
SSH_BREAKER_FAILURES = env.integer("ADMINSET_SSH_BREAKER_FAILURES", 10, least=1)
SSH_BREAKER_SECONDS = env.integer("ADMINSET_SSH_BREAKER_SECONDS", 60, least=1)
# Ansible, see docs/tasks-ansible.md: hosts that one process works on at once, and what one of them takes of the free memory.
ANSIBLE_MAX_FORKS = env.integer("ADMINSET_ANSIBLE_MAX_FORKS", 50, least=1, most=200)
ANSIBLE_FORK_MEGABYTES = env.integer("ADMINSET_ANSIBLE_FORK_MEGABYTES", 100, least=1)
# The folder plugins/strategy of ansible_mitogen, where it is not installed beside the portal.
ANSIBLE_MITOGEN_PATH = env.text("ADMINSET_ANSIBLE_MITOGEN_PATH")
# Words that stand before Ansible's process, such as bwrap with its options; no shell reads them.
RUN_WRAPPER = shlex.split(env.text("ADMINSET_RUN_WRAPPER"))
# "uid:gid" that the private directory of a run is given to, where the wrapper changes to another user.
RUN_WRAPPER_OWNER = env.user_and_group("ADMINSET_RUN_WRAPPER_OWNER")

# ---- Task modules
# Folders of *.yml besides the shipped ones.
TASK_MODULE_DIRS = env.words("ADMINSET_TASK_MODULE_DIRS", [])
TASK_MODULE_BYTES = env.integer(
    "ADMINSET_TASK_MODULE_BYTES", 65_536, least=1024, most=65_536
)
# Values that a field offers out of the CMDB.
TASK_MODULE_CHOICES = env.integer(
    "ADMINSET_TASK_MODULE_CHOICES", 1000, least=1, most=20_000
)
# Hosts that count as critical: by a tag, or by a further field with a value (key=value). A run on several of them is
# proposed in these batches.
RUN_CRITICAL_TAGS = env.words("ADMINSET_RUN_CRITICAL_TAGS", ["critical"])
RUN_CRITICAL_FIELDS = env.words(
    "ADMINSET_RUN_CRITICAL_FIELDS", ["criticality=high", "criticality=critical"]
)
RUN_CRITICAL_BATCHES = env.text("ADMINSET_RUN_CRITICAL_BATCHES", "1 10% 50%")
# Tags that say: do not change this host now. The launch warns.
RUN_FREEZE_TAGS = env.words("ADMINSET_RUN_FREEZE_TAGS", ["change-freeze"])
# Runs that ended so long ago are cleared away at night with their output; 0: never.
RUN_KEEP_DAYS = env.integer("ADMINSET_RUN_KEEP_DAYS", 90)

# ---- Schedules, see docs/tasks-schedules.md
# Schedules that one tick takes up, and planned times that wait for one schedule.
SCHEDULE_TICK_MOST = env.integer("ADMINSET_SCHEDULE_TICK_MOST", 500, least=1)
SCHEDULE_WAITING_MOST = env.integer("ADMINSET_SCHEDULE_WAITING_MOST", 100, least=1)
# Missed times of one schedule that get a row each after the portal was away.
SCHEDULE_MISSED_ROWS = env.integer("ADMINSET_SCHEDULE_MISSED_ROWS", 2000, least=1)
# A run is slow when it takes so many per cent of what is usual, and so many seconds more.
SCHEDULE_SLOW_PERCENT = env.integer("ADMINSET_SCHEDULE_SLOW_PERCENT", 200, least=110)
SCHEDULE_SLOW_SECONDS = env.integer("ADMINSET_SCHEDULE_SLOW_SECONDS", 30)

# ---- Library of scripts, playbooks, roles and files, see docs/tasks-library.md
LIBRARY_TEXT_BYTES = env.integer("ADMINSET_LIBRARY_TEXT_BYTES", 256 * 1024, least=1024)
# It comes in one request, so ADMINSET_UPLOAD_BYTES has to be larger.
LIBRARY_FILE_BYTES = env.integer("ADMINSET_LIBRARY_FILE_BYTES", 15 * 2**20, least=1024)
LIBRARY_ROLE_FILES = env.integer("ADMINSET_LIBRARY_ROLE_FILES", 300, least=1, most=5000)
LIBRARY_ROLE_BYTES = env.integer("ADMINSET_LIBRARY_ROLE_BYTES", 4 * 2**20, least=1024)
# Versions of longer texts are not compared line by line.
LIBRARY_DIFF_LINES = env.integer("ADMINSET_LIBRARY_DIFF_LINES", 10_000, least=100)
# https, ssh; `file` (folders of the portal's own machine) is for tests.
LIBRARY_GIT_PROTOCOLS = env.words("ADMINSET_LIBRARY_GIT_PROTOCOLS", ["https", "ssh"])
LIBRARY_GIT_SECONDS = env.integer("ADMINSET_LIBRARY_GIT_SECONDS", 120, least=5)
LIBRARY_GIT_BYTES = env.integer("ADMINSET_LIBRARY_GIT_BYTES", 200 * 2**20, least=2**20)
LIBRARY_GIT_DEPTH = env.integer("ADMINSET_LIBRARY_GIT_DEPTH", 1, least=1, most=1000)

# ---- Workflows
WORKFLOW_MAX_STEPS = env.integer("ADMINSET_WORKFLOW_MAX_STEPS", 100, least=1, most=500)
# Values that one step hands on, or variables of one workflow; how long each may be; hosts whose output is read for them.
WORKFLOW_MAX_VALUES = env.integer("ADMINSET_WORKFLOW_MAX_VALUES", 50, least=1)
WORKFLOW_VALUE_CHARACTERS = env.integer(
    "ADMINSET_WORKFLOW_VALUE_CHARACTERS", 2000, least=1, most=65536
)
WORKFLOW_VALUE_HOSTS = env.integer("ADMINSET_WORKFLOW_VALUE_HOSTS", 200, least=1)

# ---- Web-hooks in and REST of runs, see docs/tasks-hooks.md and docs/tasks-api.md
HOOK_BODY_BYTES = env.integer("ADMINSET_HOOK_BODY_BYTES", 2**20, least=1024)
HOOK_PER_MINUTE = env.integer("ADMINSET_HOOK_PER_MINUTE", 30, least=1)
# A signed time that is so far from ours is refused.
HOOK_SKEW_SECONDS = env.integer("ADMINSET_HOOK_SKEW_SECONDS", 300, least=10, most=3600)
HOOK_KEEP_DAYS = env.integer("ADMINSET_HOOK_KEEP_DAYS", 30, least=1)
# Programs that one process lets wait for new output at the same time; further ones are answered at once.
RUN_API_WAITERS = env.integer("ADMINSET_RUN_API_WAITERS", 50, least=0)

# ---- Recordings of terminals, see docs/terminal-recording.md
# Without a recording no terminal: one whose recording fails ends.
TERMINAL_MUST_RECORD = env.boolean("ADMINSET_TERMINAL_MUST_RECORD", False)
# What one recording may take of the disk, packed and encrypted; its text may be eight times as much.
TERMINAL_RECORDING_BYTES = env.integer(
    "ADMINSET_TERMINAL_RECORDING_BYTES", 2**29, least=2**20
)
# Recordings of sessions that ended so long ago are cleared away at night, with their commands; 0: never.
TERMINAL_KEEP_DAYS = env.integer("ADMINSET_TERMINAL_KEEP_DAYS", 365)
# What all recordings together may take: the oldest go first; 0: no limit.
TERMINAL_KEEP_BYTES = env.integer("ADMINSET_TERMINAL_KEEP_BYTES", 0)
# One look through recordings for words: so many bytes of them (unpacked), then the reader is asked.
TERMINAL_SEARCH_BYTES = env.integer(
    "ADMINSET_TERMINAL_SEARCH_BYTES", 64 * 2**20, least=2**20
)

# ---- Service checks, heartbeats, status pages
# Where checks may go besides public addresses: services of one's own are what they are for. Loopback and link-local
# addresses (the cloud's metadata) are left out with care.
CHECK_ALLOWED_NETWORKS = env.networks("ADMINSET_CHECK_ALLOWED_NETWORKS") or [
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "fc00::/7",
]
# Names of sites: each has workers that take `--queues checks-<site>`.
CHECK_SITES = env.words("ADMINSET_CHECK_SITES", [])
CHECK_THREADS = env.integer("ADMINSET_CHECK_THREADS", 100, least=1, most=1000)
CHECK_ROUND_SECONDS = env.integer("ADMINSET_CHECK_ROUND_SECONDS", 30, least=1, most=600)
CHECK_MIN_SECONDS = env.integer("ADMINSET_CHECK_MIN_SECONDS", 10, least=5, most=3600)
CHECK_RETRY_SECONDS = env.integer("ADMINSET_CHECK_RETRY_SECONDS", 15, least=1, most=600)
# A question that has not come back so long after its time-out is given up.
CHECK_PATIENCE_SECONDS = 5
# A worker that dies with checks loses them after so long: longer than any time-out.
CHECK_CLAIM_SECONDS = env.integer("ADMINSET_CHECK_CLAIM_SECONDS", 120, least=70)
CHECK_STALE_SECONDS = env.integer("ADMINSET_CHECK_STALE_SECONDS", 300, least=60)
# What the agent sent of processes and ports counts for so long.
CHECK_TABLE_SECONDS = env.integer("ADMINSET_CHECK_TABLE_SECONDS", 300, least=60)
CHECK_FLIP_DAYS = env.integer("ADMINSET_CHECK_FLIP_DAYS", 400, least=91)
CHECK_MAX_FLIPS = env.integer("ADMINSET_CHECK_MAX_FLIPS", 5000, least=100)
HEARTBEAT_BODY_BYTES = env.integer("ADMINSET_HEARTBEAT_BODY_BYTES", 10_000, least=0)
HEARTBEAT_SETTLE_SECONDS = env.integer(
    "ADMINSET_HEARTBEAT_SETTLE_SECONDS", 300, least=0
)
HEARTBEAT_PER_MINUTE = env.integer("ADMINSET_HEARTBEAT_PER_MINUTE", 60, least=1)
# Public pages are given only where this is on.
STATUS_PAGES_PUBLIC = env.boolean("ADMINSET_STATUS_PAGES_PUBLIC", False)
STATUS_PAGE_SECONDS = env.integer("ADMINSET_STATUS_PAGE_SECONDS", 30, least=1, most=600)
