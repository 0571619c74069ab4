"""Settings of the files of hosts in the browser, see docs/host-files.md; adminset/settings.py takes all of it."""

from adminset import env

# Names of a folder that one page shows.
FILES_ROWS_MOST = env.integer("ADMINSET_FILES_ROWS_MOST", 1000, least=10, most=20_000)
FILES_UPLOAD_BYTES = env.integer("ADMINSET_FILES_UPLOAD_BYTES", 20 * 2**30, least=1)
# One piece of an upload is one request: no larger than ADMINSET_UPLOAD_BYTES, which a check at the start looks at.
FILES_PIECE_BYTES = env.integer(
    "ADMINSET_FILES_PIECE_BYTES", 15 * 2**20, least=64 * 1024
)
FILES_DOWNLOAD_BYTES = env.integer("ADMINSET_FILES_DOWNLOAD_BYTES", 50 * 2**30, least=1)
FILES_ARCHIVE_BYTES = env.integer("ADMINSET_FILES_ARCHIVE_BYTES", 50 * 2**30, least=1)
# Files, folders and links of one archive, of one purge, or of one search in a folder.
FILES_TREE_MOST = env.integer("ADMINSET_FILES_TREE_MOST", 200_000, least=1)
# Texts up to here are shown and changed in the browser.
FILES_TEXT_BYTES = env.integer(
    "ADMINSET_FILES_TEXT_BYTES", 512 * 1024, least=1024, most=2 * 2**20
)
# Uploads and downloads of one user at the same time, in one process.
FILES_TRANSFERS_MOST = env.integer("ADMINSET_FILES_TRANSFERS_MOST", 6, least=1)
# A transfer that does not move for so long is given up.
FILES_STALL_SECONDS = env.integer("ADMINSET_FILES_STALL_SECONDS", 60, least=5)
# Where deleted files go: below the login's home with ~/ in front, else an absolute path.
FILES_WASTE = env.text("ADMINSET_FILES_WASTE", "~/.adminset-waste")
# On a critical host the reason that was given holds for so long.
FILES_REASON_SECONDS = env.integer("ADMINSET_FILES_REASON_SECONDS", 3600, least=60)
# Lets root change files below folders whose owners could lead it elsewhere meanwhile.
FILES_ROOT_ANYWHERE = env.boolean("ADMINSET_FILES_ROOT_ANYWHERE", False)
