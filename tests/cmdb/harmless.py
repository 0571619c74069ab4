"""Looks through a page for anything of what was stored that could run."""

from html.parser import HTMLParser


class Elements(HTMLParser):
    """Reads a page and collects what runs; a tree of it would cost more than the page."""

    def __init__(self) -> None:
        super().__init__()
        self.seen, self.wrong = 0, list[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen += 1
        given = {name: value or "" for name, value in attrs}
        self.wrong += [f"<{tag}> has {n}" for n in given if n.startswith("on")]
        is_ours = given.get("src") or given.get("type") == "application/json"
        if tag == "script" and not is_ours:
            self.wrong.append("a script that is none of ours")
        if given.get("href", "").lower().lstrip().startswith(("javascript:", "data:")):
            self.wrong.append(f"<{tag}> leads to {given['href']}")
        if tag == "img" and given.get("src") == "x":
            self.wrong.append("the image that was stored")

    def handle_data(self, data: str) -> None:
        if self.cdata_elem == "script" and "alert(1)" in data:
            self.wrong.append("a script that holds what was stored")


def assert_harmless(content: str, url: str) -> None:
    """Assert that nothing of what was stored became an element or an attribute that runs."""
    page = Elements()
    page.feed(content)
    page.close()
    assert (page.wrong, page.seen > 0) == ([], True), url
