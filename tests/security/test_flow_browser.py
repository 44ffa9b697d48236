"""A-027, A-030: a cookie planted beforehand is worth nothing, and only POST changes anything."""

import pytest
from django.urls import get_resolver
from django.urls.resolvers import URLPattern

from tests.cast import NEW_PASSWORD, PASSWORD
from tests.security.lab.client import FLOW_COOKIE, Answer, Browser
from tests.security.lab.lab import Lab
from tests.security.lab.verdicts import journey_row
from tests.services.signed_in import prove_session

SESSION_COOKIE = "__Host-sspr_session"
OTHERS = ("HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "GET")
# Every address of the portal: what changes something by POST alone, what has a page of its own and
# takes a form too, and what only shows.
ONLY_POST = {"organisation", "choose", "send", "verify", "submit", "cancel", "rehearse"}
PAGE_AND_FORM = {"start", "help", "not_me", "sign_up", "invitation"}
ONLY_SHOWN = {"home", "wait", "flow", "theme", "waiting", "status", "operation"}


def _old_value(lab: Lab, browser: Browser, cookie: str) -> int:
    """What the page of the journey answers to an earlier cookie."""
    other = lab.browser()
    other.cookies, other.flow_path = {FLOW_COOKIE: cookie}, browser.flow_path
    return other.status().status


def test_a027_a_journeys_cookie_is_new_at_the_start_and_at_each_gate(lab: Lab) -> None:
    planted = f"{lab.acme.id.hex}.{'planted-' * 5}abc"
    person = lab.browser()
    person.cookies[FLOW_COOKIE] = planted

    person.start(lab.acme.bob.user_id)
    begun = person.cookies[FLOW_COOKIE]
    person.verify(lab.app_code(lab.acme.bob))
    proved = person.cookies[FLOW_COOKIE]

    assert len({planted, begun, proved}) == 3
    assert [_old_value(lab, person, value) for value in (planted, begun)] == [401, 401]
    assert _old_value(lab, person, proved) == 200
    assert len(proved.partition(".")[2]) >= 43


def test_a027_a_cookie_planted_in_the_victims_browser_opens_nothing_to_the_thief(lab: Lab) -> None:
    thief = lab.begun(lab.acme.bob.user_id)
    victim = lab.browser()
    victim.cookies[FLOW_COOKIE] = thief.cookies[FLOW_COOKIE]

    victim.start(lab.acme.alice.user_id)
    victim.choose("app_code")
    victim.verify(lab.app_code(lab.acme.alice))

    thief.flow_path = victim.flow_path
    assert thief.status().status == 401
    assert thief.submit(NEW_PASSWORD).status == 401
    assert lab.password_is(lab.acme.alice, PASSWORD)


def _sign_in(browser: Browser, user_id: str) -> Answer:
    browser.get("/admin/login/")
    fields = {"user_id": user_id, "password": PASSWORD, "next": ""}
    answer = browser.post("/admin/login/", fields, follow=False)
    prove_session(browser.cookies["__Host-sspr_session"])
    return answer


def test_a027_a_session_cookie_is_new_at_the_sign_in(lab: Lab) -> None:
    person, thief = lab.browser(), lab.browser()
    planted = f"{lab.acme.id.hex}.{'planted' * 5}"
    person.cookies[SESSION_COOKIE] = thief.cookies[SESSION_COOKIE] = planted

    assert _sign_in(person, lab.acme.carol.user_id).status == 302
    first = person.cookies[SESSION_COOKIE]
    again = person.twin()
    _sign_in(again, lab.acme.carol.user_id)

    assert len({planted, first, again.cookies[SESSION_COOKIE]}) == 3
    assert person.get("/admin/").status == 302  # its session ended when the same browser signed in
    assert thief.get("/admin/").status == 302
    assert again.get("/admin/").status == 200


def _portal() -> dict[str, str]:
    """Names and routes of the portal, from the map of addresses itself."""
    found = {}
    for entry in get_resolver("resets.portal.urls").url_patterns:
        assert isinstance(entry, URLPattern)
        found[str(entry.name)] = str(entry.pattern)
    return found


def _address_of(route: str, browser: Browser, lab: Lab) -> str:
    token = f"{lab.acme.id.hex}.{'t' * 43}"
    return "/" + route.replace("<uuid:flow>", str(browser.flow)).replace("<token:token>", token)


def test_a030_every_address_of_the_portal_is_known_to_this_case() -> None:
    assert set(_portal()) == ONLY_POST | PAGE_AND_FORM | ONLY_SHOWN


@pytest.mark.parametrize("kind", ["steps", "pages"])
def test_a030_no_other_verb_than_post_changes_anything(lab: Lab, kind: str) -> None:
    names = ONLY_POST if kind == "steps" else PAGE_AND_FORM | ONLY_SHOWN
    thief = lab.begun(lab.acme.bob.user_id)
    routes = {name: _address_of(_portal()[name], thief, lab) for name in names - {"theme"}}
    verbs = OTHERS if kind == "steps" else OTHERS[1:-1]
    before, events = journey_row(lab, thief), len(lab.trail())
    page = thief.shown

    for name, path in routes.items():
        for verb in verbs:
            thief.shown = page
            headers = {"X-CSRFToken": thief.token, "Origin": "null"}
            query = "?code=000000&new_password=Quiet-Harbour+7+Lanterns&method=email"
            answer = thief.request(verb, path + query, headers=headers)
            assert answer.status == 405, f"{verb} {name}"

    assert journey_row(lab, thief) == before
    assert len(lab.trail()) == events
    assert lab.messages() == []


def test_a030_looking_at_a_page_changes_nothing(lab: Lab) -> None:
    thief = lab.begun(lab.acme.bob.user_id)
    before, events, flows = journey_row(lab, thief), len(lab.trail()), lab.rows("resets_flow")

    for path in ("/", "/reset/", "/help/", thief.flow_path, f"{thief.flow_path}?other=1"):
        assert thief.request("GET", path).status == 200, path
        assert thief.request("HEAD", path).status in {200, 405}, path
    assert lab.browser().get("/reset/?user_id=alice@acme.example").status == 200

    assert journey_row(lab, thief) == before
    assert (len(lab.trail()), lab.rows("resets_flow")) == (events, flows)


def test_a030_signing_in_and_out_of_the_administration_is_done_by_post_alone(lab: Lab) -> None:
    person = lab.browser()
    _sign_in(person, lab.acme.carol.user_id)
    person.get("/admin/")
    for path in ("/admin/logout/", "/admin/login/"):
        for verb in OTHERS[1:-1]:
            headers = {"X-CSRFToken": person.token, "Origin": "null"}
            assert person.request(verb, path, headers=headers).status == 405, f"{verb} {path}"

    assert person.get("/admin/logout/").status == 405
    assert person.get("/admin/").status == 200
