"""The pages of long lists in a browser: accessible, on a narrow screen, without scripts."""

from datetime import timedelta

import pytest

from tests.services.browser import PageFactory
from tests.services.looker import Looker
from tests.tenants.admin.cast import NOW, House, contoso
from tests.tenants.admin.test_pages import enter
from tests.tenants.admin.test_paging import add_events

PAGES = (
    "tenants/auditevent/?before=end",
    "accounts/user/?q=x",
    "accounts/user/?q={reference}",
    "resets/flow/?locked=now",
    "resets/flow/reference/{reference}/",
)


@pytest.fixture
def own(transactional_db: None) -> House:
    house = contoso()
    add_events(house, [NOW + timedelta(minutes=number) for number in range(120)])
    return house


def test_long_lists_are_accessible_and_fit(live_url: str, own: House, looker: Looker) -> None:
    enter(looker.page, live_url, own)

    for path in PAGES:
        looker.visit(f"{live_url}/admin/{path.format(reference=own.reference)}", path)

    assert looker.found == []
    assert looker.seen == [*PAGES]


def test_pages_are_turned_without_javascript(
    live_url: str, own: House, page_factory: PageFactory
) -> None:
    page = page_factory("nojs")
    enter(page, live_url, own)
    page.goto(f"{live_url}/admin/tenants/auditevent/")
    pages = page.get_by_role("navigation", name="Pages")
    first = page.locator("#result_list tbody tr").first.inner_text()

    pages.get_by_role("link", name="Older").click()
    second = page.locator("#result_list tbody tr").first.inner_text()
    pages.get_by_role("link", name="Newest").click()

    assert second != first
    assert page.locator("#result_list tbody tr").first.inner_text() == first
