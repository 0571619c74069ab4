"""Where the bytes of stored files lie (adminset/blobs.py)."""

from adminset.blobs import Blobs

BLOBS = Blobs("LIBRARY_DIR", "ADMINSET_LIBRARY_FILE_BYTES")
path_of, keep = BLOBS.path_of, BLOBS.keep
