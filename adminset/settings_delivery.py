"""Settings of delivery: sources, builds, artefacts, see docs/delivery-sources.md; adminset/settings.py takes all of it."""

import shlex

from adminset import env

# ---- Artefacts
# Where artefacts lie; empty: below the data directory.
ARTEFACTS_FOLDER = env.text("ADMINSET_ARTEFACTS_DIR")
# Files and bytes of one artefact, unpacked.
ARTEFACT_FILES = env.integer("ADMINSET_ARTEFACT_FILES", 200_000, least=1)
ARTEFACT_BYTES = env.integer("ADMINSET_ARTEFACT_BYTES", 10 * 2**30, least=1)
# Folders that a path of one may go through, with the file itself.
ARTEFACT_DEPTH = env.integer("ADMINSET_ARTEFACT_DEPTH", 64, least=8)
# An archive that somebody sends, and how many bytes may come out of one of its bytes.
ARTEFACT_UPLOAD_BYTES = env.integer("ADMINSET_ARTEFACT_UPLOAD_BYTES", 2 * 2**30)
ARTEFACT_UPLOAD_RATIO = env.integer("ADMINSET_ARTEFACT_UPLOAD_RATIO", 200, least=2)
# Archives of one project that have begun to come and have not ended, and their bytes.
ARTEFACT_UPLOADS_OPEN = env.integer("ADMINSET_ARTEFACT_UPLOADS_OPEN", 10, least=1)
ARTEFACT_UPLOADS_OPEN_BYTES = env.integer(
    "ADMINSET_ARTEFACT_UPLOADS_OPEN_BYTES", 8 * 2**30, least=1
)
# Files from this size on are sent as what changed in them, where most of them did not; in blocks of so many bytes.
ARTEFACT_DELTA_BYTES = env.integer(
    "ADMINSET_ARTEFACT_DELTA_BYTES", 8 * 1024, least=4 * 1024
)
ARTEFACT_BLOCK_BYTES = env.integer(
    "ADMINSET_ARTEFACT_BLOCK_BYTES", 16 * 1024, least=4096, most=2**20
)
# Packs on their way to hosts that nobody asked for so long are made anew when they are wanted.
ARTEFACT_PACK_HOURS = env.integer("ADMINSET_ARTEFACT_PACK_HOURS", 24, least=1)
# Artefacts of a project whose files stay besides those that are live, the ones before, and those that are kept.
ARTEFACT_KEEP = env.integer("ADMINSET_ARTEFACT_KEEP", 20, least=1)

# ---- Sources
# git: ADMINSET_LIBRARY_GIT_PROTOCOLS. `file` reads folders of the portal's own machine and is for tests.
SOURCE_SVN_PROTOCOLS = env.words("ADMINSET_SOURCE_SVN_PROTOCOLS", ["https"])
SOURCE_SECONDS = env.integer("ADMINSET_SOURCE_SECONDS", 600, least=5)
SOURCE_BYTES = env.integer("ADMINSET_SOURCE_BYTES", 5 * 2**30, least=2**20)
# What git or svn print of branches, tags and commits is read into memory: no more than this.
SOURCE_ANSWER_BYTES = env.integer(
    "ADMINSET_SOURCE_ANSWER_BYTES", 32 * 2**20, least=64 * 1024
)
# A branch or tag list longer than this is cut; commits of one page.
SOURCE_REFS = env.integer("ADMINSET_SOURCE_REFS", 2000, least=10)
SOURCE_COMMITS = env.integer("ADMINSET_SOURCE_COMMITS", 50, least=5, most=500)
# Mirrors of repositories that nobody asked for so long are cleared away.
SOURCE_MIRROR_DAYS = env.integer("ADMINSET_SOURCE_MIRROR_DAYS", 30, least=1)

# ---- Builds
# One command, unless its stage says less; never more than the most.
BUILD_SECONDS = env.integer("ADMINSET_BUILD_SECONDS", 1800, least=1)
BUILD_OUTPUT_BYTES = env.integer(
    "ADMINSET_BUILD_OUTPUT_BYTES", 16 * 2**20, least=64 * 1024
)
# Of each process of a build: address space (0: no limit), the largest file, open files; and how many processes.
BUILD_MEMORY_BYTES = env.integer("ADMINSET_BUILD_MEMORY_BYTES", 0)
BUILD_FILE_BYTES = env.integer("ADMINSET_BUILD_FILE_BYTES", 4 * 2**30, least=2**20)
BUILD_OPEN_FILES = env.integer("ADMINSET_BUILD_OPEN_FILES", 4096, least=64)
BUILD_PROCESSES = env.integer("ADMINSET_BUILD_PROCESSES", 0)
# What one build may take of the disk, and all cache folders of one project.
BUILD_DISK_BYTES = env.integer("ADMINSET_BUILD_DISK_BYTES", 20 * 2**30, least=2**20)
BUILD_CACHE_BYTES = env.integer("ADMINSET_BUILD_CACHE_BYTES", 10 * 2**30)
# A build ends where less of its disk is free.
BUILD_FREE_BYTES = env.integer("ADMINSET_BUILD_FREE_BYTES", 2**30)
# Programs of builds are looked for here.
BUILD_PATH = env.text(
    "ADMINSET_BUILD_PATH",
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
)
# Words that stand before each command, such as bwrap with its options; no shell reads them. {folder}, {home}, {caches}: the build's.
BUILD_WRAPPER = shlex.split(env.text("ADMINSET_BUILD_WRAPPER"))
# Outputs of builds stay so many days.
BUILD_LOG_DAYS = env.integer("ADMINSET_BUILD_LOG_DAYS", 90, least=1)

# ---- Deploys, see docs/delivery.md
# Work at the portal (fetch, build, pack) whose worker gives no sign of life for so long goes to another one, a few times.
DELIVERY_LEASE_SECONDS = env.integer("ADMINSET_DELIVERY_LEASE_SECONDS", 30, least=3)
DELIVERY_MOST_LOSSES = env.integer("ADMINSET_DELIVERY_MOST_LOSSES", 3, least=1)
# Hosts of a canary are asked for their health so often while they are watched.
DELIVERY_WATCH_SECONDS = env.integer("ADMINSET_DELIVERY_WATCH_SECONDS", 60, least=5)
# What is live is read back where nobody has looked for so long.
DELIVERY_READ_MINUTES = env.integer("ADMINSET_DELIVERY_READ_MINUTES", 30, least=1)
# Follow-ups one upon another; rules cannot close a circle, but a restored database may hold one.
DELIVERY_FOLLOW_MOST = env.integer("ADMINSET_DELIVERY_FOLLOW_MOST", 20, least=1)
