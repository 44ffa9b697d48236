"""A person's whole way: the first sign-in, registering, signing out, and a reset with what was
registered; one context is the desk, another one the phone."""

import base64
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import AuthenticatorDevice, ContactPoint, Credential, Session
from tenants.models import Host
from tests.cast import NEW_PASSWORD, PASSWORD, Acme
from tests.cast import app_code as shown_code
from tests.journeys.stage import Stage
from tests.resets.walks import password_is, set_policy
from tests.services.browser import PageFactory
from tests.services.virtual_key import VirtualKey

MAILBOX = "eve@elsewhere.example"
NUMBER = "main .number bdi"
METHODS = ["email", "app_code", "app_notification", "passkey"]


@pytest.fixture
def site(live_url: str, acme: Acme) -> str:
    """acme's own host, where people prove themselves with two of four methods."""
    set_policy(acme, methods=METHODS, methods_required=2)
    with acme.inside():
        Host.objects.create(name="acme.localhost")
    return live_url.replace("localhost", "acme.localhost")


@pytest.fixture
def desk(site: str, acme: Acme, page_factory: PageFactory, outbox_dir: Path) -> Stage:
    return Stage(page_factory("desktop"), site, acme, outbox_dir, page_factory.forgive)


def sign_in(stage: Stage, next_page: str = "") -> None:
    stage.goto(f"/sign-in/?next={next_page}" if next_page else "/sign-in/")
    stage.field("user_id").fill(stage.acme.eve.user_id)
    stage.field("password").fill(PASSWORD)
    stage.go_on()


def press(page: Page, name: str) -> None:
    with page.expect_navigation():
        page.get_by_role("link", name=name).click()
    page.wait_for_load_state()


def set_up(stage: Stage, method: str) -> None:
    """Takes up a method on the page of security info."""
    stage.goto("/security-info/")
    with stage.page.expect_navigation():
        stage.page.locator(f"a[href*='/security-info/add/{method}/']").first.click()
    stage.page.wait_for_load_state()


def register_mailbox(stage: Stage) -> None:
    stage.field("contact").fill(MAILBOX)
    stage.go_on()
    stage.field("code").fill(stage.code())
    stage.go_on()


def register_app(stage: Stage) -> str:
    """Returns the key that the app was given."""
    stage.field("name").fill("Old phone")
    stage.go_on()
    stage.page.locator("details summary").click()
    key = stage.page.locator("details code").inner_text().replace(" ", "")
    stage.field("code").fill(code_of(stage, key))
    stage.go_on()
    return key


def code_of(stage: Stage, key: str, *, later: int = 0) -> str:
    """What an app shows that was given this key, in so many seconds."""
    seed = base64.b32decode(key + "=" * (-len(key) % 8))
    return shown_code(stage.acme.eve, timezone.now() + timedelta(seconds=later), seed=seed)


def register_phone(stage: Stage, phone: Page, site: str) -> None:
    phone.goto(f"{site}/authenticator/enrol/")
    phone.locator("[name=code]").fill(stage.page.locator(".typed").inner_text())
    phone.locator("[name=name]").fill("My phone")
    phone.locator("[data-enrol] button").click()
    approve(stage.page, phone)
    stage.page.wait_for_url(re.compile(r"/security-info/(\?.*)?$"))


def approve(page: Page, phone: Page) -> None:
    expect(page.locator(NUMBER)).to_be_visible(timeout=30_000)
    phone.locator("[data-requests] [name=number]").fill(page.locator(NUMBER).inner_text())
    phone.get_by_role("button", name="Approve").click()
    expect(phone.locator("[data-status]")).to_have_text("Approved. Go on on the other screen.")


def register_all(desk: Stage, phone: Page, site: str) -> None:
    set_up(desk, "email")
    register_mailbox(desk)
    set_up(desk, "app_code")
    register_app(desk)
    set_up(desk, "app_notification")
    register_phone(desk, phone, site)
    set_up(desk, "passkey")
    desk.go_on()
    desk.goto("/security-info/")


def sign_out(stage: Stage) -> None:
    stage.goto("/sign-in/sessions/")
    with stage.page.expect_navigation():
        stage.page.locator("form[action='/sign-in/out/'] button").click()


def reset_with_passkey_and_push(desk: Stage, phone: Page) -> None:
    desk.goto("/reset/")
    desk.find_account(desk.acme.eve.user_id)
    desk.pick("passkey")
    desk.go_on()
    desk.go_on()
    desk.pick("app_notification")
    desk.go_on()
    approve(desk.page, phone)
    desk.page.wait_for_selector("[name=new_password]")
    desk.fill(new_password=NEW_PASSWORD)
    desk.go_on()


def test_first_sign_in_to_a_reset_with_passkey_and_push(
    desk: Stage, site: str, acme: Acme, page_factory: PageFactory, outbox_dir: Path
) -> None:
    phone = page_factory("mobile")
    key = VirtualKey.on(desk.page)
    elsewhere = Stage(page_factory("desktop"), site, acme, outbox_dir, page_factory.forgive)

    sign_in(desk)
    assert "/security-info/register/" in desk.page.url
    register_all(desk, phone, site)
    assert desk.page.get_by_text("You can reset your password on your own: yes").is_visible()
    with acme.inside():
        assert ContactPoint.objects.get(user=acme.eve).confirmed_at is not None
        assert AuthenticatorDevice.objects.filter(user=acme.eve, confirmed=True).count() == 2
        kept = Credential.objects.filter(user=acme.eve).values_list("method", flat=True)
        assert sorted(kept) == ["app_notification", "passkey"]
    assert len(key.credentials()) == 1
    sign_in(elsewhere)
    sign_out(desk)

    reset_with_passkey_and_push(desk, phone)

    assert desk.state == "done"
    assert password_is(acme, acme.eve, NEW_PASSWORD)
    elsewhere.goto("/security-info/")
    assert "/sign-in/" in elsewhere.page.url
    with acme.inside():
        assert not Session.objects.filter(user=acme.eve).exists()


def test_the_same_without_javascript_with_email_and_app_code(
    site: str, acme: Acme, page_factory: PageFactory, outbox_dir: Path
) -> None:
    set_policy(acme, methods=["email", "app_code", "mobile_phone"])
    stage = Stage(page_factory("nojs"), site, acme, outbox_dir, page_factory.forgive)

    sign_in(stage)
    assert "/security-info/register/" in stage.page.url
    set_up(stage, "email")
    register_mailbox(stage)
    set_up(stage, "app_code")
    key = register_app(stage)
    sign_out(stage)
    handle = stage.start(acme.eve.user_id)
    stage.show(handle)
    # The code of the registration is spent; the next one is taken half a minute early.
    stage.fill(code=code_of(stage, key, later=30))
    stage.go_on()
    stage.fill(contact=MAILBOX)
    stage.go_on()
    stage.fill(code=stage.code())
    stage.go_on()
    stage.fill(new_password=NEW_PASSWORD)
    stage.go_on()

    assert stage.state == "done"
    assert password_is(acme, acme.eve, NEW_PASSWORD)
