"""The security-info pages in a real browser: accessible in every way of looking, never a dead end,
and the whole way to a registered method with and without JavaScript."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from accounts.models import ContactPoint, User
from accounts.registration.undo import keep_undo, snapshot, undo_of
from tenants.models import ResetPolicy
from tests.cast import app_code, give_contact, give_questions
from tests.journeys.conftest import OpenStage
from tests.journeys.stage import Stage
from tests.journeys.test_pages import (
    LOOK_AGAIN,
    MIRROR,
    NARROW,
    NEXT_STEPS,
    PHONE,
    SMALL,
    SPACING,
    TARGETS,
    Axe,
    overflow,
)
from tests.services.signed_in import session_key_of

ADD = "/security-info/add/"
REGISTER = "/security-info/register/"


def enter(stage: Stage, user: User, *, proved: bool = True) -> None:
    key = session_key_of(stage.acme, user, proved=("app_code",) if proved else ())
    cookie = {"name": settings.SESSION_COOKIE_NAME, "value": key, "url": stage.url}
    stage.page.context.add_cookies([cookie])  # type: ignore[list-item]  # a TypedDict by shape


def at(path: str, who: str = "bob", **how: bool) -> Callable[[Stage], None]:
    def opened(stage: Stage) -> None:
        enter(stage, getattr(stage.acme, who), **how)
        stage.goto(path)

    return opened


def full(stage: Stage) -> None:
    """Everything there is to see: entered for her, stale, questions."""
    with stage.acme.inside():
        ContactPoint.objects.filter(user=stage.acme.alice, kind="mobile_phone").update(
            stale_at=timezone.now()
        )
        ContactPoint.objects.filter(user=stage.acme.alice, kind="office_phone").update(
            confirmed_at=None
        )
    at("/security-info/", "alice")(stage)


def code(stage: Stage) -> None:
    at(f"{ADD}email/", "eve")(stage)
    stage.field("contact").fill("eve@example.org")
    stage.go_on()


def code_wrong(stage: Stage) -> None:
    code(stage)
    stage.field("code").fill("000000" if stage.code() != "000000" else "000001")
    stage.go_on()


def scan(stage: Stage) -> None:
    at(f"{ADD}app_code/", "eve")(stage)
    stage.field("name").fill("Phone")
    stage.go_on()
    stage.page.locator("details summary").click()


def sent_empty(path: str) -> Callable[[Stage], None]:
    def send(stage: Stage) -> None:
        at(path, "bob")(stage)
        stage.go_on()

    return send


def change(stage: Stage) -> None:
    with stage.acme.inside():
        row = give_contact(stage.acme.eve, "alternate_email", "e@example.net", confirmed=False)
    at(f"/security-info/change/email/{row.pk}/", "eve")(stage)


def remove(stage: Stage) -> None:
    with stage.acme.inside():
        row = ContactPoint.objects.get(user=stage.acme.bob)
    at(f"/security-info/remove/email/{row.pk}/")(stage)


def first_refused(stage: Stage) -> None:
    with stage.acme.inside():
        ResetPolicy.objects.update(register_with_password=False)
    at(f"{ADD}email/", "eve", proved=False)(stage)


def gone(stage: Stage) -> None:
    code(stage)
    stage.page.locator("[name=pending]").first.evaluate("field => { field.value = 'x'; }")
    stage.field("code").fill("123456")
    stage.go_on()


def confirm(stage: Stage) -> None:
    with stage.acme.inside():
        User.objects.update(registration_confirmed_at=timezone.now() - timedelta(days=400))
    at(f"{REGISTER}?go=1")(stage)


def undo(stage: Stage) -> None:
    with stage.acme.inside():
        before = snapshot(stage.acme.bob)
        give_questions(stage.acme.bob)
        found = undo_of(before, snapshot(stage.acme.bob))
        link = keep_undo(stage.acme.bob, "security_questions", "x", found, timezone.now())
    stage.goto("/security-info/undo/" + link.partition("/undo/")[2])


def undone(stage: Stage) -> None:
    undo(stage)
    stage.go_on()


def rehearsed(stage: Stage) -> None:
    at("/security-info/")(stage)
    with stage.page.expect_navigation():
        stage.page.locator("form[action$='/test/'] button").click()
    stage.field("code").fill(app_code(stage.acme.bob, timezone.now()))
    stage.go_on()
    stage.field("contact").fill("bob@example.net")
    stage.go_on()
    stage.field("code").fill(stage.code())
    stage.go_on()


SCENES: dict[str, tuple[str, Callable[[Stage], None], int]] = {
    "index": ("security_info/index", full, 200),
    "index, nothing": ("security_info/index", at("/security-info/", "eve"), 200),
    "index, guest": ("security_info/index", at("/security-info/", "gina"), 200),
    "email": ("security_info/email", at(f"{ADD}email/", "eve"), 200),
    "email, on file": ("security_info/email", change, 200),
    "mobile": ("security_info/phone", at(f"{ADD}mobile_phone/"), 200),
    "mobile, empty": ("security_info/phone", sent_empty(f"{ADD}mobile_phone/"), 200),
    "office": ("security_info/phone", at(f"{ADD}office_phone/"), 200),
    "code": ("security_info/code", code, 200),
    "code, wrong": ("security_info/code", code_wrong, 200),
    "app": ("security_info/app_name", at(f"{ADD}app_code/", "eve"), 200),
    "app, scan": ("security_info/app_scan", scan, 200),
    "questions": ("security_info/questions", at(f"{ADD}security_questions/"), 200),
    "questions, empty": ("security_info/questions", sent_empty(f"{ADD}security_questions/"), 200),
    "remove": ("security_info/remove", remove, 200),
    "refused, not allowed": (
        "security_info/refused",
        at(f"{ADD}security_questions/", "carol"),
        403,
    ),
    "refused, first": ("security_info/refused", first_refused, 403),
    "refused, gone": ("security_info/refused", gone, 410),
    "register": ("security_info/register", at(REGISTER, "eve"), 200),
    "register, step": ("security_info/register_step", at(f"{REGISTER}?go=1", "eve"), 200),
    "confirm": ("security_info/confirm", confirm, 200),
    "registered": ("security_info/registered", at(f"{REGISTER}?go=1"), 200),
    "undo": ("security_info/undo", undo, 200),
    "undo, done": ("security_info/undo", undone, 200),
    "undo, over": (
        "security_info/undo",
        lambda stage: stage.goto(f"/security-info/undo/{'0' * 32}.{'x' * 43}/"),
        410,
    ),
    "rehearsed": ("portal/done", rehearsed, 200),
}
OWN = {"base", "index", "email", "phone", "code", "app_name", "app_scan", "questions", "remove"}
OWN |= {"refused", "register", "register_step", "confirm", "registered", "undo"}


def visit(stage: Stage, name: str, rendered: list[str]) -> None:
    template, show, status = SCENES[name]
    show(stage)
    stage.page.wait_for_load_state()
    if status >= 400:
        stage.forgive(f"status of {status}")
    assert f"{template}.html" in rendered
    assert stage.page.locator("h1").count() == 1
    assert stage.page.locator("h1").inner_text().strip() in stage.page.title()
    assert stage.page.locator(NEXT_STEPS).count() > 0


def test_every_own_template_has_a_scene() -> None:
    folder = Path(settings.BASE_DIR) / "templates" / "security_info"
    shown = {template.rpartition("/")[2] for template, _, _ in SCENES.values()}

    assert {*OWN} - {"base"} <= shown
    assert {*OWN} <= {path.stem for path in folder.glob("[!_]*.html")}


@pytest.mark.parametrize("name", SCENES)
def test_a_page_is_sound_in_every_way_of_looking_at_it(
    open_stage: OpenStage, axe: Axe, rendered: list[str], name: str
) -> None:
    stage = open_stage("desktop", viewport=PHONE)

    visit(stage, name, rendered)

    page: Any = stage.page
    assert axe(page) == []
    assert page.locator(TARGETS).evaluate_all(SMALL) == []
    page.set_viewport_size(NARROW)
    assert overflow(page) == []
    page.emulate_media(color_scheme="dark")
    page.evaluate(MIRROR)
    assert page.evaluate(LOOK_AGAIN) == []
    page.evaluate(SPACING)
    assert overflow(page) == []


@pytest.mark.parametrize("mode", ["mobile", "nojs"])
def test_two_methods_are_registered_with_and_without_javascript(
    open_stage: OpenStage, mode: str
) -> None:
    stage = open_stage(mode)
    enter(stage, stage.acme.eve, proved=False)

    stage.goto(f"{REGISTER}?next=/help/")
    stage.page.locator("main a.primary").click()
    stage.page.locator("main details summary").click()
    stage.page.locator("main a.door[href$='/email/']").click()
    stage.field("contact").fill("eve@example.org")
    stage.go_on()
    stage.field("code").fill(stage.code())
    stage.go_on()
    stage.page.locator("main a.door[href$='/mobile_phone/']").or_(
        stage.page.locator("main details summary")
    ).first.click()
    stage.page.locator("main a.door[href$='/mobile_phone/']").click()
    stage.page.locator("[name=country]").select_option("US")
    stage.field("number").fill("425 555 0142")
    stage.go_on()
    stage.field("code").fill(stage.code())
    stage.go_on()

    assert stage.state == "registered"
    stage.page.locator("main a.primary").click()
    assert stage.page.url.endswith("/help/")
