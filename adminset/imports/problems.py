"""What is wrong with a file that comes in, and how it is said: line of the file, column, value, sentence."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """What is wrong in one cell (column "" = the whole line, line 0 = the whole file).

    Attributes:
        line: line of the file in which the row begins, counted as an editor counts.
        message: what is wrong and how to mend it.
    """

    line: int
    column: str
    value: str
    message: str


class Unreadable(Exception):
    """The file cannot be read as a table; `problems` says where and why."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(problems[0].message if problems else "")
        self.problems = list(problems)


def whole(message: str, line: int = 0, value: str = "") -> Unreadable:
    """Say that the file as a whole, or from one line on, cannot be read."""
    return Unreadable(Problem(line, "", value, message))
