"""The administration pages in a browser: strict policy, axe, narrow screens, the whole way in."""

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page

from tests.services.browser import PageFactory, Violation
from tests.tenants.admin.cast import PASSWORD, House, canary, contoso

LISTS = (
    "tenants/domain",
    "tenants/host",
    "tenants/group",
    "tenants/auditevent",
    "accounts/user",
    "resets/flow",
    "notifications/message",
)


@pytest.fixture
def own(transactional_db: None) -> House:
    canary()
    return contoso()


def enter(page: Page, url: str, house: House) -> None:
    page.goto(f"{url}/admin/")
    page.get_by_label("User ID").fill(house.admin)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Administration", exact=True).wait_for()


def pages_of(house: House) -> list[str]:
    details = [f"{name}/{pk}/change/" for name, pk in house.rows.items()]
    searched = [
        f"resets/flow/?q={house.reference}",
        "resets/flow/?q=none",
        "accounts/user/?kind=guest",
    ]
    return ["", *(f"{name}/" for name in LISTS), *details, *searched, *forms_of(house)]


def forms_of(house: House) -> list[str]:
    """The pages on which one thing is done."""
    keys = {
        "accounts/user": ("contacts", "groups", "roles", "disable", "what-would-happen"),
        "tenants/group": ("join", "nest", "remove"),
        "tenants/subscription": ("assign",),
    }
    found = [f"{name}/{house.rows[name]}/{key}/" for name, some in keys.items() for key in some]
    return ["accounts/user/add/", "tenants/group/add/", *found]


@pytest.mark.parametrize("mode", ["desktop", "desktop-dark"])
def test_axe_finds_nothing_on_any_page(
    mode: str,
    live_url: str,
    own: House,
    page_factory: PageFactory,
    axe: Callable[..., list[Violation]],
) -> None:
    page = page_factory(mode)
    found: dict[str, list[Violation]] = {}

    page.goto(f"{live_url}/admin/login/")
    found["login"] = axe(page)
    page.get_by_label("User ID").fill("nobody")
    page.get_by_label("Password").fill("not this one")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("alert").wait_for()
    found["refused"] = axe(page)
    enter(page, live_url, own)
    for path in pages_of(own):
        page.goto(f"{live_url}/admin/{path}")
        found[path] = axe(page)
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("heading", name="You are signed out").wait_for()
    found["signed out"] = axe(page)

    assert {path: violations for path, violations in found.items() if violations} == {}


@pytest.mark.parametrize("mode", ["reflow320", "mobile-dark"])
def test_no_page_is_wider_than_a_narrow_screen(
    mode: str, live_url: str, own: House, page_factory: PageFactory
) -> None:
    page = page_factory(mode)
    enter(page, live_url, own)

    too_wide = []
    for path in pages_of(own):
        page.goto(f"{live_url}/admin/{path}")
        root = "document.documentElement"
        if page.evaluate(f"{root}.scrollWidth > {root}.clientWidth"):
            too_wide.append(path)

    assert too_wide == []


def test_a_reference_leads_to_the_journey_without_javascript(
    live_url: str, own: House, page_factory: PageFactory
) -> None:
    page = page_factory("nojs")
    enter(page, live_url.replace("localhost", own.host), own)

    page.get_by_label("Find a reset").fill(own.reference.lower())
    page.get_by_role("button", name="Find").click()
    page.get_by_role("link", name=own.reference).click()

    assert page.get_by_role("heading", name=own.reference).is_visible()
    assert page.get_by_role("heading", name="Timeline").is_visible()
    assert urlsplit(page.url).hostname == own.host
