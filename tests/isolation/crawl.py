"""Reading pages like a browser: where they lead, and what their forms would send."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit


@dataclass
class Form:
    """One form: every value it would send as it stands."""

    action: str
    method: str
    values: dict[str, list[str]] = field(default_factory=dict)

    def add(self, name: str | None, value: str | None) -> None:
        if name:
            self.values.setdefault(name, []).append(value or "")


class Reader(HTMLParser):
    """Links and forms of one page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.forms: list[Form] = []
        self._select, self._textarea, self._typed = "", "", ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.links += [str(found[key]) for key in ("href", "src", "data-url") if found.get(key)]
        if tag == "form":
            self.forms.append(Form(found.get("action") or "", found.get("method") or "get"))
        elif self.forms and tag == "input":
            self._input(found)
        elif tag == "select":
            self._select = found.get("name") or ""
        elif self.forms and tag == "option" and "selected" in found:
            self.forms[-1].add(self._select, found.get("value"))
        elif tag == "textarea":
            self._textarea, self._typed = found.get("name") or "", ""

    def _input(self, found: dict[str, str | None]) -> None:
        kind = found.get("type") or "text"
        ticked = kind not in {"checkbox", "radio"} or "checked" in found
        if ticked and kind not in {"submit", "file", "image"}:
            self.forms[-1].add(found.get("name"), found.get("value"))

    def handle_data(self, data: str) -> None:
        self._typed += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self.forms:
            self.forms[-1].add(self._textarea, self._typed.removeprefix("\n"))


@dataclass(frozen=True)
class Visited:
    """A page of a crawl."""

    address: str
    status: int
    text: str


def crawl(
    client: Any, start: str, *, limit: int = 2_000, values: int | None = None
) -> Iterator[Visited]:
    """Every page below the path `start` that can be reached by links, once. values: with how many
    of its values each filter of a list is opened, all where nothing is said."""
    queue, known, opened = [start], {start}, Counter[str]()
    while queue:
        address = queue.pop()
        name, _, chosen = address.partition("=")
        if values is not None and chosen and opened[name] == values:
            continue
        opened[name] += bool(chosen)
        response = client.get(address)
        text = "" if getattr(response, "streaming", False) else response.content.decode()
        yield Visited(address, response.status_code, text)
        page = Reader(text)
        targets = [*page.links, response.headers.get("Location") or ""]
        targets += [form.action for form in page.forms if form.method.lower() == "get"]
        for link in targets:
            target = urljoin(address, link).partition("#")[0]
            if link and target not in known and is_followed(target, start):
                known.add(target)
                queue.append(target)
        assert len(known) < limit, "the crawl does not end"


def is_followed(target: str, start: str) -> bool:
    """Pages of the site; of a list's filters each by itself, not every combination."""
    parts = urlsplit(target)
    inside = not parts.netloc and parts.path.startswith(start) and "logout" not in parts.path
    return inside and len(parse_qs(parts.query, keep_blank_values=True)) <= 1
