"""The authenticator in a real browser: one context is the desk, another one the phone."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as product
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django import Settings

from accounts.models import AuthenticatorDevice
from notifications.models import PushSubscription
from notifications.services import drain
from tenants.models import Host
from tests.accounts.authenticator.walks import ask
from tests.cast import NEW_PASSWORD, Acme, app_code
from tests.journeys.stage import Stage
from tests.resets.walks import BOB_EMAIL, password_is, set_policy
from tests.services.browser import MODES, PageFactory, Violation
from tests.services.http_sink import HttpSink
from tests.services.looker import try_again
from tests.services.phone import Subscriber
from tests.services.signed_in import session_key_of

ADD = "/security-info/add/app_notification/"
SHOWN = "main .number bdi"
REFUSES = """
if (window.PushManager) PushManager.prototype.subscribe = async () => {
  throw new DOMException("Registration failed", "AbortError");
};
"""
TAKES = """
const given = %s;
if (window.PushManager) PushManager.prototype.subscribe = async (options) => {
  window.asked = { visible: options.userVisibleOnly, key: options.applicationServerKey.length };
  return { endpoint: given.endpoint, toJSON: () => given, unsubscribe: async () => true };
};
"""
NOTICES = """navigator.serviceWorker.ready.then(r => r.getNotifications())
  .then(all => all.map(one => [one.title, one.body, one.tag]))"""
# Playwright's own wait evaluates text, which the policy of these pages forbids.
BECOMES_TRUE = """
async () => {
  for (let tries = 0; tries < 100; tries += 1) {
    if (%s) return true;
    await new Promise(done => setTimeout(done, 50));
  }
  return false;
}
"""
AS_USUAL: dict[str, Any] = {
    "color_scheme": "light",
    "forced_colors": "none",
    "contrast": "no-preference",
    "reduced_motion": "no-preference",
}
# A page is opened in these modes and looked at in further ones without another walk there.
WAYS: dict[str, tuple[dict[str, Any], ...]] = {
    "mobile": ({"media": {"color_scheme": "dark"}},),
    "desktop": (
        {"media": {"color_scheme": "dark"}},
        {"media": {"forced_colors": "active"}},
        {"media": {"forced_colors": "active", "color_scheme": "dark"}},
        {"media": {"contrast": "more"}},
        {"media": {"reduced_motion": "reduce"}},
        {"viewport": MODES["reflow320"]["viewport"]},
    ),
    "rtl": (),
}
KIND = "async address => (await fetch(address)).headers.get('content-type')"


# Two browsers and a server share what processor there is.
expect.set_options(timeout=30_000)


@pytest.fixture
def site(live_url: str, acme: Acme) -> str:
    """acme's own host, where bob may use the app for one of two proofs."""
    set_policy(acme, methods=["email", "app_code", "app_notification"])
    with acme.inside():
        Host.objects.create(name="acme.localhost")
    return live_url.replace("localhost", "acme.localhost")


Desk = Callable[..., Page]


@pytest.fixture
def desk(site: str, acme: Acme, page_factory: PageFactory) -> Desk:
    """A browser in which bob is signed in, on the page that sets a device up."""

    def opened(mode: str = "desktop", **options: Any) -> Page:
        page = page_factory(mode, **options)
        key = session_key_of(acme, acme.bob, proved=["app_code"])
        cookie: Any = {"name": product.SESSION_COOKIE_NAME, "value": key, "url": site}
        page.context.add_cookies([cookie])
        page.goto(site + ADD)
        return page

    return opened


def enrol(desk: Page, phone: Page, site: str) -> None:
    """Sets the phone up by typing the code, approves once, and waits until the desk has seen it."""
    phone.goto(f"{site}/authenticator/enrol/")
    phone.locator("[name=code]").fill(desk.locator(".typed").inner_text())
    phone.locator("[name=name]").fill("My phone")
    phone.locator("[data-enrol] button").click()
    approve(desk, phone)
    desk.wait_for_url("**/security-info/?done=saved")


def approve(desk: Page, phone: Page) -> None:
    expect(desk.locator(SHOWN)).to_be_visible()
    number = desk.locator(SHOWN).inner_text()
    phone.locator("[data-requests] [name=number]").fill(number)
    phone.get_by_role("button", name="Approve").click()
    expect(phone.locator("[data-status]")).to_have_text("Approved. Go on on the other screen.")


