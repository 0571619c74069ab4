"""Reads the line that somebody edits off the screen: what stands behind the prompt, as far as the line goes."""

import re

from tasks.guard.screen import Screen
from tasks.guard.tape import Anchor

# What a search in the history shows instead of the prompt.
SEARCH = re.compile(r"\A\((?:failed )?(?:reverse-)?i-search\)`.*?': ?(.*)\Z", re.DOTALL)
# A prompt that was never seen before somebody typed: its end, for want of better.
PROMPT = re.compile(
    r"\A(?:\[?[\w.-]+@[\w.-]+[^$#%>\n]{0,200}?|(?:ba|z|da|k|a)?sh[-\d.]*)[$#%>] "
)
HIDDEN = frozenset("*•●")
ROWS_BACK = 50
# What was typed ahead is looked for in so many pieces, among so many characters.
MOST_PIECES, LONGEST_TORN = 5, 8192
# A prompt of so many characters is not part of a command by chance.
SURE = 4


def squashed(text: str) -> str:
    """Take out what wraps and redraws put between characters."""
    return "".join(char for char in text if char.isprintable() and not char.isspace())


def in_pieces(wanted: str, shown: str) -> bool:
    """Say whether a text that was typed ahead stands in what was printed, torn to a few pieces by output.

    It begins where that begins, or ends where the cursor is: what is not echoed does neither.
    """
    most, at, begin, place = min(1 + len(wanted) // 3, MOST_PIECES), 0, -1, 0
    if len(shown) > LONGEST_TORN or not wanted:
        return False
    for _each in range(most):
        length = _longest_piece(wanted[at:], shown[place:])
        found = shown.find(wanted[at : at + length], place)
        begin = found if at == 0 else begin
        at, place = at + length, found + length
        if not length or at == len(wanted):
            break
    return at == len(wanted) and (begin == 0 or place == len(shown))


def _longest_piece(wanted: str, shown: str) -> int:
    """Say how many characters of the beginning of a text stand together somewhere."""
    low, high = 0, len(wanted)
    while low < high:
        middle = (low + high + 1) // 2
        if wanted[:middle] in shown:
            low = middle
        else:
            high = middle - 1
    return low


def read_line(screen: Screen, anchor: Anchor | None, last_prompt: str) -> str:
    """Read the line at hand; "" where nothing stands behind the prompt, or only stars.

    Args:
        anchor: where it began, if that is known. last_prompt: the prompt of the line before.
    """
    text = _found(screen, anchor, last_prompt).strip()
    return "" if set(text) <= HIDDEN else text


def read_rest(screen: Screen, last_prompt: str) -> str:
    """Read what stands behind the prompt though nobody typed it: a line that the shell put there by itself."""
    line = screen.line()
    known = bool(last_prompt.strip()) and line.startswith(last_prompt)
    return line[len(last_prompt) :].strip() if known else ""


def before_cursor(screen: Screen, anchor: Anchor | None, most: int) -> str:
    """Give what stands between the beginning of the line, or so many rows back, and the cursor."""
    first = max(screen.begin_of(screen.y) - most, 0)
    begin = (first, 0)
    if anchor and anchor.row - screen.gone >= first:
        begin = (anchor.row - screen.gone, anchor.column)
    if begin[0] > screen.y:
        begin = (screen.begin_of(screen.y), 0)
    return screen.between(begin, screen.y, screen.x)


def ends_with(screen: Screen, text: str) -> bool:
    """Say whether a text, and there is one, stands right before the cursor."""
    wanted = squashed(text)
    return bool(wanted) and squashed(before_cursor(screen, None, 0)).endswith(wanted)


def is_shown(
    screen: Screen, anchor: Anchor | None, words: str, prompt: str, fresh: bool
) -> bool:
    """Say whether what was typed stands before the cursor.

    Args:
        fresh: it was begun behind a prompt; what is typed ahead may have prompts and output in its midst.
    """
    wanted = squashed(words)
    rows = len(wanted) // screen.columns + words.count("\n") + 2
    text, told = map(squashed, (before_cursor(screen, anchor, rows), prompt))
    if fresh or text.endswith(wanted):
        return text.endswith(wanted)
    return in_pieces(wanted, text.replace(told, "") if told else text)


def typed_ahead(screen: Screen, anchor: Anchor | None, words: str) -> str:
    """Give what was typed before there was a prompt, where it is to be seen further up; else ""."""
    wanted = squashed(words)
    if anchor is None or not wanted:
        return ""
    begin = (max(anchor.row - screen.gone, 0), anchor.column)
    shown = squashed(screen.between(begin, screen.y))
    return words.strip() if wanted in shown else ""


def _found(screen: Screen, anchor: Anchor | None, last_prompt: str) -> str:
    line = screen.line()
    search = SEARCH.match(line)
    if search:
        return search.group(1)
    prompt = anchor.prompt if anchor and anchor.prompt.strip() else last_prompt
    right = anchor.right if anchor else ""
    if prompt.strip() and line.startswith(prompt):
        # Also where it was drawn anew, below a list of completions.
        return _without_right(line[len(prompt) :], right)
    own = anchor is not None and bool(anchor.prompt.strip())
    if anchor and _stands(screen, anchor):
        begin = (anchor.row - screen.gone, anchor.column)
        text = _without_right(screen.between(begin, screen.end_of(screen.y)), right)
        if own:
            return text
        # Typed before there was a prompt: that came in between.
        return _without_prompt(line if "\n" in text else text, last_prompt)
    return (_below_prompt(screen, prompt) if own else "") or _without_prompt(
        line, prompt
    )


def _stands(screen: Screen, anchor: Anchor) -> bool:
    """Say whether the prompt is still where the line began."""
    number = anchor.row - screen.gone
    if not 0 <= number <= screen.y:
        return False
    first = screen.begin_of(number)
    return screen.between((first, 0), number, anchor.column) == anchor.prompt


def _without_right(text: str, right: str) -> str:
    """Take away a prompt at the right margin."""
    first, newline, rest = text.partition("\n")
    if right and first.rstrip().endswith(f" {right}"):
        first = first.rstrip().removesuffix(right).rstrip()
    return first + newline + rest


def _without_prompt(text: str, prompt: str) -> str:
    if prompt.strip() and text.startswith(prompt):
        return text[len(prompt) :]
    # What was typed ahead stands before the prompt as well.
    if len(prompt.strip()) >= SURE and prompt in text:
        return text.rpartition(prompt)[2]
    return PROMPT.sub("", text, count=1)


def _below_prompt(screen: Screen, prompt: str) -> str:
    """Look for the prompt further up: the screen was cleared, or the line was drawn again elsewhere."""
    if not prompt.strip():
        return ""
    number = screen.begin_of(screen.y)
    for _each in range(ROWS_BACK):
        if screen.between((number, 0), number).startswith(prompt):
            text = screen.between((number, 0), screen.end_of(screen.y))
            return text[len(prompt) :]
        if number == 0:
            break
        number = screen.begin_of(number - 1)
    return ""
