"""What one line may cost the guard: what values add to it, and how much is scanned for it."""

# In characters; of what is scanned, scripts in scripts are a part.
MOST_MARKS, MOST_SCANNED = 1 << 18, 1 << 18


class Budget:
    """What is left of it.

    Attributes:
        spent: something was left out because it was spent.
    """

    def __init__(self) -> None:
        self.spent = False
        self._marks, self._scanned = MOST_MARKS, MOST_SCANNED

    def has_value(self, length: int) -> bool:
        """Spend on what is put in; False where too little is left."""
        self._marks -= length
        self.spent = self.spent or self._marks < 0
        return self._marks >= 0

    def has_script(self, text: str) -> bool:
        """Spend on a text to be scanned; False where too little is left."""
        self._scanned -= len(text)
        self.spent = self.spent or self._scanned < 0
        return self._scanned >= 0
