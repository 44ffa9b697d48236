"""Every page of the portal in every state: how to get there, and which template it is.

Most are reached as a person reaches them; ends that need a directory or a long wait are written
into the journey's row.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from accounts.methods.base import Answer
from resets import services
from resets.models import Flow
from resets.services import Handle
from resets.services.common import step_in
from resets.services.notices import not_me_link
from tenants.counters import Count, count_up
from tenants.limits import LIMITS
from tenants.models import ResetPolicy, Tenant
from tenants.secret import Secret
from tests.cast import ALICE_MOBILE, CANARY, NEW_PASSWORD, make_beta, make_guest
from tests.journeys.stage import Stage
from tests.services.phone import give_phone
from tests.services.softkey import give_passkey

ALICE, BOB, BOBS_EMAIL = "alice@acme.example", "bob@acme.example", "bob@example.net"
NO_WORK = "self.onmessage = () => self.postMessage(null)"
AN_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Scene:
    """`status` is the page's own; `errors`: whether it names a mistake."""

    template: str
    open: Callable[[Stage], None]
    status: int = 200
    errors: bool = False


def at(path: str) -> Callable[[Stage], None]:
    return lambda stage: stage.goto(path)


def on_own_host(path: str) -> Callable[[Stage], None]:
    return lambda stage: stage.goto_acme(path)


def policy(stage: Stage, **columns: object) -> None:
    with stage.acme.inside():
        ResetPolicy.objects.update(**columns)


def start_empty(stage: Stage) -> None:
    stage.goto("/reset/")
    stage.go_on()


def waiting(stage: Stage) -> None:
    """The proof of work finds nothing, so the ticket goes alone; the way on is held back."""
    stage.page.route("**/captcha-worker.js", lambda route: route.fulfill(body=NO_WORK))
    stage.page.route("**/reset/wait/", lambda route: route.abort("aborted"))
    stage.goto("/reset/")
    stage.field("user_id").fill(BOB)
    stage.go_on()


def too_many(stage: Stage) -> None:
    stage.goto("/reset/")
    stage.field("user_id").fill(BOB)
    limit = LIMITS["starts_by_address"]
    with transaction.atomic():
        for _ in range(limit.count):
            count_up([Count(limit, "127.0.0.1")], timezone.now())
    stage.go_on()


def organisation(stage: Stage) -> None:
    beta = make_beta()
    with beta.inside():
        make_guest("iris@example.org", "beta.example", "invitation")
    stage.goto("/reset/")
    stage.field("user_id").fill("iris@example.org")
    stage.go_on()
    assert CANARY not in stage.page.content()


def organisation_empty(stage: Stage) -> None:
    organisation(stage)
    stage.go_on()


def choose(stage: Stage) -> None:
    stage.show(stage.start(ALICE))


def choose_with(method: str) -> Callable[[Stage], None]:
    """The method's own fields open below it."""

    def opened(stage: Stage) -> None:
        choose(stage)
        stage.pick(method)

    return opened


def choose_nothing(stage: Stage) -> None:
    choose(stage)
    stage.page.locator("[name=method]:checked").evaluate("radio => { radio.checked = false; }")
    stage.go_on()


def choose_concealed(stage: Stage) -> None:
    with stage.acme.inside():
        Tenant.objects.update(disclosure="concealed")
    stage.show(stage.start("nobody@acme.example"))


def contact(stage: Stage) -> None:
    policy(stage, methods_required=1, methods=["email"])
    stage.show(stage.start(BOB))


def contact_phone(stage: Stage) -> None:
    choose(stage)
    stage.pick("mobile_phone")
    stage.go_on()


def contact_empty(stage: Stage) -> None:
    contact(stage)
    stage.go_on()


def chosen(
    user_id: str, method: str, contact: str = "", channel: str = ""
) -> Callable[[Stage], Handle]:
    def begin(stage: Stage) -> Handle:
        policy(stage, methods_required=2 if user_id == ALICE else 1)
        handle = stage.start(user_id)
        now = timezone.now()
        services.choose(handle, method, contact=contact, channel=channel, now=now)
        stage.show(handle)
        return handle

    return begin


code_email = chosen(BOB, "email", BOBS_EMAIL)
code_app = chosen(BOB, "app_code")
code_text = chosen(ALICE, "mobile_phone", ALICE_MOBILE, "sms")
code_call = chosen(ALICE, "mobile_phone", ALICE_MOBILE, "voice")
questions = chosen(ALICE, "security_questions")


