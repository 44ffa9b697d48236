"""Every page of both administration sites in a browser: axe, light and dark, 320 px, the keyboard.

The pages are generated from the addresses the sites route. An address that neither follows a rule
of `ways_to` nor stands in a table here fails the test, so no page is forgotten.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from django.urls import URLResolver
from django.utils import timezone
from playwright.sync_api import Page

from accounts.models import ImportRun, User
from accounts.person_key import person_key
from accounts.token_files import SAMPLE
from accounts.token_imports import check
from sspr_project.operator_site import operator_site
from tenants.admin import tenant_site
from tenants.audit import Party
from tenants.context import tenant_context
from tenants.counters import Count, count_up
from tenants.limits import LIMITS
from tenants.lookup import find_tenant
from tenants.services import get_platform
from tests.cast import app_code, give_app, give_email
from tests.credentials import give_token, token_of
from tests.services.browser import PageFactory
from tests.services.looker import Looker
from tests.tenants.admin.cast import NOW, PASSWORD, House, contoso, make_person
from tests.tenants.operator_cast import OPERATOR, OPERATOR_PASSWORD, REASON, make_operator
from writeback.models import Connector

IMPORTS = "accounts_importrun_"
NO_PAGE = frozenset(
    {
        *("autocomplete", "jsi18n", "app_list", None),
        *(IMPORTS + name for name in ("sample", "confirm", "discard", "report")),
        "accounts_credential_sample",
    }
)
"""Addresses that answer data or lead elsewhere."""
BY_HAND = frozenset({"login", "logout"})
"""Pages that are shown on the way in and out."""
WALKED_TO = frozenset({"writeback_directoryorder_show"})
"""Open to one session alone; a test of its own walks there (tests/writeback/admin/test_browser)."""
PEOPLE = {
    "accounts_user_thaw": "frozen",
    "accounts_user_enable": "disabled",
    "accounts_user_remove-licence": "licensed",
    "accounts_user_remove": "guest",
    "accounts_user_lift": "blocked",
    "accounts_user_enable-methods": "barred",
    "accounts_user_link": "blocked",
    "accounts_credential_assign": "spare",
    "accounts_credential_discard": "spare",
    "accounts_credential_run": "file",
    "writeback_connector_try": "direct",
    "writeback_connector_stop": "direct",
}
"""Pages about what is in a state that the usual ones of the cast are not in."""
SEARCHES = {
    "accounts_user_changelist": ("?q=bob", "?q=nobody", "?kind=guest"),
    "resets_flow_changelist": ("?q={reference}", "?q=none"),
    "tenants_auditevent_changelist": ("?q={reference}", "?q=none"),
    "tenants_group_changelist": ("?q=A", "?q=none"),
    "accounts_credential_changelist": ("?q=GT-1", "?q=none"),
    "writeback_writebackjob_changelist": ("?q=none",),
    "writeback_reminder_changelist": ("?q=none", "?delivery=failed"),
}


@dataclass(frozen=True)
class Crew:
    """Whom and what the pages are about."""

    house: House
    people: dict[str, UUID]


@pytest.fixture
def crew(transactional_db: None) -> Crew:
    make_operator()
    house = contoso()
    states: dict[str, dict[str, object]] = {
        "frozen": {"frozen_at": NOW},
        "disabled": {"is_active": False},
        "licensed": {"licence": house.rows["tenants/subscription"]},
        "guest": {"kind": User.Kind.GUEST, "origin": User.Origin.INVITATION},
        "blocked": {},
        "barred": {"disabled_methods": ["email"]},
    }
    people = {}
    with tenant_context(house.tenant):
        for name, fields in states.items():
            person = make_person(f"{name}@{house.domain}", name.capitalize())
            User.objects.filter(pk=person.pk).update(**fields)
            people[name] = person.pk
        failed = Count(LIMITS["failed_proofs"], person_key(f"blocked@{house.domain}").hex())
        for _ in range(failed.limit.count):
            count_up([failed], timezone.now())
        run = ImportRun.objects.create(
            actor_label=f"amy@{house.domain}",
            file_name="people.csv",
            file_key=bytes(32),
            format="native",
            state=ImportRun.State.DISCARDED,
            created_at=NOW,
        )
        house.rows["accounts/importrun"] = run.pk
        owner = User.objects.get(pk=people["licensed"])
        house.rows["accounts/credential"] = give_token(owner, token_of(owner), "GT-1").pk
        people["spare"] = give_token(None, token_of(owner), "GT-2").pk
        desk = Party("administrator", None, house.admin)
        file = check(SAMPLE.encode(), "tokens.csv", by=desk, actor=None, now=timezone.now())
        people["file"] = file.pk
        people["direct"] = Connector.objects.create(
            name="Beside it", kind="openldap", direct=True
        ).pk
    return Crew(house, people)


def routes(urls: Sequence[Any], before: str = "") -> Iterator[tuple[str | None, str]]:
    """Name and route of every address below."""
    for url in urls:
        here = before + str(url.pattern)
        if isinstance(url, URLResolver):
            yield from routes(url.url_patterns, here)
        else:
            yield url.name, here


def ways_to(name: str, route: str, crew: Crew) -> list[str]:
    """The addresses at which a page is looked at, below the site's own."""
    house = crew.house
    if "<" in route:
        table = "/".join(route.split("/")[:2])
        row: object = crew.people.get(PEOPLE.get(name, ""), house.rows.get(table))
        if table.startswith("tenants/<"):
            row = house.tenant
        if name == "resets_flow_reference":
            row = house.reference
        assert row is not None, f"{name}: nobody said which row {route} is about"
        return ["/".join(str(row) if part.startswith("<") else part for part in route.split("/"))]
    queries = ("", *SEARCHES.get(name, ()))
    return [route + query.format(reference=house.reference) for query in queries]


