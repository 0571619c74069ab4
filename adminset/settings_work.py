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
    "ADMINSET_AGENT_FLUSH_SECONDS", 15, least=1, most=3600
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
METRICS_TIER_DAYS = env.integer("ADMINSET_METRICS_TIER_DAYS", 14, least=1)

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