def passkey(stage: Stage) -> None:
    """Bob is asked for the passkey he made on this host."""
    policy(stage, methods_required=1, methods=["passkey", "email"])
    with stage.acme.inside():
        give_passkey(stage.acme.bob, stage.url)
    handle = stage.start(BOB)
    services.choose(handle, "passkey", contact="", channel="", now=timezone.now())
    stage.show(handle)


def passkey_wrong(stage: Stage) -> None:
    """Sent without what a passkey signs, as no page of ours does by itself."""
    passkey(stage)
    with stage.page.expect_navigation():
        stage.page.locator("form[data-passkey]").evaluate("form => form.requestSubmit()")


def approval(stage: Stage) -> None:
    policy(stage, methods=["email", "app_notification", "mobile_phone"])
    with stage.acme.inside():
        give_phone(stage.acme.alice)
    handle = stage.start(ALICE)
    services.choose(handle, "app_notification", contact="", channel="", now=timezone.now())
    stage.show(handle)


def shown(begin: Callable[[Stage], Handle]) -> Callable[[Stage], None]:
    def show(stage: Stage) -> None:
        begin(stage)

    return show


def sent_empty(begin: Callable[[Stage], object]) -> Callable[[Stage], None]:
    def send(stage: Stage) -> None:
        begin(stage)
        stage.go_on()

    return send


def code_wrong(stage: Stage) -> None:
    code_email(stage)
    stage.field("code").fill("000000" if stage.code() != "000000" else "000001")
    stage.go_on()


def code_concealed(stage: Stage) -> None:
    choose_concealed(stage)
    stage.pick("email")
    stage.field("contact").fill(BOBS_EMAIL)
    stage.go_on()


def password(stage: Stage) -> None:
    handle = code_email(stage)
    result = services.verify(handle, Answer(Secret(stage.code()), []), now=timezone.now())
    assert result.handle is not None
    stage.hold(result.handle)
    stage.show(result.handle)


def password_weak(stage: Stage) -> None:
    password(stage)
    stage.field("new_password").fill("bob")
    stage.go_on()


def done(stage: Stage) -> None:
    password(stage)
    stage.field("new_password").fill(NEW_PASSWORD)
    stage.go_on()


def ended(state: str, reason: str = "") -> Callable[[Stage], None]:
    def write(stage: Stage) -> None:
        handle = stage.start(BOB)
        now = timezone.now()
        until = now + AN_HOUR if state == "locked" else None
        with stage.acme.inside():
            rows = Flow.objects.filter(pk=handle.flow)
            rows.update(state=state, reason=reason, finished_at=now, blocked_until=until)
        stage.show(handle)

    return write


def expired(stage: Stage) -> None:
    handle = stage.start(BOB)
    with stage.acme.inside():
        Flow.objects.update(expires_at=timezone.now() - AN_HOUR)
    stage.show(handle)


def refused(stage: Stage) -> None:
    with stage.acme.inside():
        Tenant.objects.update(reveal_reason=True)
    stage.show(stage.start("eve@acme.example"))


def personal(stage: Stage) -> None:
    stage.show(stage.start("petra@mail.example"))


def cancelled(stage: Stage) -> None:
    choose(stage)
    with stage.page.expect_navigation():
        stage.page.locator("form[action$='/cancel/'] button").click()


def gone(stage: Stage) -> None:
    handle = stage.start(BOB)
    stage.page.context.clear_cookies()
    stage.show(handle)


def form_too_old(stage: Stage) -> None:
    stage.goto("/reset/")
    stage.field("user_id").fill(BOB)
    stage.page.context.clear_cookies()
    stage.go_on()


def unreadable(stage: Stage) -> None:
    stage.goto("/reset/")
    stage.field("user_id").evaluate("field => { field.name = 'surprise'; }")
    stage.page.locator("[name=surprise]").fill(BOB)
    stage.go_on()


def help_filled(stage: Stage) -> None:
    stage.goto(f"/help/?user_id={BOB}&reference=K7M4-92QX")


def help_sent(stage: Stage) -> None:
    help_filled(stage)
    stage.go_on()