def pages_of(site: Any, crew: Crew) -> list[str]:
    found = []
    for name, route in routes(site.get_urls()):
        if name not in NO_PAGE | BY_HAND | WALKED_TO:
            found += ways_to(str(name), route, crew)
    return found


def sign_in(page: Page, address: str, user_id: str, password: str) -> None:
    code = _app_code(user_id)
    page.goto(address)
    page.get_by_label("User ID").fill(user_id)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("heading", name="Administration").or_(
        page.get_by_role("heading", name="Organisations")
    ).first.wait_for()


def _app_code(user_id: str) -> str:
    """What their authenticator app shows; it is set up now, with what the policy wants beside it,
    so that nobody is asked to register first."""
    tenant = find_tenant(domain=user_id.partition("@")[2]) or get_platform()
    with tenant_context(tenant):
        user = User.objects.get(user_id=user_id)
        give_app(user)
        give_email(user, "private@example.net")
        return app_code(user, timezone.now())


def test_every_page_of_a_tenants_administration_is_accessible(
    live_url: str, crew: Crew, looker: Looker
) -> None:
    page, site = looker.page, f"{live_url}/admin/"
    page.goto(f"{site}login/")
    looker.look("sign-in")
    page.get_by_label("User ID").fill("nobody")
    page.get_by_label("Password").fill("not this one")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("alert").wait_for()
    looker.look("sign-in refused")
    sign_in(page, site, crew.house.admin, PASSWORD)

    paths = pages_of(tenant_site, crew)
    for path in paths:
        looker.visit(site + path, path)
    page.goto(f"{site}nothing/")
    looker.look("not found")
    page.goto(f"{site}accounts/user/{crew.house.rows['accounts/user']}/history/")
    looker.look("no history")
    page.goto(site)
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("heading", name="You are signed out").wait_for()
    looker.look("signed out")

    assert looker.found == []
    assert len(looker.seen) > 30


