"""How often: tries, sends and starts; what a lock looks like and when it ends."""

from datetime import timedelta

import pytest

from resets.models import Flow
from tenants.models import Counter
from tests.cast import NEW_PASSWORD, PASSWORD, Acme, Beta, app_code, make_person
from tests.resets.conftest import Post
from tests.resets.visitor import Clock, Page, Visitor, get_flow_row, trail
from tests.resets.walks import (
    BOB_EMAIL,
    ask_for_mail,
    pass_app,
    pass_email,
    password_is,
    set_policy,
    to_password,
    wrong_code,
)


def _burn(visitor: Visitor, user_id: str, tries: int = 5) -> Page:
    visitor.start(user_id)
    for _ in range(tries):
        page = wrong_code(visitor)
    return page


def test_after_five_wrong_codes_the_person_is_locked_out_with_the_time_it_ends(
    acme: Acme, visitor: Visitor
) -> None:
    visitor.start(acme.bob.user_id)
    for left in (4, 3, 2, 1):
        page = wrong_code(visitor)
        assert (page.status, page.state) == (200, "proving")
        tries = "1 try left" if left == 1 else f"{left} tries left"
        assert f"You have {tries}" in page.text
    page = wrong_code(visitor)

    assert (page.status, page.state) == (429, "locked")
    assert "November 21, 2026" in page.text or "Nov. 21, 2026" in page.text
    assert "09:30 UTC" in page.text
    assert page.headers["Retry-After"] == str(24 * 3600)
    [locked] = trail(acme, type="flow.locked")
    assert locked.activity == "Blocked from self-service password reset"
    assert (locked.result, locked.reference) == ("success", page.reference)


def test_a_locked_out_person_can_not_prove_anything_even_with_the_right_code(
    acme: Acme, visitor: Visitor, clock: Clock
) -> None:
    _burn(visitor, acme.bob.user_id)
    clock.shift(hours=23, minutes=59)

    again = Visitor(acme.host, clock).start(acme.bob.user_id)

    assert (again.status, again.state) == (429, "locked")
    assert again.headers["Retry-After"] == "60"


def test_after_a_day_the_person_is_free(
    acme: Acme, visitor: Visitor, clock: Clock, post: Post
) -> None:
    _burn(visitor, acme.bob.user_id)
    clock.shift(hours=24, seconds=1)

    again = Visitor(acme.host, clock)
    to_password(again, acme.bob, post)

    assert again.fill(new_password=NEW_PASSWORD).state == "done"


def test_a_lock_of_the_reset_is_no_lock_of_the_sign_in(acme: Acme, visitor: Visitor) -> None:
    from accounts.signin.backend import TenantBackend

    _burn(visitor, acme.bob.user_id)

    with acme.inside():
        user = TenantBackend().authenticate(None, acme.bob.user_id, PASSWORD)
        assert user == acme.bob


def test_a_lock_of_one_person_is_no_lock_of_another(
    acme: Acme, visitor: Visitor, clock: Clock
) -> None:
    _burn(visitor, acme.bob.user_id)

    assert Visitor(acme.host, clock).start(acme.alice.user_id).state == "proving"


def test_the_lock_counts_over_journeys_and_methods(
    acme: Acme, visitor: Visitor, clock: Clock
) -> None:
    set_policy(acme, methods_required=1)
    for _ in range(2):
        browser = Visitor(acme.host, clock)
        browser.start(acme.bob.user_id)
        browser.fill(method="app_code")
        wrong_code(browser)
    for _ in range(2):
        visitor.start(acme.bob.user_id)
        ask_for_mail(visitor)
        wrong_code(visitor)
    visitor.start(acme.bob.user_id)
    ask_for_mail(visitor)

    assert (wrong_code(visitor).state) == "locked"


def test_a_reset_that_succeeds_starts_the_counters_afresh(
    acme: Acme, visitor: Visitor, clock: Clock, post: Post
) -> None:
    visitor.start(acme.bob.user_id)
    for _ in range(3):
        wrong_code(visitor)
    pass_app(visitor, acme.bob)
    pass_email(visitor, post)
    visitor.fill(new_password=NEW_PASSWORD)

    with acme.inside():
        names = set(Counter.objects.values_list("limit", flat=True))
    assert names.isdisjoint({"failed_proofs", "failed_method", "reset_attempts", "email_sends"})
    again = Visitor(acme.host, clock)
    clock.shift(seconds=60)
    again.start(acme.bob.user_id)
    for _ in range(4):
        assert wrong_code(again).state == "proving"


