"""Says what a shell would match with stars and the like, in few steps whatever is typed (a pattern of `re` may take for ever)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sign:
    """One sign of a glob: a character, one of a set, any, or a star.

    Attributes:
        chars: what fits, a-z among it; "" for anything but a slash. one: the only character that fits.
        no: these do not fit. star: any number of it.
        first: no character, but the place where a name begins, which stars do not find if it begins with a dot.
    """

    chars: str = ""
    one: str = ""
    no: bool = False
    star: bool = False
    first: bool = False

    def fits(self, char: str) -> bool:
        """Say whether a character fits."""
        if self.one:
            return char == self.one
        if not self.chars:
            return char != "/"
        return (char in self.chars or self._between(char)) != self.no

    def _between(self, char: str) -> bool:
        chars = self.chars
        return any(
            chars[at] == "-" and chars[at - 1] <= char <= chars[at + 1]
            for at in range(1, len(chars) - 1)
        )


class Glob:
    """Signs in their order; stars do not follow each other."""

    def __init__(self, signs: list[Sign]) -> None:
        self._signs = signs
        self._least = sum(not (sign.star or sign.first) for sign in signs)
        # So often a sign was held against a character.
        self.steps = 0

    def fullmatch(self, text: str) -> bool:
        """Say whether a text fits from its beginning to its end."""
        if self._least > len(text):
            return False
        end = len(self._signs)
        places = self._reached({0}, text[:1])
        for at, char in enumerate(text):
            further = set()
            for place in places:
                self.steps += 1
                if place < end and self._signs[place].fits(char):
                    further.add(place if self._signs[place].star else place + 1)
            places = self._reached(further, text[at + 1 : at + 2])
            if not places:
                return False
        return end in places

    def _reached(self, places: set[int], char: str) -> set[int]:
        """Step over what may stand for nothing: stars, and the beginning of a name without a dot."""
        found: set[int] = set()
        for begin in places:
            place = begin
            while place < len(self._signs):
                sign = self._signs[place]
                if sign.first and char == ".":
                    break
                if not sign.first:
                    found.add(place)
                if not (sign.star or sign.first):
                    break
                place += 1
            else:
                found.add(place)
        return found
