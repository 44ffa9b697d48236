"""One page looked at in every way that can make a difference, without loading it again."""

from collections.abc import Sequence

from playwright.sync_api import Page, ViewportSize

from tests.services.browser import Violation, axe_violations

WIDE: ViewportSize = {"width": 1280, "height": 800}
NARROW: ViewportSize = {"width": 320, "height": 640}
RUN_RULES = """
async rules => {
  const result = await axe.run(document, {
    runOnly: {type: 'rule', values: rules}, resultTypes: ['violations'],
  });
  return result.violations.map(v => [v.id, v.impact, v.nodes.map(n => n.html.slice(0, 120))]);
}
"""
COLOURS = ("color-contrast", "link-in-text-block")
LAYOUT = ("target-size", "scrollable-region-focusable")


def try_again(page: Page, rules: Sequence[str] = (*COLOURS, *LAYOUT)) -> list[Violation]:
    """These rules alone, on a page in which axe was evaluated before. In forced colours axe knows
    nothing of contrast, see `axe_violations`."""
    if page.evaluate("matchMedia('(forced-colors: active)').matches"):
        rules = [rule for rule in rules if rule != "color-contrast"]
    return [Violation(*each) for each in page.evaluate(RUN_RULES, list(rules))]


class Looker:
    """Looks at the page that is open, in light and dark colours, wide and 320 px, and notes what
    is wrong.

    The markup is the same each time, so every rule is tried once, then those that depend on
    colours, then these and those that depend on the layout.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.found: list[str] = []
        self.seen: list[str] = []

    def look(self, name: str) -> None:
        self.seen.append(name)
        page = self.page
        self.found += [f"{name} (wide, light): {each}" for each in axe_violations(page)]
        page.emulate_media(color_scheme="dark")
        self._try(COLOURS, f"{name} (wide, dark)")
        page.set_viewport_size(NARROW)
        self._try((*COLOURS, *LAYOUT), f"{name} (narrow, dark)")
        root = "document.documentElement"
        if page.evaluate(f"{root}.scrollWidth > {root}.clientWidth"):
            self.found.append(f"{name}: wider than 320 px")
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(WIDE)

    def visit(self, url: str, name: str) -> None:
        answer = self.page.goto(url)
        status = answer.status if answer is not None else 0
        if status == 200:
            self.look(name)
        elif status != 403 or not name.endswith("add/"):
            self.found.append(f"{name}: answers {status}")

    def _try(self, rules: Sequence[str], how: str) -> None:
        self.found += [f"{how}: {each}" for each in try_again(self.page, rules)]