def test_failures_of_the_network_address_are_not_forgiven_by_success(
    acme: Acme, visitor: Visitor, post: Post
) -> None:
    from tenants.models import SharedCounter

    visitor.start(acme.bob.user_id)
    wrong_code(visitor)
    pass_app(visitor, acme.bob)
    pass_email(visitor, post)
    visitor.fill(new_password=NEW_PASSWORD)

    assert SharedCounter.objects.get(limit="failed_by_address").count == 1


def test_journeys_are_limited_to_five_an_hour(acme: Acme, clock: Clock) -> None:
    for number in range(6):
        browser = Visitor(acme.host, clock, address=f"192.0.2.{number}")
        page = browser.start(acme.alice.user_id)
        if number < 5:
            assert page.state == "proving"
            browser.fill(method="app_code")
            assert browser.fill(code=app_code(acme.alice, clock.now)).state == "proving"
            clock.shift(seconds=31)

    assert (page.state, page.status) == ("locked", 429)


def test_mails_to_one_person_are_limited(acme: Acme, clock: Clock, post: Post) -> None:
    set_policy(acme, methods_required=1)
    browser = Visitor(acme.host, clock)
    browser.start(acme.bob.user_id)
    ask_for_mail(browser)
    for _ in range(9):
        browser.get(f"/reset/{browser.flow}/?other=1")
        ask_for_mail(browser)
    assert len([message for message in post() if message["kind"] == "code"]) == 10

    browser.get(f"/reset/{browser.flow}/?other=1")
    page = ask_for_mail(browser)

    assert page.status == 429
    assert int(page.headers["Retry-After"]) > 0
    assert post() == []
    blocked = trail(acme, type="flow.blocked")
    assert blocked[0].activity == "Blocked from self-service password reset"
    assert blocked[0].data["limit"] == "email_sends"
    # The app still opens the door.
    browser.get(f"/reset/{browser.flow}/?other=1")
    browser.fill(method="app_code")
    assert browser.fill(code=app_code(acme.bob, clock.now)).state == "choosing"


def test_text_messages_are_limited_to_five(acme: Acme, clock: Clock, post: Post) -> None:
    set_policy(acme, methods_required=1)
    browser = Visitor(acme.host, clock)
    browser.start(acme.alice.user_id)
    pages = []
    for _ in range(6):
        browser.get(f"/reset/{browser.flow}/?other=1")
        pages.append(browser.fill(method="mobile_phone", contact="+1 4255550101", channel="sms"))

    assert [page.status for page in pages] == [200] * 5 + [429]
    assert len([message for message in post() if message["kind"] == "code"]) == 5


def test_one_number_gets_five_messages_whoever_registered_it(
    acme: Acme, clock: Clock, post: Post
) -> None:
    """Silently: over all people together nobody learns about the others."""
    from tests.cast import give_mobile

    set_policy(acme, methods_required=1)
    for number in range(6):
        with acme.inside():
            person = make_person(f"p{number}", acme.domain, licence=acme.subscription)
            give_mobile(person, "+1 4255550142")
        browser = Visitor(acme.host, clock)
        browser.start(person.user_id)
        page = browser.fill(contact="+1 4255550142", channel="sms")
        assert (page.status, page.form.typed) == (200, ["code"])

    assert len([message for message in post() if message["kind"] == "code"]) == 5


@pytest.mark.parametrize("known", [True, False])
def test_starts_from_one_address_are_limited(
    acme: Acme, beta: Beta, clock: Clock, known: bool
) -> None:
    user_id = acme.eve.user_id if known else "nobody@acme.example"
    hosts = (acme.host, beta.host)
    pages = []
    for number in range(21):
        browser = Visitor(hosts[number % 2], clock)
        browser.client.defaults["HTTP_X_FORWARDED_FOR"] = f"198.51.100.{number}"
        browser.client.defaults["HTTP_X_REAL_IP"] = f"198.51.100.{number}"
        browser.client.defaults["HTTP_FORWARDED"] = f"for=198.51.100.{number}"
        browser.client.defaults["HTTP_TRUE_CLIENT_IP"] = f"198.51.100.{number}"
        pages.append(browser.start(user_id))

    assert [page.status for page in pages] == [200] * 20 + [429]
    assert 0 < int(pages[-1].headers["Retry-After"]) <= 60
    assert "Too many tries" in pages[-1].text
    other = Visitor(acme.host, clock, address="192.0.2.99").start(user_id)
    assert other.status == 200
    clock.shift(seconds=61)
    assert Visitor(acme.host, clock).start(user_id).status == 200


