"""An administrator at work: signs in over HTTP and opens the pages that grow."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.harness.browser import Browser, WentWrong
from benchmarks.harness.measure import MS, Meter
from benchmarks.harness.people import PASSWORD, Person
from benchmarks.harness.wire import Connection

WARM = 3
CODE_SECONDS = 30
"""How long an app shows one code."""
_NUMBER = re.compile(r"[?&;]p=(\d+)")


@dataclass(frozen=True)
class Marks:
    """What is looked for: a rare surname, a reference code, and the places of rows in the middle
    as the addresses of pages have them."""

    surname: str
    reference: str
    middle_event: str
    middle_message: str


def pages(marks: Marks) -> Mapping[str, str]:
    """Name → address, below /admin/."""
    return {
        "people, first page": "accounts/user/",
        "people, last page": "accounts/user/?before=end",
        "people, search: one hit": f"accounts/user/?q={marks.surname}",
        "people, search: two words": f"accounts/user/?q=Able+{marks.surname}",
        "people, search: many hits": "accounts/user/?q=smi",
        "people, search: more than are shown": "accounts/user/?q=exam",
        "people, search: none": "accounts/user/?q=qqzzqq",
        "people, by reference": f"accounts/user/?q={marks.reference}",
        "audit, first page": "tenants/auditevent/",
        "audit, middle": f"tenants/auditevent/?after={marks.middle_event}",
        "audit, last page": "tenants/auditevent/?before=end",
        "audit, by reference": f"tenants/auditevent/?q={marks.reference}",
        "messages, first page": "notifications/message/",
        "messages, middle": f"notifications/message/?after={marks.middle_message}",
        "journeys, first page": "resets/flow/",
    }


def sign_in(connection: Connection, administrator: Person) -> Browser:
    """With the password and the app, which the administration asks for. Raises WentWrong."""
    browser = Browser(connection, administrator.place.host, "10.200.0.1")
    browser.get("sign-in page", "/admin/login/")
    fields = {"user_id": administrator.user_id, "password": PASSWORD, "next": "/admin/"}
    browser.submit("sign in", fields, follow="second factor")
    if not browser.path.startswith("/sign-in/prove/"):
        raise WentWrong(f"the administrator came to {browser.path}, not to the second factor")
    browser.submit("prove", {"code": administrator.app_code()}, follow="index")
    if browser.path.startswith("/sign-in/prove/"):
        # A code counts once: somebody who has just signed in waits for the next one.
        time.sleep(CODE_SECONDS - time.time() % CODE_SECONDS)
        browser.submit("prove", {"code": administrator.app_code()}, follow="index")
    browser.arrived("/admin/")
    return browser


def costs(browser: Browser, pages_: Mapping[str, str], times: int, *roots: int) -> dict[str, float]:
    """ms of CPU of each page that exists; one that is refused or redirects is left out."""
    found = {}
    for name, path in pages_.items():
        shown = _found(browser, path)
        if shown is None:
            continue
        for _ in range(WARM):
            browser.get(name, shown)
        meter = Meter(*roots)
        for _ in range(times):
            browser.get(name, shown)
        found[name] = sum(meter.take()) / times * MS
    return found


def _found(browser: Browser, path: str) -> str | None:
    """The address of a page. Where a list knows no places of rows, its pages are numbered."""
    address = f"/admin/{path}"
    if browser.get("", address).status == 200:
        return address
    first, _, place = address.partition("?")
    numbers = [int(text) for text in _NUMBER.findall(browser.get("", first).text)]
    if not numbers or not place.startswith(("after=", "before=")):
        return None
    number = max(numbers) if place.startswith("before=") else max(numbers) // 2
    address = f"{first}?p={number}"
    return address if browser.get("", address).status == 200 else None
