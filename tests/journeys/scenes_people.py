"""Pages of the portal for people who sign in, come from outside, or are led elsewhere."""

from django.conf import settings
from django.utils import timezone

from accounts.models import User
from resets import services
from tenants.models import Tenant
from tests.accounts.federation.accounts import give_external
from tests.cast import NEW_PASSWORD, PASSWORD
from tests.journeys.scenes import BOB, Scene, at, on_own_host, policy, sent_empty
from tests.journeys.stage import Stage
from tests.resets.walks import mailed_path
from tests.services.signed_in import session_key_of

INES = "ines@outside.example"


def hold_session(stage: Stage, *, proved: bool) -> None:
    key = session_key_of(stage.acme, stage.acme.bob, proved=("app_code",) if proved else ())
    cookie = {"name": settings.SESSION_COOKIE_NAME, "value": key, "url": stage.url}
    stage.page.context.add_cookies([cookie])  # type: ignore[list-item]  # a TypedDict by shape


def change(stage: Stage) -> None:
    hold_session(stage, proved=False)
    stage.goto("/change-password/")


def change_forced(stage: Stage) -> None:
    with stage.acme.inside():
        User.objects.update(must_change_password=True)
    change(stage)


def change_wrong(stage: Stage) -> None:
    change(stage)
    stage.field("old_password").fill("Not-The-One 77")
    stage.field("new_password").fill(NEW_PASSWORD)
    stage.go_on()


def change_weak(stage: Stage) -> None:
    change(stage)
    stage.field("old_password").fill(PASSWORD)
    stage.field("new_password").fill("bob")
    stage.go_on()


def change_elsewhere(stage: Stage) -> None:
    with stage.acme.inside():
        User.objects.update(source="pass_through")
    change(stage)


def change_done(stage: Stage) -> None:
    change(stage)
    stage.field("old_password").fill(PASSWORD)
    stage.field("new_password").fill(NEW_PASSWORD)
    stage.go_on()


def step_up(stage: Stage) -> None:
    """A form that is sent when the proof is too old."""
    hold_session(stage, proved=True)
    stage.goto("/security-info/add/mobile_phone/")
    hold_session(stage, proved=False)
    stage.go_on()


def sign_up_sent(stage: Stage) -> None:
    with stage.acme.inside():
        Tenant.objects.update(guest_sign_up=True)
    stage.goto("/sign-up/")
    stage.field("email").fill(INES)
    stage.field("organisation").fill("acme.example")
    stage.page.locator("main button.primary").click()
    stage.page.wait_for_selector("body[data-state=sign_up_sent]")


def invitation(stage: Stage) -> None:
    sign_up_sent(stage)
    stage.goto(mailed_path(stage.messages()[-1], "/invitation/"))


def invitation_weak(stage: Stage) -> None:
    invitation(stage)
    stage.field("new_password").fill("x")
    stage.go_on()


def joined(stage: Stage) -> None:
    invitation(stage)
    stage.field("display_name").fill("Ines Inge")
    stage.field("new_password").fill(NEW_PASSWORD)
    stage.go_on()


def redirect(stage: Stage) -> None:
    """Bob is asked for the account he connected at another service."""
    policy(stage, methods_required=1, methods=["external_identity", "email"])
    with stage.acme.inside():
        give_external(stage.acme.bob, timezone.now())
    handle = stage.start(BOB)
    services.choose(handle, "external_identity", contact="", channel="", now=timezone.now())
    stage.show(handle)


PEOPLE: dict[str, Scene] = {
    "change": Scene("change", change),
    "change, forced": Scene("change", change_forced),
    "change, empty": Scene("change", sent_empty(change), errors=True),
    "change, wrong": Scene("change", change_wrong, errors=True),
    "change, weak": Scene("change", change_weak, errors=True),
    "change, elsewhere": Scene("change", change_elsewhere),
    "changed": Scene("done", change_done),
    "step up": Scene("step_up", step_up, status=403),
    "sign up": Scene("sign_up", at("/sign-up/")),
    "sign up, empty": Scene("sign_up", sent_empty(at("/sign-up/")), errors=True),
    "sign up, closed": Scene("sign_up_closed", on_own_host("/sign-up/"), status=403),
    "sign up, sent": Scene("sign_up_sent", sign_up_sent),
    "invitation": Scene("invitation", invitation),
    "invitation, weak": Scene("invitation", invitation_weak, errors=True),
    "invitation, over": Scene(
        "invitation_ended", at(f"/invitation/{'0' * 32}.{'x' * 43}/"), status=410
    ),
    "joined": Scene("joined", joined),
    "redirect": Scene("redirect", redirect),
    "onwards": Scene("onwards", at("/made/onwards/")),
}
