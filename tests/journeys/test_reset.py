"""The reset as people walk it: in each language, scheme and browser, and however they click."""

from urllib.parse import urlsplit

import pytest
from django.utils import timezone

from accounts.models import User
from resets.models import Flow
from tenants.models import ResetPolicy
from tests.cast import NEW_PASSWORD, app_code
from tests.journeys.conftest import OpenStage
from tests.journeys.stage import FLOW_URL, Stage

BOB, BOBS_EMAIL = "bob@acme.example", "bob@example.net"


def ask_for(stage: Stage, proofs: int) -> None:
    with stage.acme.inside():
        ResetPolicy.objects.update(methods_required=proofs)


def bobs_app_code(stage: Stage) -> str:
    return app_code(stage.acme.bob, timezone.now())


def is_changed(stage: Stage) -> bool:
    with stage.acme.inside():
        return User.objects.get(user_id=BOB).check_password(NEW_PASSWORD)


def walk(stage: Stage, proofs: int) -> None:
    """Bob's way from the first screen to the last, by email and, for two proofs, the app."""
    stage.find_account(BOB)
    if proofs == 2:
        # Both methods are needed, so the one that needs no message is asked for at once.
        stage.fill(code=bobs_app_code(stage))
        stage.go_on()
    else:
        stage.pick("email")
    stage.fill(contact=BOBS_EMAIL)
    stage.go_on()
    stage.fill(code=stage.code())
    stage.go_on()
    stage.fill(new_password=NEW_PASSWORD)
    stage.go_on()


@pytest.mark.parametrize("script", [True, False], ids=["js", "nojs"])
@pytest.mark.parametrize(
    ("language", "direction", "scheme", "proofs"),
    [("en", "ltr", "light", 1), ("en", "ltr", "dark", 2), ("ar", "rtl", "light", 2)],
)
def test_a_reset_takes_as_many_screens_and_typed_fields_as_promised(
    open_stage: OpenStage, script: bool, language: str, direction: str, scheme: str, proofs: int
) -> None:
    stage = open_stage("mobile", color_scheme=scheme, java_script_enabled=script)
    ask_for(stage, proofs)

    stage.goto(f"/reset/?mkt={language}")
    walk(stage, proofs)

    assert stage.state == "done"
    assert is_changed(stage)
    # User ID, the contact, a code for each proof, the password: no captcha, no second password.
    assert stage.fields == 3 + proofs
    assert stage.screens == 3 + proofs
    html = stage.page.locator("html")
    assert (html.get_attribute("lang"), html.get_attribute("dir")) == (language, direction)


def test_loading_the_page_after_a_step_again_sends_nothing_twice(open_stage: OpenStage) -> None:
    stage = open_stage("mobile")
    sent: list[str] = []
    stage.page.on("request", lambda asked: sent.append(asked.method + urlsplit(asked.url).query))
    stage.goto("/reset/")
    stage.find_account(BOB)
    here = stage.page.url
    stage.fill(code="000000")
    stage.go_on()
    wrong = (stage.page.url, stage.field("code").get_attribute("aria-invalid"))
    stage.page.reload()
    again = stage.field("code").get_attribute("aria-invalid")
    stage.fill(code=bobs_app_code(stage))
    stage.go_on()
    right = stage.page.url
    stage.page.reload()

    assert (wrong, again) == ((here, "true"), None)
    assert (right, stage.field("contact").count()) == (here, 1)
    # The start, the wrong code and the right one, and nothing else.
    assert sent.count("POSTdirect=1") == 3
    assert "POST" not in sent
    with stage.acme.inside():
        assert Flow.objects.get().tries == 1


def press_until(stage: Stage, name: str) -> None:
    """Tab until the field has the focus."""
    for _ in range(20):
        if stage.page.evaluate("document.activeElement.getAttribute('name')") == name:
            return
        stage.page.keyboard.press("Tab")
    raise AssertionError(f"{name} is not reached with Tab")


def test_the_keyboard_alone_is_enough(open_stage: OpenStage) -> None:
    stage = open_stage("desktop")
    keyboard = stage.page.keyboard
    ask_for(stage, 1)

    stage.goto("/reset/")
    keyboard.press("Tab")
    assert stage.page.evaluate("document.activeElement.hash") == "#main"
    press_until(stage, "user_id")
    keyboard.type(BOB)
    keyboard.press("Enter")
    stage.page.wait_for_url(FLOW_URL)
    press_until(stage, "method")
    while not stage.page.locator("[name=method][value=email]").is_checked():
        keyboard.press("ArrowDown")
    press_until(stage, "contact")
    keyboard.type(BOBS_EMAIL)
    with stage.page.expect_navigation():
        keyboard.press("Enter")
    press_until(stage, "code")
    keyboard.type(stage.code())
    with stage.page.expect_navigation():
        keyboard.press("Enter")
    press_until(stage, "new_password")
    keyboard.type(NEW_PASSWORD)
    with stage.page.expect_navigation():
        keyboard.press("Enter")

    assert stage.state == "done"
    assert is_changed(stage)