def test_behind_a_trusted_proxy_its_clients_are_counted(
    acme: Acme, clock: Clock, settings: object
) -> None:
    settings.SSPR_TRUSTED_PROXIES = ["192.0.2.10"]  # type: ignore[attr-defined]  # pytest-django
    statuses = []
    for number in range(21):
        browser = Visitor(acme.host, clock)
        browser.client.defaults["HTTP_X_FORWARDED_FOR"] = f"203.0.113.7, 198.51.100.{number}"
        statuses.append(browser.start(acme.eve.user_id).status)

    assert statuses == [200] * 21


def test_one_address_asks_for_thirty_people_an_hour(acme: Acme, clock: Clock) -> None:
    statuses = []
    for number in range(31):
        clock.shift(seconds=5)
        statuses.append(Visitor(acme.host, clock).start(f"n{number}@acme.example").status)

    assert statuses == [200] * 30 + [429]


def test_a_person_is_started_thirty_times_a_day(acme: Acme, clock: Clock) -> None:
    statuses = []
    for number in range(31):
        browser = Visitor(acme.host, clock, address=f"192.0.2.{number}")
        statuses.append(browser.start(acme.eve.user_id, patient=number >= 10).status)

    assert statuses == [200] * 30 + [429]


@pytest.mark.parametrize("name", ["failed_proofs", "failed_method"])
def test_a_tenant_may_tighten_its_limits(acme: Acme, visitor: Visitor, name: str) -> None:
    set_policy(acme, limits={name: 2})

    visitor.start(acme.bob.user_id)
    pages = [wrong_code(visitor) for _ in range(2)]
    if pages[-1].state == "proving":
        pages.append(visitor.fill(code="000000"))

    assert pages[-1].state == "locked"
    assert password_is(acme, acme.bob, PASSWORD)


def test_a_tenant_can_not_loosen_its_limits(acme: Acme, visitor: Visitor) -> None:
    set_policy(acme, limits={"failed_proofs": 50, "failed_method": 50})

    assert _burn(visitor, acme.bob.user_id).state == "locked"


def test_wrong_contacts_lock_like_wrong_codes(acme: Acme, visitor: Visitor, post: Post) -> None:
    visitor.start(acme.bob.user_id)
    pass_app(visitor, acme.bob)
    for number in range(5):
        page = ask_for_mail(visitor, f"guess{number}@example.net")
        if page.state == "proving":
            visitor.get(f"/reset/{visitor.flow}/?other=1")
    page = ask_for_mail(visitor, BOB_EMAIL) if page.state == "proving" else page

    assert (page.state, page.status) == ("locked", 429)
    assert [message["kind"] for message in post()] == ["blocked_notice"]


def test_unknown_people_are_counted_like_known_ones(acme: Acme, clock: Clock) -> None:
    from tests.resets.walks import set_tenant

    set_tenant(acme, disclosure="concealed")
    outcomes = []
    for user_id in (acme.bob.user_id, "nobody@acme.example"):
        browser = Visitor(acme.host, clock)
        browser.start(user_id)
        browser.fill(method="app_code")
        outcomes.append([wrong_code(browser).status for _ in range(5)])

    assert outcomes[0] == outcomes[1] == [200, 200, 200, 200, 429]


def test_a_journey_that_was_locked_stays_so(acme: Acme, visitor: Visitor, clock: Clock) -> None:
    _burn(visitor, acme.bob.user_id)

    page = visitor.post(f"/reset/{visitor.flow}/verify/", {"code": app_code(acme.bob, clock.now)})

    assert (page.state, page.status) == ("locked", 429)
    assert get_flow_row(acme, visitor.flow).blocked_until == clock.now + timedelta(days=1)
    with acme.inside():
        assert Flow.objects.get(pk=visitor.flow).gates.count() == 0