def test_a_phone_is_set_up_and_approves_a_reset_with_push_refused(
    site: str, acme: Acme, desk: Desk, page_factory: PageFactory, live_url: str, outbox_dir: Any
) -> None:
    phone = page_factory("mobile", permissions=["notifications"])
    phone.add_init_script(REFUSES)
    enrol(desk(), phone, site)
    with acme.inside():
        assert AuthenticatorDevice.objects.filter(user=acme.bob, name="My phone").exists()
    phone.locator("[data-turn-on]").click()
    expect(phone.get_by_text("does not take notifications from us")).to_be_visible()

    page = page_factory("desktop")
    stage = Stage(page, live_url, acme, outbox_dir, page_factory.forgive)
    stage.page.goto(f"{site}/reset/")
    stage.find_account(acme.bob.user_id)
    stage.pick("app_notification")
    stage.go_on()
    approve(page, phone)
    page.locator("[name=contact]").fill(BOB_EMAIL)
    stage.go_on()
    stage.fill(code=stage.code())
    stage.go_on()
    stage.fill(new_password=NEW_PASSWORD)
    stage.go_on()

    assert stage.state == "done"
    assert password_is(acme, acme.bob, NEW_PASSWORD)
    assert phone.locator("[data-history] li").count() == 2
    page_factory.forgive("status of 401")


def test_it_was_not_me_ends_the_journey_on_the_other_screen(
    site: str, acme: Acme, desk: Desk, page_factory: PageFactory, live_url: str, outbox_dir: Any
) -> None:
    phone = page_factory("mobile")
    enrol(desk(), phone, site)
    page = page_factory("desktop")
    stage = Stage(page, live_url, acme, outbox_dir, page_factory.forgive)
    stage.page.goto(f"{site}/reset/")
    stage.find_account(acme.bob.user_id)
    stage.pick("app_notification")
    stage.go_on()

    button = phone.get_by_role("button", name="It was not me")
    expect(button).to_be_visible()
    boxes = [button.bounding_box(), phone.get_by_role("button", name="Approve").bounding_box()]
    button.click()
    expect(phone.locator("[data-status]")).to_contain_text("We stopped it")

    expect(page.locator("body")).to_have_attribute("data-state", "refused", timeout=15_000)
    assert boxes[0] is not None
    assert boxes[1] is not None
    assert boxes[0]["height"] >= boxes[1]["height"]
    assert boxes[0]["width"] == boxes[1]["width"]
    page_factory.forgive("status of 403")


def test_without_a_network_the_app_shows_codes(
    site: str, acme: Acme, desk: Desk, page_factory: PageFactory
) -> None:
    phone = page_factory("mobile")
    enrol(desk(), phone, site)
    phone.evaluate("navigator.serviceWorker.ready.then(() => true)")
    phone.context.set_offline(True)

    phone.goto(f"{site}/authenticator/")

    expect(phone.get_by_text("You are offline")).to_be_visible()
    shown = phone.locator("[data-code]").inner_text().replace(" ", "")
    with acme.inside():
        device = AuthenticatorDevice.objects.get(user=acme.bob, name="My phone")
        seed = device.read_seed().reveal()
    now = timezone.now()
    known = {app_code(acme.bob, now + timedelta(seconds=s), seed=seed) for s in (-30, 0)}
    assert shown in known
    page_factory.forgive("ERR_INTERNET_DISCONNECTED")
    page_factory.forgive("ERR_FAILED")


def test_alerts_are_asked_for_only_when_wanted_and_reach_the_device(
    site: str,
    acme: Acme,
    desk: Desk,
    page_factory: PageFactory,
    http_sink: HttpSink,
    settings: Settings,
) -> None:
    device = Subscriber.new()
    given = device.subscription(f"{http_sink.url}/push/x")
    phone = page_factory("mobile", permissions=["notifications"])
    phone.add_init_script(TAKES % json.dumps(given))
    enrol(desk(), phone, site)
    assert phone.evaluate("window.asked") is None

    phone.locator("[data-turn-on]").click()
    expect(phone.get_by_text("This device gets a notification")).to_be_visible()

    assert phone.evaluate("window.asked") == {"visible": True, "key": 65}
    with acme.inside():
        assert PushSubscription.objects.count() == 1
    ask(acme, acme.bob)
    settings.SSPR_OUTBOX_DIR = ""
    drain(timezone.now(), tenants=[acme.id])
    said = [device.read(request.body) for request in http_sink.requests]
    assert [words["title"] for words in said] == ["Acme"]


