"""Writes what has waited beside many objects: links, lines of the trail, terms of the search, each kind at once."""

from adminset import audit_many
from adminset.crud import search_terms
from adminset.gathering import Waiting

BATCH = 500


def write_together(waiting: Waiting) -> None:
    """Write it, in the transaction in which the objects were written."""
    for model, rows in waiting.rows.items():
        model._base_manager.bulk_create(rows, batch_size=BATCH)
    audit_many.write(waiting.lines)
    for model, keys in waiting.saved.items():
        search_terms.index_rows(model, keys)
