"""What everybody sees who may not reset: in guided mode one page, in concealed mode everybody's."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from resets import captcha
from tests.cast import ALICE_EMAIL, Acme, Beta, give_app, make_group
from tests.resets.conftest import Post
from tests.resets.visitor import Clock, Page, Visitor, get_flow_row, trail, types
from tests.resets.walks import right_code, set_policy, set_tenant, set_user

UNKNOWN = "nobody@acme.example"
_MASKS = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}"), "FLOW"),
    (re.compile(r'name="csrfmiddlewaretoken" value="[^"]+"'), "CSRF"),
    (re.compile(r"\b[2-9A-Z]{4}-[2-9A-Z]{4}\b"), "REFERENCE"),
)


def masked(page: Page) -> str:
    text = page.text
    for pattern, word in _MASKS:
        text = pattern.sub(word, text)
    return text


def shape(page: Page) -> tuple[int, str, dict[str, str]]:
    headers = {name: value for name, value in page.headers.items() if name != "Content-Length"}
    return page.status, masked(page), headers


def _everybody(acme: Acme) -> dict[str, Callable[[], str]]:
    def outside() -> str:
        with acme.inside():
            group = make_group("pilot", (acme.alice,))
        set_policy(acme, enabled="selected", group=group)
        return str(acme.bob.user_id)

    return {
        "unknown_user": lambda: UNKNOWN,
        "disabled": lambda: acme.dave.user_id,
        "SSPR_0012": lambda: acme.oscar.user_id,
        "SSPR_0014": lambda: acme.eve.user_id,
        "SSPR_0013": outside,
    }


REASONS = ("unknown_user", "disabled", "SSPR_0012", "SSPR_0014", "SSPR_0013")


@pytest.mark.parametrize("reason", REASONS)
def test_everybody_who_may_not_reset_gets_one_page(
    acme: Acme, visitor: Visitor, clock: Clock, post: Post, reason: str
) -> None:
    wanted = Visitor(acme.host, clock).start("somebody.else@acme.example")

    page = visitor.start(_everybody(acme)[reason]())

    assert (page.state, page.status, page.reason) == ("refused", 200, None)
    assert shape(page) == shape(wanted)
    assert page.reference
    assert post() == []
    [refused] = trail(acme, type="flow.refused", reference=page.reference)
    assert (refused.result, refused.reason) == ("failure", reason)
    assert get_flow_row(acme, visitor.flow).reason == reason


@pytest.mark.parametrize("reason", REASONS)
def test_the_reason_is_shown_only_where_the_tenant_reveals_it(
    acme: Acme, visitor: Visitor, reason: str
) -> None:
    set_tenant(acme, reveal_reason=True)

    page = visitor.start(_everybody(acme)[reason]())

    assert page.reason == reason
    assert reason in page.text


def test_a_switched_off_tenant_refuses_members_with_the_same_page(
    acme: Acme, visitor: Visitor, clock: Clock
) -> None:
    unknown = Visitor(acme.host, clock).start(UNKNOWN)
    set_policy(acme, enabled="none")

    page = visitor.start(acme.bob.user_id)

    assert shape(page) == shape(unknown)
    assert trail(acme, type="flow.refused", reference=page.reference)[0].reason == "SSPR_0009"


def test_a_refused_journey_takes_no_step(acme: Acme, visitor: Visitor, post: Post) -> None:
    visitor.start(acme.dave.user_id)
    flow = visitor.flow

    answers = [
        visitor.post(f"/reset/{flow}/choose/", {"method": "app_code"}),
        visitor.post(f"/reset/{flow}/verify/", {"code": "123456"}),
        visitor.post(f"/reset/{flow}/send/", {}),
        visitor.post(f"/reset/{flow}/submit/", {"new_password": "Quiet-Harbour 7 Lanterns"}),
        visitor.post(f"/reset/{flow}/cancel/", {}),
    ]

    assert {page.state for page in answers} <= {"refused", "gone"}
    assert get_flow_row(acme, flow).state == "refused"
    assert post() == []


def test_on_the_shared_host_an_unknown_organisation_gets_the_refusal_too(
    acme: Acme, beta: Beta, clock: Clock
) -> None:
    shared = Visitor("localhost", clock)

    page = shared.start("anybody@nowhere.example")

    assert (page.state, page.status) == ("refused", 200)
    assert "Acme" not in page.text
    assert "BETA-CANARY" not in page.text


def test_a_personal_account_is_told_where_its_password_is_kept(
    acme: Acme, visitor: Visitor
) -> None:
    page = visitor.start("petra@mail.example")

    assert page.state == "refused"
    assert "personal account" in page.text


# --- Concealed ----------------------------------------------------------------------------------


def _walk(visitor: Visitor, user_id: str, contact: str) -> list[tuple[object, int]]:
    """Every step up to the lock: what is seen, and how many statements it took."""
    steps: list[tuple[object, int]] = []

    def step(act: Callable[[], Page]) -> None:
        with CaptureQueriesContext(connection) as queries:
            page = act()
        steps.append((shape(page), len(queries)))

    visitor.get("/reset/")
    with visitor.clock.running():
        ticket = captcha.new_ticket(visitor.host, visitor.clock.now - timedelta(seconds=4))
    step(lambda: visitor.fill(user_id=user_id, ticket=ticket))
    step(lambda: visitor.get(visitor.path))
    step(lambda: visitor.fill(method="app_code"))
    step(lambda: visitor.get(f"{visitor.path}?other=1"))
    step(lambda: visitor.fill(method="mobile_phone", contact="+1 4255550177"))
    step(lambda: visitor.get(f"{visitor.path}?other=1"))
    step(lambda: visitor.fill(method="email", contact=contact))
    visitor.clock.shift(seconds=31)
    step(lambda: visitor.press("/send/"))
    for _ in range(3):
        code = f"{(int(right_code(visitor)) + 1) % 1_000_000:06d}"
        step(lambda code=code: visitor.fill(code=code))  # type: ignore[misc]  # bound now
    step(lambda: visitor.get(f"/reset/{visitor.flow}/"))
    visitor.clock.shift(seconds=-31)
    return steps


@pytest.mark.parametrize("required", [1, 2])
def test_a_concealing_tenant_shows_everybody_the_same_way(
    acme: Acme, clock: Clock, post: Post, required: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenants.front.KEPT_SECONDS", 3600)
    set_tenant(acme, disclosure="concealed")
    set_policy(acme, methods_required=required)
    with acme.inside():
        make_group("warm the caches")
    _walk(Visitor(acme.host, clock), "warm@acme.example", "x@example.net")
    unknown = _walk(Visitor(acme.host, clock), UNKNOWN, "x@example.net")
    names = ["dave", "oscar", "eve", "bob", "alice", "carol"]
    everybody = [f"{name}@acme.example" for name in names] + ["petra@mail.example"]

    walks = {
        user_id: _walk(Visitor(acme.host, clock), user_id, "x@example.net") for user_id in everybody
    }

    for user_id, steps in walks.items():
        assert [seen for seen, _ in steps] == [seen for seen, _ in unknown], user_id
        assert [count for _, count in steps] == [count for _, count in unknown], user_id
    assert unknown[-1][0][0] == 429  # type: ignore[index]  # the shape of a page
    clock.shift(seconds=60)
    sent = {message["kind"]: message["to"] for message in post()}
    # Real people are told that their tries were used up, at an address that is on file.
    assert sent.keys() == {"unregistered_hint", "blocked_notice"}
    assert UNKNOWN not in sent.values()


def test_nothing_goes_to_an_address_that_is_not_on_file(
    acme: Acme, visitor: Visitor, post: Post
) -> None:
    set_tenant(acme, disclosure="concealed")

    visitor.start(UNKNOWN)
    visitor.fill(method="email", contact="somebody@example.net")

    assert visitor.shown.form.typed == ["code"]
    assert post() == []


def test_questions_too_are_asked_of_everybody(acme: Acme, visitor: Visitor, clock: Clock) -> None:
    set_tenant(acme, disclosure="concealed")

    visitor.start(UNKNOWN)
    unknown = visitor.fill(method="security_questions")
    alice = Visitor(acme.host, clock)
    alice.start(acme.alice.user_id)
    hers = alice.fill(method="security_questions")

    assert unknown.form.typed == hers.form.typed == ["answer_1", "answer_2", "answer_3"]
    again = visitor.fill(answer_1="one two", answer_2="three", answer_3="four five")
    assert (again.status, again.state) == (200, "proving")
    assert "Not every answer is right" in again.text


def test_the_lock_of_somebody_who_exists_looks_like_the_lock_of_nobody(
    acme: Acme, clock: Clock
) -> None:
    set_tenant(acme, disclosure="concealed")
    pages = []
    for user_id in (acme.bob.user_id, UNKNOWN):
        _walk(Visitor(acme.host, clock), user_id, "x@example.net")
        again = Visitor(acme.host, clock)
        pages.append(
            [shape(again.start(user_id)), shape(again.fill(method="email", contact="y@z.example"))]
        )

    assert pages[0] == pages[1]
    assert pages[0][1][0] == 429


def test_somebody_who_registered_nothing_learns_it_by_mail_once_a_day(
    acme: Acme, visitor: Visitor, clock: Clock, post: Post
) -> None:
    set_tenant(acme, disclosure="concealed")

    visitor.start(acme.eve.user_id)
    assert [(m["kind"], m["to"]) for m in post()] == [("unregistered_hint", "eve@acme.example")]
    Visitor(acme.host, clock).start(acme.eve.user_id)
    assert post() == []
    clock.shift(hours=25)
    Visitor(acme.host, clock).start(acme.eve.user_id)
    assert len(post()) == 1


def test_a_concealed_journey_of_somebody_who_may_ends_well(
    acme: Acme, visitor: Visitor, clock: Clock, post: Post
) -> None:
    set_tenant(acme, disclosure="concealed")
    visitor.start(acme.alice.user_id)

    visitor.fill(method="email", contact=ALICE_EMAIL)
    visitor.fill(code=right_code(visitor))
    assert "email" not in visitor.shown.form.choices["method"]
    visitor.fill(method="app_code")
    visitor.fill(code=right_code(visitor))
    page = visitor.fill(new_password="Quiet-Harbour 7 Lanterns")

    assert page.state == "done"
    assert "password.reset" in types(trail(acme))


@pytest.mark.parametrize(
    ("first", "second"),
    [("email", "security_questions"), ("mobile_phone", "office_phone")],
)
def test_a_proof_that_does_not_stand_beside_the_first_never_passes(
    acme: Acme, visitor: Visitor, post: Post, first: str, second: str
) -> None:
    """A concealing tenant shows all its ways; those that hang on the same thing lead nowhere."""
    from accounts.models import ContactPoint
    from tests.cast import QUESTIONS, give_office

    set_tenant(acme, disclosure="concealed")
    with acme.inside():
        ContactPoint.objects.filter(user=acme.alice, kind="office_phone").delete()
        give_office(acme.alice, "+1 4255550101x9")
    contacts = {
        "email": ALICE_EMAIL,
        "mobile_phone": "+1 4255550101",
        "office_phone": "+14255550101",
    }
    visitor.start(acme.alice.user_id)
    visitor.fill(method=first, contact=contacts[first])
    visitor.fill(code=right_code(visitor))
    post()

    visitor.fill(method=second, contact=contacts.get(second, ""))
    if second == "security_questions":
        with acme.inside():
            from resets.models import Challenge

            asked = Challenge.objects.get(flow=visitor.flow, dead=False, used_at=None).questions
        answers = {f"answer_{n}": QUESTIONS.get(q, "no idea") for n, q in enumerate(asked, 1)}
        page = visitor.fill(**answers)
    else:
        page = visitor.fill(code=right_code(visitor))

    assert (page.status, page.state) == (200, "proving")
    assert post() == []
    assert get_flow_row(acme, visitor.flow).gates_required == 2
    page = visitor.get(f"/reset/{visitor.flow}/?other=1")
    visitor.fill(method="app_code")
    assert visitor.fill(code=right_code(visitor)).state == "choosing"


def test_a_frozen_account_is_refused_like_a_disabled_one(
    acme: Acme, visitor: Visitor, clock: Clock
) -> None:
    unknown = Visitor(acme.host, clock).start(UNKNOWN)
    set_user(acme, acme.bob, frozen_at=clock.now)

    page = visitor.start(acme.bob.user_id)

    assert shape(page) == shape(unknown)
    assert get_flow_row(acme, visitor.flow).reason == "disabled"


def test_an_app_that_is_not_confirmed_is_no_proof(acme: Acme, visitor: Visitor) -> None:
    with acme.inside():
        give_app(acme.eve)
        acme.eve.authenticatordevice_set.update(confirmed=False)
    set_policy(acme, methods_required=1)

    assert visitor.start(acme.eve.user_id).state == "refused"
