"""Whole resets, request by request, the way a person walks them."""

from collections.abc import Callable
from typing import Protocol

from .browser import Browser, solve
from .people import NEW_PASSWORD, Person
from .post import MailSink

CODE = r"\b(\d{6})\b"
ADDRESS_PLAN = "10.{}.{}.{}"


def address_of(number: int) -> str:
    """An address of its own for each person, behind the trusted proxy."""
    return ADDRESS_PLAN.format(number >> 16 & 255, number >> 8 & 255, number & 255)


class Walk(Protocol):
    """One person's whole way with one product."""

    def __call__(self, browser: Browser, person: Person, post: MailSink) -> None: ...


def reset_with_two_proofs(
    browser: Browser,
    person: Person,
    post: MailSink,
    *,
    captcha: Callable[[str], str] = solve,
    wait: Callable[[], object] = lambda: None,
) -> None:
    """The product: captcha, app code, mailed code, new password. `wait` is called when a mail is
    on its way, for a worker that only works when it is told to."""
    start(browser, person.user_id, captcha)
    browser.expect('data-state="proving"')
    browser.submit("verify app", {"code": person.app_code()}, follow="page contact")
    browser.expect('name="contact"')
    browser.submit("choose mail", {"contact": person.mailbox}, follow="page code")
    browser.expect('name="code"')
    wait()
    code = post.take(person.mailbox, CODE)
    browser.submit("verify mail", {"code": code}, follow="page password")
    browser.expect('data-state="choosing"')
    browser.submit("submit", {"new_password": NEW_PASSWORD}, follow="page done")
    browser.expect('data-state="done"')


def start(browser: Browser, user_id: str, captcha: Callable[[str], str] = solve) -> None:
    """The first page, sent with its captcha solved; ends on the journey's own page."""
    page = browser.get("get start", "/reset/")
    fields = {"user_id": user_id, "altcha": captcha(page.text), "ticket": ""}
    browser.submit("post start", fields, follow="page first")


def reset_with_a_link(browser: Browser, person: Person, post: MailSink) -> None:
    """Django's own: a mailed link, then the new password twice."""
    browser.get("get form", "/stock/password_reset/")
    browser.submit("post mail", {"email": person.mailbox}, follow="page sent")
    browser.arrived("/password_reset/done/")
    link = post.take(person.mailbox, r"https?://[^/]+(/stock/reset/\S+)")
    browser.get("get link", link)
    browser.follow("page password")
    password = {"new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
    browser.submit("submit", password, follow="page done")
    browser.arrived("/reset/done/")


def reset_with_allauth_code(browser: Browser, person: Person, post: MailSink) -> None:
    """django-allauth by code: one mailed code, then the new password twice."""
    browser.get("get form", "/accounts/password/reset/")
    browser.submit("post mail", {"email": person.mailbox}, follow="page code")
    code = post.take(person.mailbox, r"\n\s*([A-Z0-9]{3,5}-?[A-Z0-9]{3,5})\s*\n")
    browser.submit("verify code", {"code": code}, follow="page password")
    password = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    browser.submit("submit", password, follow="page done")
    browser.arrived("/password/reset/done/")