def at_the_code(stage: Stage, *, proofs: int = 1) -> None:
    ask_for(stage, proofs)
    stage.goto("/reset/")
    stage.find_account(BOB)
    stage.pick("email")
    stage.fill(contact=BOBS_EMAIL)
    stage.go_on()


def at_the_password(stage: Stage) -> None:
    at_the_code(stage)
    stage.fill(code=stage.code())
    stage.go_on()


def test_a_code_typed_in_arabic_digits_with_a_blank_is_right(open_stage: OpenStage) -> None:
    stage = open_stage("rtl")
    at_the_code(stage)
    code = stage.code().translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))

    stage.fill(code=f"{code[:3]} {code[3:]}")
    stage.go_on()

    assert stage.state == "choosing"


def test_a_password_is_pasted_and_shown_and_hidden_again(open_stage: OpenStage) -> None:
    stage = open_stage("desktop", permissions=["clipboard-read", "clipboard-write"])
    at_the_password(stage)
    field, show = stage.field("new_password"), stage.page.locator("[data-show]")

    stage.page.evaluate("text => navigator.clipboard.writeText(text)", NEW_PASSWORD)
    field.focus()
    stage.page.keyboard.press("Control+V")

    assert field.input_value() == NEW_PASSWORD
    assert field.get_attribute("type") == "password"
    hidden_label = show.get_attribute("aria-label")
    show.click()
    assert field.get_attribute("type") == "text"
    assert show.get_attribute("aria-label") != hidden_label
    assert stage.page.locator("[data-shown]").inner_text() != ""
    show.click()
    assert field.get_attribute("type") == "password"
    stage.go_on()
    assert is_changed(stage)


def test_the_list_of_requirements_follows_what_is_typed(open_stage: OpenStage) -> None:
    stage = open_stage("desktop")
    at_the_password(stage)
    met = stage.page.locator("[data-rule].met")

    stage.field("new_password").fill("a")
    few = met.count()
    stage.field("new_password").fill(NEW_PASSWORD)

    assert met.count() > few


def test_a_double_click_sends_once(open_stage: OpenStage) -> None:
    stage = open_stage("desktop")
    ask_for(stage, 1)
    handle = stage.start(BOB)
    stage.show(handle)
    stage.pick("email")
    stage.fill(contact=BOBS_EMAIL)

    twice(stage)
    sent = len(stage.messages())
    stage.fill(code=stage.code())
    twice(stage)
    stage.fill(new_password=NEW_PASSWORD)
    twice(stage)

    assert sent == 1
    assert stage.state == "done"
    with stage.acme.inside():
        assert Flow.objects.count() == 1


def twice(stage: Stage) -> None:
    with stage.page.expect_navigation():
        stage.page.locator("main button.primary").dblclick(no_wait_after=True)
    stage.page.wait_for_load_state("networkidle")


def test_a_reload_never_sends_again(open_stage: OpenStage) -> None:
    stage = open_stage("desktop")
    at_the_code(stage)

    stage.page.reload()
    stage.page.reload()
    after_reload = len(stage.messages())
    stage.fill(code="000000" if stage.code() != "000000" else "000001")
    stage.go_on()
    stage.page.reload()

    assert stage.state == "proving"
    assert after_reload == 1
    assert len(stage.messages()) == 1


def test_the_back_button_leads_to_where_the_journey_is(open_stage: OpenStage) -> None:
    stage = open_stage("desktop")
    at_the_password(stage)

    stage.page.go_back()
    stage.page.wait_for_load_state()
    middle = stage.state
    stage.page.go_forward()
    stage.page.wait_for_load_state()
    assert stage.state == "choosing"
    stage.fill(new_password=NEW_PASSWORD)
    stage.go_on()
    stage.page.go_back()
    stage.page.wait_for_load_state()

    assert middle in {"started", "choosing"}
    assert stage.state in {"started", "done"}
    assert is_changed(stage)


def test_two_tabs_of_one_journey_meet_again(open_stage: OpenStage) -> None:
    stage = open_stage("desktop")
    at_the_code(stage)
    other = stage.page.context.new_page()
    other.goto(stage.page.url)
    code = stage.code()

    stage.fill(code=code)
    stage.go_on()
    other.locator("[name=code]").fill(code)
    with other.expect_navigation():
        other.locator("main button.primary").click()

    assert stage.state == "choosing"
    assert other.locator("body").get_attribute("data-state") == "choosing"


def test_a_second_journey_in_another_tab_ends_the_first_one_plainly(open_stage: OpenStage) -> None:
    stage = open_stage("desktop")
    at_the_code(stage)
    code = stage.code()
    other = stage.page.context.new_page()
    other.goto(f"{stage.url}/reset/")
    other.locator("[name=user_id]").fill("alice@acme.example")
    other.locator("main button.primary").click()
    other.wait_for_url(FLOW_URL)

    stage.fill(code=code)
    stage.go_on()
    stage.forgive("status of 401")

    assert stage.state == "gone"
    assert stage.page.locator("main a.primary").is_visible()
    assert other.locator("body").get_attribute("data-state") == "proving"
