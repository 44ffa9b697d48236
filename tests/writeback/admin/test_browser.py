"""Directories, agents and ordered resets in a browser: accessible, narrow, dark, scripts off."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import Page

from accounts.models import User
from tenants.context import tenant_context
from tenants.models import ResetPolicy, Subscription, Tenant
from tests.cast import Organisation
from tests.resets.visitor import Clock
from tests.services.browser import PageFactory
from tests.services.looker import Looker
from tests.tenants.admin.cast import House, contoso
from tests.tenants.admin.test_pages import enter
from tests.writeback.field import DONE, FieldAgent, make_agent, sign_what_waits
from writeback.admin import orders
from writeback.models import Connector


@pytest.fixture
def own(transactional_db: None) -> House:
    house = contoso()
    with tenant_context(house.tenant):
        ResetPolicy.objects.update(writeback=True)
        User.objects.filter(user_id=house.person).update(source="pass_through")
    return house


@pytest.fixture
def field(own: House, signer: None) -> FieldAgent:
    """An agent of the house's directory that is ready for jobs."""
    with tenant_context(own.tenant):
        organisation = Organisation(
            tenant=Tenant.objects.get(),
            domain=own.domain,
            host=own.host,
            subscription=Subscription.objects.get(),
            policy=ResetPolicy.objects.get(),
        )
        connector = Connector.objects.get()
    return make_agent(organisation, connector, Clock(timezone.now()))


def carry_out(field: FieldAgent) -> str:
    """The signer signs and the agent does what waits; the password that was set."""
    field.clock.at(timezone.now())
    assert sign_what_waits(field.clock.now) == 1
    new = field.do(DONE).passwords.new
    assert new is not None
    return new


def order(page: Page, url: str, house: House) -> None:
    page.goto(f"{url}/admin/accounts/user/{house.rows['accounts/user']}/change/")
    page.get_by_role("link", name="Reset password in the directory").click()
    page.get_by_label("Reason").fill("called, known by voice")
    page.get_by_role("button", name="Reset the password").click()
    page.get_by_text("The directory is asked.").first.wait_for()


def test_every_page_on_the_way_is_accessible(
    live_url: str,
    own: House,
    field: FieldAgent,
    looker: Looker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A page that loads itself again would do so while it is looked at.
    monkeypatch.setattr(orders, "LOOKS_EVERY", 3600)
    page, site = looker.page, f"{live_url}/admin/writeback/"
    enter(page, live_url, own)
    connector, agent = own.rows["writeback/connector"], own.rows["writeback/agent"]

    looker.visit(f"{site}connector/", "directories")
    looker.visit(f"{site}connector/{connector}/change/", "a directory")
    page.get_by_role("link", name="Make a code for an agent").click()
    page.get_by_role("button", name="Make a code").click()
    page.get_by_text("sspr_enr_").wait_for()
    looker.look("the code")
    page.goto(f"{site}connector/{connector}/remove/")
    page.get_by_label("Name of the directory").fill("another")
    page.get_by_role("button", name="Remove directory").click()
    page.get_by_role("alert").wait_for()
    looker.look("removing refused")
    page.goto(f"{site}agent/{agent}/confirm/")
    page.get_by_label("First two words").fill("not these")
    page.get_by_role("button", name="Confirm").click()
    page.get_by_role("alert").wait_for()
    looker.look("confirming refused")

    order(page, live_url, own)
    looker.look("waiting")
    password = carry_out(field)
    page.get_by_role("link", name="Check now").click()
    page.get_by_text("The directory has the temporary password.").first.wait_for()
    looker.look("done")
    page.get_by_role("link", name="Show the temporary password").click()
    looker.look("before it is shown")
    page.get_by_role("button", name="Show the temporary password").click()
    page.get_by_text(password, exact=True).wait_for()
    looker.look("shown")
    looker.visit(f"{site}writebackjob/", "jobs")

    assert looker.found == []
    assert len(looker.seen) == 10


def test_without_scripts_the_page_tells_the_outcome_by_itself(
    live_url: str, own: House, field: FieldAgent, page_factory: PageFactory
) -> None:
    page = page_factory("nojs")
    url = live_url.replace("localhost", own.host)
    enter(page, url, own)
    order(page, url, own)
    password = carry_out(field)

    page.get_by_role("link", name="Show the temporary password").wait_for()
    page.get_by_role("link", name="Show the temporary password").click()
    page.get_by_role("button", name="Show the temporary password").click()

    assert page.get_by_text(password, exact=True).is_visible()
    assert re.search(r"/writeback/directoryorder/[0-9a-f-]+/show/$", page.url)
