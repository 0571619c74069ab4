"""Settings of applications and their packages, see docs/applications.md; adminset/settings.py takes all of it."""

from adminset import env

# Where files of software packages lie; empty: below the data directory.
PACKAGES_FOLDER = env.text("ADMINSET_PACKAGES_DIR")
# The file of one software package; it is sent in pieces of PACKAGE_PIECE_BYTES, each of them one request.
PACKAGE_BYTES = env.integer("ADMINSET_PACKAGE_BYTES", 2 * 2**30, least=1)
PACKAGE_PIECE_BYTES = env.integer(
    "ADMINSET_PACKAGE_PIECE_BYTES", 8 * 2**20, least=64 * 1024
)
# Files of all packages that have begun to come and have not ended, and what they take together.
PACKAGE_UPLOADS_OPEN = env.integer("ADMINSET_PACKAGE_UPLOADS_OPEN", 20, least=1)
PACKAGE_UPLOADS_OPEN_BYTES = env.integer(
    "ADMINSET_PACKAGE_UPLOADS_OPEN_BYTES", 16 * 2**30, least=1
)
# What nobody sent a piece of for so long is cleared away.
PACKAGE_PIECE_HOURS = env.integer("ADMINSET_PACKAGE_PIECE_HOURS", 24, least=1)
# Hosts of one environment that the page of an application draws.
APPLICATION_HOSTS = env.integer("ADMINSET_APPLICATION_HOSTS", 50, least=1, most=1000)
