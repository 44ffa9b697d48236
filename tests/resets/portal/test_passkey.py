"""A passkey as a gate of the journey, form by form."""

from collections.abc import Iterator
from typing import Any

import pytest

from accounts.models import Credential, User
from resets.models import Challenge
from tenants.keys import forget_keys
from tests.cast import NEW_PASSWORD, Acme
from tests.resets.conftest import Post
from tests.resets.visitor import Clock, Page, Visitor, trail, types
from tests.resets.walks import gates_of, password_is, set_policy, set_tenant
from tests.services.softkey import SoftKey, challenge_of, give_passkey, own_assertion

SITE = "http://acme.sspr.test"
WAYS = ["passkey", "email", "app_code"]


@pytest.fixture
def bob(acme: Acme) -> User:
    """Bob, with a passkey of acme's own host, in a tenant that takes one proof."""
    set_policy(acme, methods=WAYS, methods_required=1)
    with acme.inside():
        give_passkey(acme.bob, SITE)
    return acme.bob


@pytest.fixture(autouse=True)
def _fresh_keys() -> Iterator[None]:
    forget_keys()
    yield
    forget_keys()


def _asked(visitor: Visitor, user_id: str) -> Page:
    visitor.start(user_id)
    return visitor.fill(method="passkey")


def _signed(visitor: Visitor, acme: Acme, user: User, **bent: Any) -> str:
    with acme.inside():
        return own_assertion(user, SITE, challenge_of(visitor.shown.options), **bent)


def test_a_passkey_opens_the_gate_and_nothing_but_names_is_typed(
    visitor: Visitor, acme: Acme, bob: User
) -> None:
    page = _asked(visitor, bob.user_id)
    assert (page.state, "allowCredentials" in page.options) == ("proving", True)

    page = visitor.fill(assertion=_signed(visitor, acme, bob))

    assert page.state == "choosing"
    assert [gate.method for gate in gates_of(acme, visitor)] == ["passkey"]
    assert visitor.fill(new_password=NEW_PASSWORD).state == "done"
    assert password_is(acme, bob, NEW_PASSWORD)
    assert visitor.typed == ["user_id", "new_password"]


def test_after_a_wrong_one_another_challenge_is_asked(
    visitor: Visitor, acme: Acme, bob: User
) -> None:
    first = _asked(visitor, bob.user_id)
    right = _signed(visitor, acme, bob)

    page = visitor.fill(assertion=_signed(visitor, acme, bob, flags=0x01))

    assert (page.status, page.state) == (200, "proving")
    assert "That passkey did not work here" in page.text
    assert "4 tries left" in page.text
    assert challenge_of(page.options) != challenge_of(first.options)
    assert "That passkey did not work here" in visitor.fill(assertion=right).text
    assert visitor.fill(assertion=_signed(visitor, acme, bob)).state == "choosing"


@pytest.mark.parametrize(
    ("typed", "status"), [("", 400), ("{}", 400), ("[" * 4000, 400), ("x" * 4097, 400)]
)
def test_what_is_no_assertion_is_refused_and_costs_nothing(
    visitor: Visitor, acme: Acme, bob: User, typed: str, status: int
) -> None:
    _asked(visitor, bob.user_id)

    page = visitor.fill(assertion=typed)

    assert page.status == status
    with acme.inside():
        assert Challenge.objects.get(flow__user=bob).tries == 0


def test_an_assertion_of_another_journey_of_the_same_person_is_wrong(
    visitor: Visitor, acme: Acme, bob: User, clock: Clock
) -> None:
    other = Visitor(acme.host, clock)
    _asked(other, bob.user_id)
    _asked(visitor, bob.user_id)

    page = visitor.fill(assertion=_signed(other, acme, bob))

    assert "That passkey did not work here" in page.text
    assert gates_of(acme, visitor) == []


