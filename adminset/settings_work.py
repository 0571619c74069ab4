"""How much work the portal takes on: lists and imports, agents and measurements, runs; adminset/settings.py takes all of it."""

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
RUN_LEASE_SECONDS = env.integer("ADMINSET_RUN_LEASE_SECONDS", 15, least=3)

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
