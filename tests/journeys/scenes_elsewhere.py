"""Pages before another application, before a provider, and of a colleague who is asked."""

from django.utils import timezone

from resets import services
from tests.accounts.federation.accounts import give_external
from tests.accounts.oidc.applications import make_app
from tests.cast import make_beta, make_person
from tests.credentials import give_manager
from tests.journeys.scenes import BOB, Scene, at, policy
from tests.journeys.scenes_people import hold_session
from tests.journeys.stage import Stage
from tests.resets.walks import mailed_path


def open_once_more(stage: Stage, path: str, state: str) -> None:
    """What comes from another site brings no cookie: the page asks for itself once more."""
    stage.goto(path)
    stage.page.wait_for_selector(f"body[data-state={state}]")


def consent(stage: Stage) -> None:
    app = make_app(stage.acme, first_party=False)
    hold_session(stage, proved=True)
    open_once_more(stage, app.asks(), "application")


def signed_in_elsewhere(stage: Stage) -> None:
    """The application belongs to another organisation than the person who is signed in."""
    app = make_app(make_beta())
    hold_session(stage, proved=True)
    open_once_more(stage, app.asks(), "application")


def logout(stage: Stage) -> None:
    hold_session(stage, proved=True)
    open_once_more(stage, "/oidc/logout/", "signing_out")


def signed_out(stage: Stage) -> None:
    logout(stage)
    stage.go_on()


def provider(stage: Stage) -> None:
    with stage.acme.inside():
        give_external(stage.acme.bob, timezone.now())
    stage.goto_acme("/sign-in/with/partner/")


def question(stage: Stage) -> None:
    """Bob's manager opens the link of the mail."""
    policy(stage, methods_required=1, methods=["manager_approval", "email"])
    with stage.acme.inside():
        boss = make_person("boss", stage.acme.domain, surname="Baker")
        give_manager(stage.acme.bob, boss)
    handle = stage.start(BOB)
    services.choose(handle, "manager_approval", contact="", channel="", now=timezone.now())
    [asked] = [mail for mail in stage.messages() if mail["kind"] == "approval_request"]
    stage.goto(mailed_path(asked, "/approve/"))


def question_empty(stage: Stage) -> None:
    question(stage)
    stage.page.locator("main button[value=yes]").click()


def answered(stage: Stage) -> None:
    question(stage)
    stage.page.locator("main button[value=no]").click()


ELSEWHERE: dict[str, Scene] = {
    "consent": Scene("oidc/consent", consent),
    "application of another organisation": Scene("oidc/elsewhere", signed_in_elsewhere),
    "application, not known": Scene(
        "oidc/not_known", at("/oidc/authorize/?client_id=nobody"), status=400
    ),
    "signing out for an application": Scene("oidc/logout", logout),
    "signed out for an application": Scene("oidc/signed_out", signed_out),
    "provider": Scene("federation/start", provider),
    "provider, unknown": Scene("federation/problem", at("/sign-in/with/nobody/"), status=404),
    "approval, asked": Scene("approval/question", question),
    "approval, empty": Scene("approval/question", question_empty, errors=True),
    "approval, answered": Scene("approval/answered", answered),
    "approval, over": Scene("approval/over", at(f"/approve/{'0' * 32}.{'x' * 43}/"), status=410),
}
