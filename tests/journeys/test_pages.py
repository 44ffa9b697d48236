"""Every page of the portal, in each state: accessible, readable anywhere, and never a dead end."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Page

from tests.journeys.conftest import OpenStage
from tests.journeys.scenes import SCENES as JOURNEY
from tests.journeys.scenes import Scene
from tests.journeys.scenes_elsewhere import ELSEWHERE
from tests.journeys.scenes_people import PEOPLE
from tests.journeys.stage import Stage
from tests.services.browser import Violation

PHONE, NARROW = {"width": 390, "height": 844}, {"width": 320, "height": 640}
DIRECTIONS = {"en": "ltr", "ar": "rtl"}
# The journey is over and well: there is nothing left to do here.
ENDS_WELL = {"done"}
NEXT_STEPS = "main a[href]:not([data-summary] a), main button:not([type=button])"
TARGETS = "main .primary, main .door, main .option, main .button, main button, footer button"
SMALL = """
elements => elements.filter(e => e.checkVisibility())
  .filter(e => e.getBoundingClientRect().height < 43.9 || e.getBoundingClientRect().width < 44)
  .map(e => e.outerHTML.slice(0, 120))
"""
# WCAG 1.4.12, through a constructed sheet: the page's policy forbids inline styles.
SPACING = """
() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`* { line-height: 1.5 !important; letter-spacing: 0.12em !important;
    word-spacing: 0.16em !important; } p { margin-block-end: 2em !important; }`);
  document.adoptedStyleSheets = [sheet];
}
"""
OVERFLOW = """
() => {
  const root = document.documentElement;
  const own = ["INPUT", "SELECT", "TEXTAREA"];
  const isCut = e => e.scrollWidth > e.clientWidth + 1 && e.checkVisibility() &&
    !e.closest(".scroll, svg, .sr") && !own.includes(e.tagName) &&
    getComputedStyle(e).display !== "inline";
  const cut = [...document.querySelectorAll("main *, footer *")].filter(isCut);
  return [...(root.scrollWidth > root.clientWidth ? ["the page"] : []),
    ...cut.map(e => e.outerHTML.slice(0, 120))];
}
"""
# What can change with colours, width and direction alone; axe is in the page already.
LOOK_AGAIN = """
async () => {
  const rules = ["color-contrast", "target-size", "link-in-text-block",
    "scrollable-region-focusable"];
  const found = await axe.run(document, {
    runOnly: {type: "rule", values: rules}, resultTypes: ["violations"],
  });
  return found.violations.map(v => [v.id, v.nodes.map(n => n.html.slice(0, 120))]);
}
"""
MIRROR = "() => { document.documentElement.dir = 'rtl'; }"
EDGED = "main .primary, main .option, main [type=text], main [type=password]"
EDGES = """
elements => elements.filter(e => e.checkVisibility())
  .filter(e => ["none", "0px"].includes(getComputedStyle(e).borderBlockStartWidth))
  .map(e => e.outerHTML.slice(0, 120))
"""
# The frame of the others, and a form that a script sends at once.
NO_PLACE_TO_STAY = {"portal/base", "federation/back"}
SCENES = {**JOURNEY, **PEOPLE, **ELSEWHERE}
ONE_EACH = {scene.template: name for name, scene in SCENES.items()}.values()


Axe = Callable[..., list[Violation]]


def overflow(page: Page) -> list[str]:
    found: list[str] = page.evaluate(OVERFLOW)
    return found


def test_every_page_template_has_a_scene() -> None:
    root = Path(settings.BASE_DIR) / "templates"
    pages = {
        f"{folder}/{path.stem}"
        for folder in ("portal", "oidc", "federation", "approval")
        for path in (root / folder).glob("[!_]*.html")
    }

    assert pages - NO_PLACE_TO_STAY == {template_of(scene) for scene in SCENES.values()}


@pytest.mark.parametrize("name", SCENES)
def test_a_page_is_sound_in_every_way_of_looking_at_it(
    open_stage: OpenStage, axe: Axe, rendered: list[str], name: str
) -> None:
    stage = open_stage("desktop", viewport=PHONE)

    visit(stage, SCENES[name], rendered)

    page = stage.page
    assert axe(page) == []
    assert page.locator(TARGETS).evaluate_all(SMALL) == []
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]  # a TypedDict by shape
    assert overflow(page) == []
    page.emulate_media(color_scheme="dark")
    page.evaluate(MIRROR)
    assert page.evaluate(LOOK_AGAIN) == []
    page.evaluate(SPACING)
    assert overflow(page) == []
    page.emulate_media(forced_colors="active")
    assert page.locator(EDGED).evaluate_all(EDGES) == []


@pytest.mark.parametrize("name", ONE_EACH)
def test_a_page_is_sound_in_arabic(
    open_stage: OpenStage, axe: Axe, rendered: list[str], name: str
) -> None:
    stage = open_stage("desktop", language="ar", viewport=NARROW)

    visit(stage, SCENES[name], rendered)

    assert axe(stage.page) == []
    assert overflow(stage.page) == []


def visit(stage: Stage, scene: Scene, rendered: list[str]) -> None:
    """Opens the page and checks what every page owes, however one looks at it."""
    scene.open(stage)
    stage.page.wait_for_load_state()
    if scene.status >= 400:
        stage.forgive(f"status of {scene.status}")
    assert f"{template_of(scene)}.html" in rendered
    says_what_it_is(stage, scene)
    leads_on(stage, scene)


def template_of(scene: Scene) -> str:
    return scene.template if "/" in scene.template else f"portal/{scene.template}"


def says_what_it_is(stage: Stage, scene: Scene) -> None:
    page = stage.page
    html = page.locator("html")
    assert html.get_attribute("lang") == stage.language
    assert html.get_attribute("dir") == DIRECTIONS[stage.language]
    assert page.locator("h1").count() == 1
    heading = page.locator("h1").inner_text().strip()
    assert heading in page.title()
    assert page.locator("[data-summary]").count() == scene.errors
    if scene.errors:
        assert page.evaluate("document.activeElement.matches('[data-summary]')")
        assert page.title().strip()[: -len(heading)] != ""
        for link in page.locator("[data-summary] a").all():
            field = page.locator(link.get_attribute("href") or "")
            assert field.count() == 1
            assert field.is_visible()
    if stage.language == "en":
        assert page.title().strip().startswith("Error: ") == scene.errors


def leads_on(stage: Stage, scene: Scene) -> None:
    steps = stage.page.locator(NEXT_STEPS).filter(visible=True).count()
    assert steps or scene.template in ENDS_WELL
    assert stage.page.locator("footer a").first.is_visible()
