"""What the global search looks into: a line for each word by which an object can be found."""

from typing import Any, Self

from django.db import models

LONGEST_TERM = 100


class BytewiseField(models.CharField):
    """A text that every database sorts and compares byte by byte, so that a range of it is a prefix and has an index."""

    COLLATIONS = {"postgresql": "C", "mysql": "utf8mb4_bin"}

    def db_parameters(self, connection: Any) -> dict[str, Any]:
        """Name the collation of the database at hand; SQLite's own compares bytes already."""
        found: dict[str, Any] = super().db_parameters(connection)
        return found | {"collation": self.COLLATIONS.get(connection.vendor)}


class SearchTermQuerySet(models.QuerySet):
    """Terms by their objects."""

    def of(self, instance: models.Model) -> Self:
        """Narrow to the terms of one object."""
        return self.filter(label=instance._meta.label_lower, object_id=instance.pk)


class SearchTerm(models.Model):
    """That an object can be found by a term (adminset/crud/search_terms.py makes them, normalised).

    It grants nothing: what is found is looked up again with the reader's eyes. So a term may outlive its object.
    """

    label = models.CharField(max_length=60)
    object_id = models.BigIntegerField()
    term = BytewiseField(max_length=LONGEST_TERM)
    # 0: the object's name; 1: another value of it; 2: a part of one.
    weight = models.PositiveSmallIntegerField(default=1)

    objects = SearchTermQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["label", "object_id", "term"], name="search_term_once"
            )
        ]
        indexes = [
            models.Index(fields=["label", "term", "object_id"], name="search_by_term")
        ]

    def __str__(self) -> str:
        return f"{self.term}: {self.label} {self.object_id}"
