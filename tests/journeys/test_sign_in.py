"""The pages of the sign-in in a real browser: accessible in every way of looking, never a dead end,
and the whole way to the administration with and without JavaScript."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from accounts.models import AuthenticatorDevice, User
from tests.cast import PASSWORD, app_code
from tests.journeys.conftest import OpenStage
from tests.journeys.scenes import Scene
from tests.journeys.stage import Stage
from tests.journeys.test_pages import (
    LOOK_AGAIN,
    MIRROR,
    NARROW,
    PHONE,
    SMALL,
    SPACING,
    TARGETS,
    Axe,
    leads_on,
    overflow,
    says_what_it_is,
)
from tests.services.signed_in import session_key_of

PROVE = "/sign-in/prove/"
ALICE = "alice@acme.example"


def enter(stage: Stage, user: User) -> None:
    cookie = {
        "name": settings.SESSION_COOKIE_NAME,
        "value": session_key_of(stage.acme, user),
        "url": stage.url,
    }
    stage.page.context.add_cookies([cookie])  # type: ignore[list-item]  # a TypedDict by shape


def at(path: str, who: str = "") -> Callable[[Stage], None]:
    def opened(stage: Stage) -> None:
        if who:
            enter(stage, getattr(stage.acme, who))
        stage.goto(path)

    return opened


def sent(*typed: str) -> Callable[[Stage], None]:
    """The form of the sign-in, sent with each of these passwords in turn."""

    def send(stage: Stage) -> None:
        stage.goto("/sign-in/")
        for password in typed:
            stage.field("user_id").fill(ALICE if password else "")
            stage.field("password").fill(password)
            stage.go_on()

    return send


def taken_up(method: str) -> Callable[[Stage], None]:
    def take(stage: Stage) -> None:
        at(f"{PROVE}?other=1", "alice")(stage)
        stage.pick(method)
        stage.go_on()

    return take


def answered(method: str) -> Callable[[Stage], None]:
    def answer(stage: Stage) -> None:
        taken_up(method)(stage)
        for field in stage.page.locator("main input[type=text]").all():
            field.fill("000000")
        stage.go_on()

    return answer


def register_first(stage: Stage) -> None:
    with stage.acme.inside():
        User.objects.filter(pk=stage.acme.eve.pk).update(roles=["global_administrator"])
    at(f"{PROVE}?next=/admin/", "eve")(stage)


def sessions(stage: Stage) -> None:
    for _ in range(2):
        session_key_of(stage.acme, stage.acme.alice)
    at("/sign-in/sessions/?done=one", "alice")(stage)


def signed_out(stage: Stage) -> None:
    at("/sign-in/sessions/", "alice")(stage)
    with stage.page.expect_navigation():
        stage.page.get_by_role("button", name="Sign out", exact=True).last.click()


WRONG = [f"Not This One {number}" for number in range(11)]
SCENES = {
    "sign in": Scene("sign_in", at("/sign-in/?next=/sign-in/sessions/")),
    "sign in, empty": Scene("sign_in", sent(""), errors=True),
    "sign in, wrong": Scene("sign_in", sent(WRONG[0]), errors=True),
    "sign in, locked": Scene("sign_in", sent(*WRONG), status=429, errors=True),
    "choose": Scene("choose", at(f"{PROVE}?other=1", "alice")),
    "code, app": Scene("code", at(PROVE, "bob")),
    "code, email": Scene("code", taken_up("email")),
    "code, text": Scene("code", taken_up("mobile_phone")),
    "code, wrong": Scene("code", answered("email"), errors=True),
    "questions": Scene("questions", taken_up("security_questions")),
    "questions, wrong": Scene("questions", answered("security_questions"), errors=True),
    "register first": Scene("nothing_to_prove", register_first),
    "sessions": Scene("sessions", sessions),
    "sessions, one": Scene("sessions", at("/sign-in/sessions/", "alice")),
    "signed out": Scene("signed_out", signed_out),
}
IN_ENGLISH = {"signed out"}
"""Scenes that press a button by its English name."""
ONE_EACH = {scene.template: name for name, scene in SCENES.items() if name not in IN_ENGLISH}
# Looked at by the tests of the methods they are for.
ELSEWHERE = {"elsewhere", "passkey_refused"}


def visit(stage: Stage, scene: Scene, rendered: list[str]) -> None:
    scene.open(stage)
    stage.page.wait_for_load_state()
    stage.forgive("status of 4")
    assert f"signin/{scene.template}.html" in rendered
    says_what_it_is(stage, scene)
    leads_on(stage, scene)


def test_every_template_of_the_sign_in_has_a_scene() -> None:
    folder = Path(settings.BASE_DIR) / "templates" / "signin"
    pages = {path.stem for path in folder.glob("[!_]*.html")} - ELSEWHERE

    assert pages == {scene.template for scene in SCENES.values()}


@pytest.mark.parametrize("name", SCENES)
def test_a_page_of_the_sign_in_is_sound_in_every_way_of_looking_at_it(
    open_stage: OpenStage, axe: Axe, rendered: list[str], name: str
) -> None:
    stage = open_stage("desktop", viewport=PHONE)

    visit(stage, SCENES[name], rendered)

    page = stage.page
    assert axe(page) == []
    assert page.locator(TARGETS).evaluate_all(SMALL) == []
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]  # a TypedDict by shape
    assert overflow(page) == []
    page.emulate_media(color_scheme="dark")
    page.evaluate(MIRROR)
    assert page.evaluate(LOOK_AGAIN) == []
    page.evaluate(SPACING)
    assert overflow(page) == []


@pytest.mark.parametrize("name", ONE_EACH.values())
def test_a_page_of_the_sign_in_is_sound_in_arabic(
    open_stage: OpenStage, axe: Axe, rendered: list[str], name: str
) -> None:
    stage = open_stage("desktop", language="ar", viewport=NARROW)

    visit(stage, SCENES[name], rendered)

    assert axe(stage.page) == []
    assert overflow(stage.page) == []


@pytest.mark.parametrize("mode", ["mobile", "nojs"])
def test_an_administrator_walks_in_with_password_and_code(open_stage: OpenStage, mode: str) -> None:
    stage = open_stage(mode)
    carol = stage.acme.carol
    with stage.acme.inside():
        assert AuthenticatorDevice.objects.filter(user=carol).exists()
    stage.goto("/sign-in/?next=/admin/")
    stage.field("user_id").fill(carol.user_id)
    stage.field("password").fill(PASSWORD)
    stage.go_on()
    assert stage.state == "prove"

    stage.field("code").fill(app_code(carol, timezone.now()))
    stage.go_on()

    stage.page.get_by_role("heading", name="Administration", exact=True).wait_for()
