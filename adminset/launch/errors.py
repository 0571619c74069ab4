"""The errors of the launcher: a plain sentence that names the cure; it ends the start with exit code 1."""


class LaunchError(Exception):
    """Something that the reader can cure; its text is all that they see."""


class OfflineError(LaunchError):
    """A package index could not be reached: trying another tool would not help."""
