"""The policy editor in a browser: errors, suggestions, a narrow screen, no script, axe."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.services.browser import PageFactory, Violation
from tests.tenants.admin.cast import House, contoso
from tests.tenants.admin.test_pages import enter


@pytest.fixture
def own(transactional_db: None) -> House:
    return contoso()


def open_policy(page: Page, url: str, house: House) -> None:
    enter(page, url, house)
    page.goto(f"{url}/admin/tenants/resetpolicy/{house.rows['tenants/resetpolicy']}/change/")


@pytest.mark.parametrize("mode", ["desktop-dark", "reflow320"])
def test_a_refused_policy_is_readable_for_everybody(
    mode: str,
    live_url: str,
    own: House,
    page_factory: PageFactory,
    axe: Callable[..., list[Violation]],
) -> None:
    page = page_factory(mode)
    open_policy(page, live_url, own)

    page.get_by_label("Days until people confirm").fill("900")
    page.get_by_role("button", name="Save policy").press("Enter")
    page.get_by_role("alert").wait_for()

    field = page.get_by_label("Days until people confirm")
    expect(field).to_have_accessible_description(
        "0 to 730; 0 means never. Write a whole number from 0 to 730."
    )
    expect(page.get_by_role("group", name="Methods")).to_have_accessible_description(
        "Beside the authenticator app, name at least as many other methods as are required: 2."
    )
    root = "document.documentElement"
    assert not page.evaluate(f"{root}.scrollWidth > {root}.clientWidth")
    assert axe(page) == []


def test_a_policy_is_saved_without_javascript(
    live_url: str, own: House, page_factory: PageFactory
) -> None:
    page = page_factory("nojs")
    open_policy(page, live_url.replace("localhost", own.host), own)

    page.get_by_label("Mobile phone").check()
    page.get_by_label("One group").check()
    page.get_by_label("Group", exact=True).fill("A staff")
    page.get_by_role("button", name="Save policy").click()

    assert page.get_by_text("The policy is saved").is_visible()
    assert page.get_by_text("Everybody in A staff with a licence resets with 2 of").is_visible()


def test_a_name_is_suggested_while_it_is_typed(
    live_url: str, own: House, page_factory: PageFactory
) -> None:
    page = page_factory("desktop")
    open_policy(page, live_url, own)

    page.get_by_label("Group", exact=True).press_sequentially("A st")

    page.locator("#id_group_offers option[value='A staff']").wait_for(state="attached")
