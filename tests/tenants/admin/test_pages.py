"""The way into the administration in a browser, and from a reference to its journey."""

from urllib.parse import urlsplit

import pytest
from django.utils import timezone
from playwright.sync_api import Page

from accounts.models import AuthenticatorDevice, User
from tenants.context import tenant_context
from tests.cast import app_code, give_app, give_email
from tests.services.browser import PageFactory
from tests.tenants.admin.cast import PASSWORD, House, canary, contoso


@pytest.fixture
def own(transactional_db: None) -> House:
    canary()
    return contoso()


def enter(page: Page, url: str, house: House) -> None:
    code = _app_code(house)
    page.goto(f"{url}/admin/")
    page.get_by_label("User ID").fill(house.admin)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("heading", name="Administration", exact=True).wait_for()


def _app_code(house: House) -> str:
    """What the administrator's app shows; one without an app gets it, and what the policy wants
    beside it, so that nobody is asked to register first."""
    with tenant_context(house.tenant):
        admin = User.objects.get(user_id=house.admin)
        if not AuthenticatorDevice.objects.filter(user=admin).exists():
            give_app(admin)
            give_email(admin, "ada.private@example.net")
    return app_code(admin, timezone.now())


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
