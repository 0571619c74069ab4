"""Counts the folders that paths lie in: each costs the disk as much as a small file, and a short archive can name millions."""


class Folders:
    """The folders of some paths, each counted once."""

    def __init__(self) -> None:
        self._known = {""}

    def __len__(self) -> int:
        """Say how many there are."""
        return len(self._known) - 1

    def above(self, path: str) -> None:
        """Take in the folders that a path lies in."""
        parent = path.rpartition("/")[0]
        while parent not in self._known:
            self._known.add(parent)
            parent = parent.rpartition("/")[0]
