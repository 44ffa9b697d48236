"""Making a passkey, using and removing it, and signing in with it, in a real browser."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import pytest
from django.conf import settings as installed
from django.http import HttpRequest, HttpResponse
from playwright.sync_api import Page
from pytest_django import Settings

from accounts.models import Credential, User
from accounts.passkeys import handle_of
from accounts.signin import services
from tenants.models import AuditEvent
from tests.cast import NEW_PASSWORD
from tests.journeys.conftest import OpenStage
from tests.journeys.scenes import BOB, policy
from tests.journeys.stage import Stage
from tests.journeys.test_pages import LOOK_AGAIN, MIRROR, NARROW, SMALL, TARGETS, overflow
from tests.services.browser import Violation
from tests.services.signed_in import session_key_of
from tests.services.softkey import SoftKey, give_passkey
from tests.services.virtual_key import VirtualKey

ADD, LIST, DOOR = "/security-info/passkeys/add/", "/security-info/passkeys/", "/sign-in/?next=/"
STATUS = "[data-passkey-status]"
SIGNALS = """
window.signals = [];
PublicKeyCredential.signalAllAcceptedCredentials = told => {
  window.signals.push(told);
  return Promise.resolve();
};
"""


@pytest.fixture
def open_pages(open_stage: OpenStage, settings: Settings) -> OpenStage:
    settings.ROOT_URLCONF = "tests.journeys.passkey_urls"
    return open_stage


def bob_signs_in(stage: Stage) -> None:
    key = session_key_of(stage.acme, stage.acme.bob, proved=["app_code"])
    cookie = {"name": installed.SESSION_COOKIE_NAME, "value": key, "url": stage.url}
    stage.page.context.add_cookies([cookie])  # type: ignore[list-item]  # a TypedDict by shape


def status(page: Page, said: str) -> None:
    page.locator(STATUS).get_by_text(re.compile(said)).wait_for()


def test_a_passkey_is_made_used_for_a_reset_and_removed(open_pages: OpenStage) -> None:
    stage = open_pages("desktop")
    policy(stage, methods_required=1, methods=["passkey"])
    bob_signs_in(stage)
    key = VirtualKey.on(stage.page)

    stage.goto(ADD)
    stage.go_on()
    listed = stage.page.locator("[data-entry]").inner_text()
    [made] = key.credentials()
    stage.goto("/reset/")
    stage.find_account(BOB)
    stage.go_on()
    stage.field("new_password").fill(NEW_PASSWORD)
    stage.go_on()

    assert re.fullmatch(r"Chrome on \w+, localhost", listed)
    assert (made["rpId"], made["isResidentCredential"]) == ("localhost", True)
    assert stage.state == "done"
    bob_signs_in(stage)
    stage.page.add_init_script(SIGNALS)
    stage.goto(LIST)
    assert "used" in stage.page.locator("[data-entry]").inner_text()
    told = stage.page.evaluate("window.signals")
    assert (told[0]["rpId"], len(told[0]["allAcceptedCredentialIds"])) == ("localhost", 1)
    with stage.page.expect_navigation():
        stage.page.get_by_role("button", name="Remove").click()
    stage.page.wait_for_load_state()
    assert stage.page.evaluate("window.signals")[0]["allAcceptedCredentialIds"] == []
    with stage.acme.inside():
        assert not Credential.objects.exists()


def test_the_security_info_pages_make_one_list_it_and_remove_it(open_stage: OpenStage) -> None:
    stage = open_stage("mobile")
    policy(stage, methods=["passkey", "email"])
    bob_signs_in(stage)
    VirtualKey.on(stage.page)
    stage.page.add_init_script(SIGNALS)

    stage.goto("/security-info/add/passkey/")
    stage.field("name").fill("My phone")
    stage.go_on()
    card = stage.page.locator("section", has=stage.page.get_by_role("heading", name="Passkey"))
    assert "My phone" in card.inner_text()
    assert "Reset: yes" in card.inner_text()
    told = stage.page.evaluate("window.signals")
    assert len(told[0]["allAcceptedCredentialIds"]) == 1
    card.get_by_role("link", name="Remove").click()
    stage.page.get_by_role("heading", name="Remove: Passkey?").wait_for()
    stage.page.locator("main form[method=post] button").first.click()
    stage.page.wait_for_url("**/security-info/?done=removed")

    stage.page.wait_for_load_state()
    assert stage.page.evaluate("window.signals")[0]["allAcceptedCredentialIds"] == []
    with stage.acme.inside():
        assert not Credential.objects.exists()


def test_a_device_that_has_one_already_or_whose_owner_declines_makes_none(
    open_pages: OpenStage,
) -> None:
    stage = open_pages("mobile")
    bob_signs_in(stage)
    key = VirtualKey.on(stage.page)
    stage.goto(ADD)
    key.verifies(False)
    stage.page.locator("main button.primary").click()
    status(stage.page, "No passkey was made")
    key.verifies(True)
    stage.go_on()

    stage.goto(ADD)
    stage.page.locator("main button.primary").click()
    status(stage.page, "already has a passkey")

    with stage.acme.inside():
        assert Credential.objects.count() == 1


def test_without_javascript_the_page_of_making_one_says_what_is_missing(
    open_pages: OpenStage,
) -> None:
    stage = open_pages("nojs")
    bob_signs_in(stage)

    stage.goto(ADD)

    assert stage.page.get_by_text("Passkeys need JavaScript").is_visible()
    assert not stage.page.locator("[data-passkey-button]").is_visible()
    assert stage.page.get_by_role("link", name="Back to your security info").is_visible()


@pytest.fixture
def let_in(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Who was let in."""
    found: list[str] = []
    real = services.finish_sign_in

    def finish(
        request: HttpRequest, user: User, methods: Sequence[str], now: datetime
    ) -> HttpResponse:
        found.append(user.user_id)
        return real(request, user, methods, now)

    monkeypatch.setattr(services, "finish_sign_in", finish)
    return found


