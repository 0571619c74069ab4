"""Says what a browser's User-Agent means, in two words: which family, on which system."""

from django.utils.translation import gettext as _

# (a piece of the User-Agent, what it means): the first that is found counts, because most browsers name others too.
FAMILIES = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"),
    ("QQBrowser/", "QQ Browser"),
    ("MicroMessenger/", "WeChat"),
    ("UCBrowser/", "UC Browser"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("HeadlessChrome/", "Chrome"),
    ("Chromium/", "Chromium"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("Trident/", "Internet Explorer"),
    ("curl/", "curl"),
    ("python-requests/", "Python"),
    ("Python-urllib/", "Python"),
)
SYSTEMS = (
    ("Windows", "Windows"),
    ("iPhone", "iOS"),
    ("iPad", "iPadOS"),
    ("Android", "Android"),
    ("HarmonyOS", "HarmonyOS"),
    ("CrOS", "ChromeOS"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
    ("FreeBSD", "FreeBSD"),
)


def in_words(user_agent: str) -> str:
    """Give "Firefox, Linux"; the words are ours alone, whatever the text holds, and claim no more than it does."""
    family = _found(FAMILIES, user_agent)
    system = _found(SYSTEMS, user_agent)
    known = ", ".join(part for part in (family, system) if part)
    return known or (_("another browser") if user_agent.strip() else _("not known"))


def _found(table: tuple[tuple[str, str], ...], text: str) -> str:
    return next((meaning for piece, meaning in table if piece in text), "")
