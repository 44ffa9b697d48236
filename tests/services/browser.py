"""Debian's Chromium through Playwright, in the ways people look at a page."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from playwright.sync_api import (
    Browser,
    BrowserContext,
    BrowserType,
    ConsoleMessage,
    Page,
    sync_playwright,
)

PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 800}
MODES: dict[str, dict[str, Any]] = {
    "mobile": {"viewport": PHONE, "device_scale_factor": 3, "is_mobile": True, "has_touch": True},
    "mobile-dark": {
        "viewport": PHONE,
        "is_mobile": True,
        "has_touch": True,
        "color_scheme": "dark",
    },
    "desktop": {"viewport": DESKTOP},
    "desktop-dark": {"viewport": DESKTOP, "color_scheme": "dark"},
    "forced": {"viewport": DESKTOP, "forced_colors": "active"},
    "forced-dark": {"viewport": DESKTOP, "forced_colors": "active", "color_scheme": "dark"},
    "contrast": {"viewport": DESKTOP, "contrast": "more"},
    "reduced": {"viewport": DESKTOP, "reduced_motion": "reduce"},
    "rtl": {"viewport": PHONE, "locale": "ar"},
    "reflow320": {"viewport": {"width": 320, "height": 256}},  # WCAG 1.4.10: 1280 px at 400 %
    "nojs": {"viewport": PHONE, "java_script_enabled": False},
}
# The shell has the same engine without the window, its pages and its processes around each context.
SHELL, WHOLE = "chromium-headless-shell", "chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--disable-sync",
]
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN_AXE = """
async ([tags, off]) => {
  const result = await axe.run(document, {
    runOnly: {type: 'tag', values: tags},
    rules: Object.fromEntries(off.map(rule => [rule, {enabled: false}])),
    resultTypes: ['violations'],
  });
  return result.violations.map(v => [v.id, v.impact, v.nodes.map(n => n.html.slice(0, 120))]);
}
"""


class Violation(NamedTuple):
    """One axe rule a page breaks: `minor` to `critical`, and the markup of each place."""

    rule: str
    impact: str
    places: list[str]


@cache
def axe_source() -> str:
    """axe-core as its Python package ships it."""
    return (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")


def axe_violations(page: Page, *, off: tuple[str, ...] = ()) -> list[Violation]:
    """What axe finds under WCAG 2.2 A and AA and its best practices, without the rules in `off`.

    In forced colours axe computes contrast from colours that are not painted, so that rule is left
    out there. The script is evaluated, not added as an element: a page's policy stays in force.
    """
    page.evaluate(axe_source())
    if page.evaluate("matchMedia('(forced-colors: active)').matches"):
        off = (*off, "color-contrast")
    found = page.evaluate(RUN_AXE, [AXE_TAGS, list(off)])
    return [Violation(*item) for item in found]


@contextmanager
def chromium(program: str = SHELL) -> Iterator[Browser]:
    """A running headless Chromium. Raises FileNotFoundError where it is not installed."""
    with engine() as chromiums, started(chromiums, program) as browser:
        yield browser


@contextmanager
def engine() -> Iterator[BrowserType]:
    """What starts browsers; a process has one at a time."""
    with sync_playwright() as playwright:
        yield playwright.chromium


@contextmanager
def started(chromiums: BrowserType, program: str) -> Iterator[Browser]:
    """This program, ended with the block; the whole browser stands in for a missing shell. Raises
    FileNotFoundError where neither is installed."""
    path = shutil.which(program) or shutil.which(WHOLE)
    if path is None:
        raise FileNotFoundError(f"{program} is not installed")
    browser = chromiums.launch(executable_path=path, args=ARGUMENTS)
    yield browser
    browser.close()


@dataclass
class PageFactory:
    """Opens pages in a mode and writes down what went wrong in any of them.

    A fault is an error on the console, an uncaught exception, or a request that leaves this
    machine. The fixture `page_factory` fails the test that leaves a fault behind; a test that
    provokes one says so with `forgive`.
    """

    browser: Browser
    faults: list[str] = field(default_factory=list)
    _contexts: list[BrowserContext] = field(default_factory=list)

    def __call__(self, mode: str = "desktop", **options: Any) -> Page:
        """A page in a fresh context: its own cookies. `options` go to Browser.new_context."""
        context = self.browser.new_context(**{**MODES[mode], **options})
        self._contexts.append(context)
        context.set_default_timeout(10_000)
        context.on("console", self._note_console)
        context.on("weberror", lambda error: self.faults.append(str(error.error)))
        context.on("request", lambda request: self._note_request(request.url))
        return context.new_page()

    def forgive(self, part: str) -> None:
        """Drops the faults that contain `part`."""
        self.faults[:] = [fault for fault in self.faults if part not in fault]

    def close(self) -> None:
        for context in self._contexts:
            context.close()

    def _note_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.faults.append(f"console: {message.text} {message.location.get('url', '')}")

    def _note_request(self, url: str) -> None:
        parts = urlsplit(url)
        host = parts.hostname or ""
        here = host in ("localhost", "127.0.0.1") or host.endswith(".localhost")
        if parts.scheme in ("http", "https", "ws", "wss") and not here:
            self.faults.append(f"request to another host: {host}")