def holding_bobs_key(stage: Stage) -> VirtualKey:
    key = VirtualKey.on(stage.page)
    with stage.acme.inside():
        give_passkey(stage.acme.bob, stage.url)
        key.hold(SoftKey.of(stage.acme.bob), stage.url, handle_of(stage.acme.bob))
    return key


def test_the_list_of_the_user_ids_field_signs_in_by_itself(
    open_pages: OpenStage, let_in: list[str]
) -> None:
    """The virtual authenticator picks its passkey as a person would from the list."""
    stage = open_pages("desktop")
    holding_bobs_key(stage)

    with stage.page.expect_navigation(url=f"{stage.url}/"):
        stage.goto(DOOR)

    assert let_in == [BOB]


def test_the_button_signs_in_where_the_browser_offers_no_list(
    open_pages: OpenStage, let_in: list[str]
) -> None:
    stage = open_pages("desktop")
    holding_bobs_key(stage)
    stage.page.add_init_script("PublicKeyCredential.isConditionalMediationAvailable = null")

    stage.goto(DOOR)
    with stage.page.expect_navigation(url=f"{stage.url}/"):
        stage.page.get_by_role("button", name="Sign in with a passkey").click()

    assert let_in == [BOB]


def test_a_refused_passkey_leads_back_to_the_sign_in(
    open_pages: OpenStage, let_in: list[str]
) -> None:
    stage = open_pages("desktop")
    key = holding_bobs_key(stage)
    key.bogus()
    stage.page.add_init_script("PublicKeyCredential.isConditionalMediationAvailable = null")

    stage.goto(DOOR)
    with stage.page.expect_navigation():
        stage.page.get_by_role("button", name="Sign in with a passkey").click()
    stage.forgive("status of 403")

    assert stage.state == "passkey_refused"
    assert stage.page.locator("main a.primary").get_attribute("href") == "/sign-in/"
    assert let_in == []


def test_without_javascript_the_sign_in_offers_no_passkey(open_pages: OpenStage) -> None:
    stage = open_pages("nojs")

    stage.goto(DOOR)

    assert not stage.page.get_by_role("button", name="Sign in with a passkey").is_visible()


def test_a_passkey_is_the_fresh_proof_before_a_change(open_pages: OpenStage) -> None:
    stage = open_pages("desktop")
    key = session_key_of(stage.acme, stage.acme.bob)
    cookie = {"name": installed.SESSION_COOKIE_NAME, "value": key, "url": stage.url}
    stage.page.context.add_cookies([cookie])  # type: ignore[list-item]  # a TypedDict by shape
    held = holding_bobs_key(stage)
    held.bogus()
    stage.goto("/sign-in/prove/?next=/")
    stage.go_on()
    assert "did not work here" in stage.page.locator("[data-summary]").inner_text()

    held.bogus(False)
    with stage.page.expect_navigation(url=f"{stage.url}/"):
        stage.page.get_by_role("button", name="Use your passkey").click()

    with stage.acme.inside():
        assert AuditEvent.objects.filter(type="user.proved").count() == 1


def _add(stage: Stage) -> None:
    bob_signs_in(stage)
    stage.goto(ADD)


def _refused(stage: Stage) -> None:
    stage.goto(DOOR)
    form = stage.page.locator("form[data-passkey]")
    with stage.page.expect_navigation():
        form.evaluate("form => form.requestSubmit()")
    stage.forgive("status of 403")


def _add_empty(stage: Stage) -> None:
    _add(stage)
    form = stage.page.locator("form[data-passkey]")
    with stage.page.expect_navigation():
        form.evaluate("form => form.requestSubmit()")
    stage.forgive("status of 400")


@pytest.mark.parametrize(
    "show",
    [_add, _add_empty, lambda s: s.goto(DOOR), _refused],
    ids=["add", "add, nothing made", "door", "refused"],
)
@pytest.mark.parametrize("language", ["en", "ar"])
def test_the_pages_are_sound_in_every_way_of_looking_at_them(
    open_pages: OpenStage,
    axe: Callable[..., list[Violation]],
    show: Callable[[Any], None],
    language: str,
) -> None:
    stage = open_pages("desktop", language=language)
    show(stage)
    page = stage.page

    assert axe(page) == []
    assert page.locator(TARGETS).evaluate_all(SMALL) == []
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]  # a TypedDict by shape
    assert overflow(page) == []
    page.emulate_media(color_scheme="dark")
    page.evaluate(MIRROR)
    assert page.evaluate(LOOK_AGAIN) == []