def test_a_push_shows_a_notification_that_leads_to_the_app(
    site: str, whole_browser_factory: PageFactory
) -> None:
    phone = whole_browser_factory("mobile", permissions=["notifications"])
    session = phone.context.new_cdp_session(phone)
    found: list[Any] = []
    session.on(
        "ServiceWorker.workerRegistrationUpdated", lambda e: found.extend(e["registrations"])
    )
    phone.goto(f"{site}/authenticator/")
    session.send("ServiceWorker.enable")
    phone.evaluate("navigator.serviceWorker.ready.then(() => true)")
    assert becomes_true(phone, "navigator.serviceWorker.controller !== null")
    [registration] = {e["registrationId"] for e in found if "/authenticator/" in e["scopeURL"]}

    message = {
        "origin": site,
        "registrationId": registration,
        "data": json.dumps({"title": "Acme", "body": "Something waits"}),
    }
    # A worker that has only just started may miss the first one; the tag keeps them one notice.
    for _ in range(5):
        session.send("ServiceWorker.deliverPushMessage", message)
        if becomes_true(phone, f"(await {NOTICES}).length === 1"):
            break
    assert phone.evaluate(NOTICES) == [["Acme", "Something waits", "waiting"]]
    phone.evaluate(
        "navigator.serviceWorker.addEventListener('message', e => { window.told = e.data; })"
    )
    [worker] = [w for w in phone.context.service_workers if w.url.endswith("/sw.js")]
    worker.evaluate(
        "async () => { const [one] = await self.registration.getNotifications();"
        " self.dispatchEvent(new NotificationEvent('notificationclick', { notification: one })); }"
    )
    assert becomes_true(phone, "window.told === 'look'")


def test_the_app_can_be_installed_as_its_tenants_own(site: str, page_factory: PageFactory) -> None:
    phone = page_factory("mobile")
    session = phone.context.new_cdp_session(phone)
    phone.goto(f"{site}/authenticator/")
    phone.evaluate("navigator.serviceWorker.ready.then(() => true)")

    manifest = session.send("Page.getAppManifest")
    errors = session.send("Page.getInstallabilityErrors")["installabilityErrors"]

    content = json.loads(manifest["data"])
    assert manifest["errors"] == []
    assert [e for e in errors if e["errorId"] != "in-incognito"] == []
    assert (content["name"], content["id"]) == ("Acme Authenticator", "/authenticator/")
    assert content["theme_color"] == "#0b5cad"
    for icon in content["icons"]:
        assert phone.evaluate(KIND, icon["src"]) == "image/png"
    kind = phone.evaluate(KIND, "/authenticator/manifest.webmanifest")
    assert kind == "application/manifest+json"


@pytest.mark.parametrize("mode", WAYS)
def test_every_page_of_the_app_is_accessible(
    site: str,
    desk: Desk,
    page_factory: PageFactory,
    axe: Callable[..., list[Violation]],
    mode: str,
) -> None:
    page, ways = desk(mode), WAYS[mode]
    found = {"scan": look(page, axe, ways)}
    phone = page_factory(mode, permissions=["notifications"])
    phone.goto(f"{site}/authenticator/enrol/")
    found["enrol"] = look(phone, axe, ways)
    phone.locator("[name=code]").fill(page.locator(".typed").inner_text())
    phone.locator("[data-enrol] button").click()
    expect(page.locator(SHOWN)).to_be_visible()
    found["number"] = look(page, axe, ways)
    expect(phone.locator("[data-requests] form")).to_be_visible()
    found["request"] = look(phone, axe, ways)
    phone.locator("[data-requests] [name=number]").fill(page.locator(SHOWN).inner_text())
    phone.locator("[data-requests] .primary").click()
    expect(phone.locator("[data-history] li")).to_be_visible()
    found["history"] = look(phone, axe, ways)
    page.wait_for_url("**/security-info/?done=saved")
    page.goto(f"{site}/authenticator/")
    found["empty"] = look(page, axe, ways)

    assert {name: faults for name, faults in found.items() if faults} == {}


def test_without_javascript_the_pages_of_the_app_say_what_to_do_instead(
    site: str, desk: Desk
) -> None:
    page = desk("nojs")
    assert is_too_wide(page) is False
    expect(page.locator(".typed")).to_be_visible()

    for address in ("/authenticator/", "/authenticator/enrol/"):
        page.goto(site + address)
        expect(page.locator("noscript a, main a.primary").first).to_be_visible()
        assert is_too_wide(page) is False


def look(
    page: Page, axe: Callable[..., list[Violation]], ways: tuple[dict[str, Any], ...]
) -> list[Any]:
    """Every rule as the page stands, then in each further way: all of them where the width is
    another one, for what shows may be another; with colours alone those that hang on colours."""
    found: list[Any] = [*axe(page), *(["too wide"] if is_too_wide(page) else [])]
    opened = page.viewport_size
    for way in ways:
        page.emulate_media(**{**AS_USUAL, **way.get("media", {})})
        if "viewport" in way:
            page.set_viewport_size(way["viewport"])
        again = axe(page) if "viewport" in way else try_again(page)
        found += [(way, *each) for each in again]
        found += [(way, "too wide")] if is_too_wide(page) else []
    page.emulate_media(**AS_USUAL)
    if opened is not None:
        page.set_viewport_size(opened)
    return found


def is_too_wide(page: Page) -> bool:
    root = "document.documentElement"
    return bool(page.evaluate(f"{root}.scrollWidth > {root}.clientWidth"))


def becomes_true(page: Page, condition: str) -> bool:
    return bool(page.evaluate(BECOMES_TRUE % condition))
