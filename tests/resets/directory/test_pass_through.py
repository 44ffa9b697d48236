"""From a password that the directory calls expired to a new one, in one browser."""

import pytest

from tests.accounts.signin.people import browser, sign_in
from tests.cast import Acme
from tests.resets.directory.person import DONE, OLD, Person
from tests.resets.visitor import Clock
from tests.resets.walks import set_user
from tests.writeback.duty import Duty, says
from tests.writeback.field import FieldAgent


@pytest.mark.parametrize("answer", ["must_change", "expired"])
def test_somebody_whose_password_ran_out_signs_in_changes_it_and_goes_on(
    hybrid: Acme,
    agent: FieldAgent,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
) -> None:
    set_user(hybrid, hybrid.bob, source="pass_through")
    duty = Duty(agent)
    duty.takes_over(monkeypatch)
    duty.report = says(answer)
    person = Person(browser(hybrid), clock)
    wanted = "/sign-in/sessions/"
    with clock.running():
        signed = sign_in(person.client, hybrid.bob.user_id, OLD, next=wanted)
    assert signed.headers["Location"].startswith("/change-password/?next=")

    person.change(next=wanted)
    held = agent.do(DONE)
    done = person.page()

    assert (held.passwords.old, done.state) == (OLD, "done")
    assert wanted in done.links
    with clock.running():
        info = person.client.get("/security-info/")
    assert not info.headers.get("Location", "").startswith("/change-password/")