def test_every_page_of_the_operator_site_is_accessible(
    live_url: str, crew: Crew, looker: Looker
) -> None:
    page, site = looker.page, f"{live_url}/operator/"
    page.goto(f"{site}login/")
    looker.look("sign-in")
    sign_in(page, site, OPERATOR, OPERATOR_PASSWORD)
    page.goto(f"{site}tenants/?q=none")
    looker.look("nothing found")
    page.goto(f"{site}tenants/add/")
    page.get_by_role("button", name="Make the organisation").click()
    page.get_by_role("alert").wait_for()
    looker.look("a form with errors")
    page.goto(f"{site}tenants/{crew.house.tenant}/open/")
    page.get_by_role("textbox", name="Reason").fill(REASON)
    page.get_by_role("button", name="Open").click()
    page.get_by_role("heading", name="Numbers").wait_for()

    for path in pages_of(operator_site, crew):
        looker.visit(site + path, path)
    page.goto(f"{site}tenants/{crew.house.tenant}/state/")
    page.get_by_role("textbox", name="Reason").fill(REASON)
    page.get_by_role("button", name="Suspend").click()
    page.get_by_role("status").get_by_text("suspended").wait_for()
    looker.look("suspended, with its message")
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("heading", name="You are signed out").wait_for()
    looker.look("signed out")

    assert looker.found == []
    assert len(looker.seen) > 12


WALK = """
() => {
  const element = document.activeElement;
  const style = getComputedStyle(element);
  const box = element.getBoundingClientRect();
  return {
    text: element.textContent.trim(),
    at_end: element === document.body,
    marked: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
    in_view: box.width > 0 && box.bottom > 0 && box.top < innerHeight,
    html: element.outerHTML.slice(0, 120),
  };
}
"""
REACHABLE = """
() => [...document.querySelectorAll(
    'a[href], button, input, select, textarea, summary, [tabindex]')]
  .filter(e => e.tabIndex >= 0 && !e.disabled && e.type !== 'hidden' && e.checkVisibility()
    && !(e.type === 'radio' && !e.checked)).length
"""


def walk(page: Page) -> None:
    """Tab by Tab from the top to the end of the page: all of it, each place marked and in view."""
    expected = page.evaluate(REACHABLE)
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Tab")
    first = page.evaluate(WALK)
    assert first["text"] == "Skip to main content"
    reached, here = 0, first
    while not here["at_end"] and reached < expected + 10:
        assert here["marked"], here["html"]
        assert here["in_view"], here["html"]
        reached += 1
        page.keyboard.press("Tab")
        here = page.evaluate(WALK)
    assert here["at_end"], "the keyboard is trapped"
    assert reached >= expected


@pytest.mark.parametrize(
    ("width", "path"), [(1280, "accounts/user/"), (320, "accounts/user/{}/change/")]
)
def test_the_keyboard_reaches_everything_and_gets_out_again(
    width: int, path: str, live_url: str, crew: Crew, page_factory: PageFactory
) -> None:
    page = page_factory("desktop", viewport={"width": width, "height": 800})
    site = f"{live_url}/admin/"
    sign_in(page, site, crew.house.admin, PASSWORD)

    page.goto(site + path.format(crew.house.rows["accounts/user"]))
    walk(page)

    page.goto(f"{site}accounts/user/")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content-start"


def test_the_first_page_is_small(live_url: str, crew: Crew, page_factory: PageFactory) -> None:
    """The stock administration needs 58 KB and ten requests for its index, packed."""
    page = page_factory("desktop")
    sizes: list[int] = []
    page.on("response", lambda answer: sizes.append(len(answer.body())))

    page.goto(f"{live_url}/admin/login/")
    page.wait_for_load_state("networkidle")

    assert len(sizes) <= 10
    assert sum(sizes) < 90_000


def test_the_browser_finds_what_is_wrong_on_a_bad_page(
    live_url: str, crew: Crew, looker: Looker
) -> None:
    looker.page.goto(f"{live_url}/admin/login/")
    looker.page.evaluate(
        "document.querySelector('label').remove();"
        "document.querySelector('h1').textContent = 'x'.repeat(40);"
        "document.querySelector('h1').className = 'unbroken';"
        "document.querySelector('main').appendChild(document.createElement('table'))"
        ".appendChild(document.createElement('img')).width = 900"
    )

    looker.look("a bad page")

    assert any("label" in line for line in looker.found)
    assert any("image-alt" in line for line in looker.found)
    assert any("wider than 320 px" in line for line in looker.found)
