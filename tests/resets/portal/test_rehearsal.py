"""Testing one's own reset: everything is proved, nothing is changed."""

from pathlib import Path

import pytest
from django.conf import settings

from accounts.models import User
from resets.models import Flow
from tenants.models import Tenant
from tests.cast import Acme, app_code
from tests.resets.visitor import Clock, Page, Visitor, take_messages, trail, types
from tests.services.signed_in import session_key_of


@pytest.fixture
def resident(acme: Acme, clock: Clock) -> Visitor:
    return signed_in(acme, acme.bob, clock)


def signed_in(acme: Acme, user: User, clock: Clock) -> Visitor:
    visitor = Visitor(acme.host, clock)
    with clock.running():
        key = session_key_of(acme, user, proved=("app_code",), proved_at=clock.now)
    visitor.client.cookies[settings.SESSION_COOKIE_NAME] = key
    visitor.client.defaults["HTTP_SEC_FETCH_SITE"] = "same-origin"
    return visitor


def begin(visitor: Visitor) -> None:
    visitor.get("/security-info/")
    visitor.press("/test/")


def walk(visitor: Visitor, acme: Acme, clock: Clock, outbox_dir: Path) -> Page:
    """Proves both methods of Bob's; there is nothing to choose between."""
    visitor.fill(code=app_code(acme.bob, clock.now))
    visitor.fill(contact="bob@example.net")
    sent = take_messages(outbox_dir, clock.now)
    return visitor.fill(code=sent[0]["data"]["code"])


@pytest.mark.parametrize("disclosure", ["guided", "concealed"])
def test_a_rehearsal_asks_what_a_reset_asks_and_ends_before_the_password(
    acme: Acme, resident: Visitor, clock: Clock, outbox_dir: Path, disclosure: str
) -> None:
    with acme.inside():
        Tenant.objects.update(disclosure=disclosure)
        before = User.objects.get(pk=acme.bob.pk)
    begin(resident)
    page = walk(resident, acme, clock, outbox_dir)

    assert page.state == "done"
    assert "you could reset your password" in page.text
    assert "/security-info/" in page.links
    with acme.inside():
        flow = Flow.objects.get()
        after = User.objects.get(pk=acme.bob.pk)
    assert (flow.operation, flow.state) == ("rehearsal", "done")
    assert (after.password, after.session_epoch) == (before.password, before.session_epoch)
    assert after.rehearsed_at == clock.now
    found = types(trail(acme))
    assert "flow.rehearsed" in found
    assert "password.reset" not in found
    started = trail(acme, type="flow.started")
    assert [event.data["operation"] for event in started] == ["rehearsal"]


def test_no_password_is_taken_at_the_end_of_a_rehearsal(
    acme: Acme, resident: Visitor, clock: Clock, outbox_dir: Path
) -> None:
    begin(resident)
    flow = resident.flow
    walk(resident, acme, clock, outbox_dir)

    resident.post(f"/reset/{flow}/submit/", {"new_password": "Quiet-Harbour 7 Lanterns"})

    with acme.inside():
        assert Flow.objects.get(pk=flow).state == "done"
        assert User.objects.get(pk=acme.bob.pk).password_changed_at is None


def test_who_could_not_reset_is_shown_what_is_missing(acme: Acme, clock: Clock) -> None:
    visitor = signed_in(acme, acme.eve, clock)
    visitor.get("/security-info/register/")

    visitor.post("/security-info/test/", {})

    assert visitor.path == "/security-info/"
    with acme.inside():
        assert not Flow.objects.exists()


def test_a_rehearsal_is_for_who_is_signed_in(acme: Acme, clock: Clock) -> None:
    visitor = Visitor(acme.host, clock)
    visitor.get("/reset/")
    with clock.running():
        token = visitor.shown.form.values["csrfmiddlewaretoken"]
        answer = visitor.client.post(
            "/security-info/test/",
            {"csrfmiddlewaretoken": token},
            headers={"sec-fetch-site": "same-origin"},
        )

    assert answer.headers["Location"].startswith("/sign-in/")


def test_many_rehearsals_that_end_well_lock_nobody(
    acme: Acme, resident: Visitor, clock: Clock, outbox_dir: Path
) -> None:
    for _ in range(6):
        begin(resident)
        assert walk(resident, acme, clock, outbox_dir).state == "done"
        # A code of the app is good once.
        clock.shift(seconds=40)