def not_me(stage: Stage) -> None:
    handle = stage.start(BOB)
    with step_in(stage.acme.id) as changes:
        flow = Flow.objects.get(pk=handle.flow)
        link = not_me_link(flow, stage.acme.bob, timezone.now(), changes)
    stage.goto("/not-me/" + link.partition("/not-me/")[2])


def not_me_done(stage: Stage) -> None:
    not_me(stage)
    stage.go_on()


def outbox(stage: Stage) -> None:
    code_email(stage)
    stage.messages()
    stage.goto("/demo/outbox/")


def message(stage: Stage) -> None:
    done(stage)
    stage.goto(f"/demo/outbox/{stage.messages()[-1]['id']}/")


SCENES: dict[str, Scene] = {
    "home": Scene("home", at("/")),
    "home, own host": Scene("home", on_own_host("/")),
    "start": Scene("start", at("/reset/")),
    "start, own host": Scene("start", on_own_host("/reset/")),
    "start, empty": Scene("start", start_empty, errors=True),
    "wait": Scene("wait", waiting),
    "organisation": Scene("organisation", organisation),
    "organisation, empty": Scene("organisation", organisation_empty, errors=True),
    "operation": Scene("operation", at("/made/operation/")),
    "choose": Scene("choose", choose),
    "choose, email": Scene("choose", choose_with("email")),
    "choose, phone": Scene("choose", choose_with("mobile_phone")),
    "choose, nothing": Scene("choose", choose_nothing, errors=True),
    "choose, concealed": Scene("choose", choose_concealed),
    "contact": Scene("contact", contact),
    "contact, phone": Scene("contact", contact_phone),
    "contact, empty": Scene("contact", contact_empty, errors=True),
    "code, email": Scene("code", shown(code_email)),
    "code, app": Scene("code", shown(code_app)),
    "code, text": Scene("code", shown(code_text)),
    "code, call": Scene("code", shown(code_call)),
    "code, concealed": Scene("code", code_concealed),
    "code, empty": Scene("code", sent_empty(code_email), status=400, errors=True),
    "code, wrong": Scene("code", code_wrong, errors=True),
    "questions": Scene("questions", shown(questions)),
    "questions, empty": Scene("questions", sent_empty(questions), errors=True),
    "passkey": Scene("assertion", passkey),
    "passkey, not used": Scene("assertion", passkey_wrong, status=400, errors=True),
    "approval": Scene("approval", approval),
    "approval, early": Scene("approval", sent_empty(approval), errors=True),
    "password": Scene("password", password),
    "password, weak": Scene("password", password_weak, errors=True),
    "working": Scene("working", at("/made/working/")),
    "done": Scene("done", done),
    "done, unlocked": Scene("done", at("/made/done/")),
    "refused": Scene("ended", refused),
    "refused, personal": Scene("ended", personal),
    "refused, reported": Scene("ended", ended("refused", "not_me")),
    "locked": Scene("ended", ended("locked", "locked_out"), status=429),
    "expired": Scene("ended", expired, status=410),
    "cancelled": Scene("ended", cancelled),
    "failed": Scene("ended", ended("failed")),
    "unknown": Scene("ended", ended("unknown")),
    "gone": Scene("ended", gone, status=401),
    "error, no such page": Scene("error", at("/nowhere/"), status=404),
    "error, old form": Scene("error", form_too_old, status=403),
    "error, unreadable": Scene("error", unreadable, status=400),
    "error, denied": Scene("error", at("/made/denied/"), status=403),
    "error, too many": Scene("error", too_many, status=429),
    "error, too large": Scene("error", at("/made/error/")),
    "error, broken": Scene("error", at("/made/broken/"), status=500),
    "help": Scene("help", help_filled),
    "help, own host": Scene("help", on_own_host("/help/")),
    "help, empty": Scene("help", sent_empty(at("/help/")), errors=True),
    "help, sent": Scene("help_sent", help_sent),
    "not me": Scene("repudiate", not_me),
    "not me, done": Scene("repudiated", not_me_done),
    "not me, over": Scene("repudiate_ended", at(f"/not-me/{'0' * 32}.{'x' * 43}/"), status=410),
    "demo, no messages": Scene("demo_outbox", at("/demo/outbox/")),
    "demo, messages": Scene("demo_outbox", outbox),
    "demo, message": Scene("demo_message", message),
    "demo, codes": Scene("demo_codes", at("/demo/codes/")),
}