def test_a_lost_reply_is_given_once_more_for_the_same_assertion_only(
    visitor: Visitor, acme: Acme, bob: User
) -> None:
    _asked(visitor, bob.user_id)
    path, cookie = visitor.path, visitor.client.cookies["sspr_flow"].value
    text, another = _signed(visitor, acme, bob), _signed(visitor, acme, bob)
    verify = visitor.shown.form.action
    visitor.fill(assertion=text)

    visitor.client.cookies["sspr_flow"] = cookie
    stranger = visitor.post(verify, {"assertion": another})
    visitor.client.cookies["sspr_flow"] = cookie
    again = visitor.post(verify, {"assertion": text})

    assert (stranger.status, again.state) == (401, "choosing")
    assert visitor.path == path
    assert len(gates_of(acme, visitor)) == 1


def test_a_counter_that_went_back_stands_in_the_trail_and_in_the_post(
    visitor: Visitor, acme: Acme, bob: User, post: Post
) -> None:
    with acme.inside():
        Credential.objects.filter(user=bob).update(counter=9)
    _asked(visitor, bob.user_id)

    page = visitor.fill(assertion=_signed(visitor, acme, bob, counter=8))

    assert "That passkey did not work here" in page.text
    [failed] = trail(acme, type="flow.verification_failed")
    assert failed.data["cause"] == "counter"
    [alert] = trail(acme, type="method.copy_suspected")
    assert (alert.reference, alert.address) == (page.reference, "192.0.2.10")
    [mail] = post()
    assert (mail["kind"], mail["to"]) == ("passkey_refused", "bob@example.net")
    assert "Test key" in mail["text"]


def test_a_removed_passkey_voids_its_gate(visitor: Visitor, acme: Acme, bob: User) -> None:
    _asked(visitor, bob.user_id)
    visitor.fill(assertion=_signed(visitor, acme, bob))
    with acme.inside():
        Credential.objects.filter(user=bob).delete()

    page = visitor.fill(new_password=NEW_PASSWORD)

    assert page.state == "proving"
    assert not password_is(acme, bob, NEW_PASSWORD)


def test_two_passkeys_of_a_person_are_one_gate(visitor: Visitor, acme: Acme, bob: User) -> None:
    set_policy(acme, methods_required=2)
    with acme.inside():
        give_passkey(bob, SITE, key=SoftKey.of(bob, "second"))
    _asked(visitor, bob.user_id)

    page = visitor.fill(assertion=_signed(visitor, acme, bob))

    assert page.state == "proving"
    assert "passkey" not in page.form.choices.get("method", [])


def test_in_a_concealing_tenant_nobodys_page_is_somebodys(
    visitor: Visitor, acme: Acme, bob: User, clock: Clock
) -> None:
    set_tenant(acme, disclosure="concealed")
    nobody = Visitor(acme.host, clock)
    shown = []
    for who, browser in ((bob.user_id, visitor), ("nobody@acme.example", nobody)):
        page = _asked(browser, who)
        hidden = (page.options, page.reference, str(browser.flow))
        text = page.text.replace(page.form.values["csrfmiddlewaretoken"], "")
        for part in (challenge_text(page), *hidden[1:]):
            text = text.replace(part, "")
        shown.append("".join(line for line in text.splitlines() if "csrf" not in line))

    assert shown[0] == shown[1]
    text = _signed(nobody, acme, bob)
    assert "That passkey did not work here" in nobody.fill(assertion=text).text
    assert visitor.fill(assertion=_signed(visitor, acme, bob)).state == "choosing"


def challenge_text(page: Page) -> str:
    return page.options.partition('"challenge": "')[2].partition('"')[0]


def test_somebody_whose_passkeys_are_all_of_another_host_is_offered_other_ways(
    visitor: Visitor, acme: Acme, bob: User
) -> None:
    with acme.inside():
        Credential.objects.filter(user=bob).update(site="elsewhere.example")

    page = visitor.start(bob.user_id)

    assert page.state == "proving"
    assert "passkey" not in page.form.choices["method"]
    assert types(trail(acme, type="flow.denied")) == []
