"""A-049, and what the harder captcha asks of whom."""

import base64
import json
from datetime import timedelta

import pytest
from django.utils import timezone

from resets import captcha
from tests.security.lab.captcha import challenge_of, solve
from tests.security.lab.client import Browser
from tests.security.lab.compare import assert_uniform
from tests.security.lab.extra_limits import count_of, from_many_addresses, statuses
from tests.security.lab.lab import Lab

NOBODY = "nobody1@acme.example"
HARD_WAIT = timedelta(seconds=31)


def _answered(host: str, *, seconds: int = 0) -> str:
    """A right proof of work for a challenge that was made `seconds` ago."""
    made = captcha.new_challenge(host, timezone.now() - timedelta(seconds=seconds))
    return solve(json.loads(made))


def _post(browser: Browser, user_id: str, **captcha_fields: str) -> int:
    browser.get("/reset/")
    return browser.post("/reset/", {"user_id": user_id, **captcha_fields}, follow=False).status


def test_a049_a_start_without_a_right_captcha_is_refused_and_looks_up_nobody(lab: Lab) -> None:
    browser, bob = lab.browser(), lab.acme.bob.user_id
    right = json.loads(base64.b64decode(_answered(lab.acme.host)))
    wrong = base64.b64encode(json.dumps({**right, "number": right["number"] + 1}).encode()).decode()

    assert _post(browser, bob) == 400
    assert _post(browser, bob, altcha=wrong) == 400
    assert _post(browser, bob, altcha=_answered(lab.acme.host, seconds=121)) == 400
    assert _post(browser, bob, altcha=_answered(lab.beta.host)) == 400
    assert _post(browser, bob, ticket=captcha.new_ticket(lab.beta.host, timezone.now())) == 400

    assert (lab.rows("resets_flow"), lab.trail()) == (0, [])
    assert _post(browser, bob, altcha=_answered(lab.acme.host, seconds=110)) == 303


def test_a049_a_captcha_answer_is_good_for_one_start_even_twenty_at_once(lab: Lab) -> None:
    browser, bob = lab.browser(), lab.acme.bob.user_id
    browser.get("/reset/")
    fields = {"user_id": bob, "altcha": _answered(lab.acme.host)}
    twins = [from_many_addresses(browser, number) for number in range(20)]

    answers = lab.at_once(
        [lambda twin=twin: twin.post("/reset/", fields, follow=False) for twin in twins]  # type: ignore[misc]  # bound now
    )

    assert sorted(statuses(answers)) == [303] + [400] * 19
    assert lab.rows("resets_flow") == 1
    assert _post(browser, bob, altcha=fields["altcha"]) == 400


@pytest.mark.parametrize("work", [True, False])
def test_a049_after_ten_starts_an_account_takes_the_harder_captcha_known_or_not(
    lab: Lab, work: bool
) -> None:
    walks = []
    for user_id in (lab.acme.eve.user_id, NOBODY):
        door = lab.browser()
        door.get("/reset/")
        for number in range(10):
            assert from_many_addresses(door, number).start(user_id).status == 303
        asked = from_many_addresses(door, 11)
        asked.walk.clear()
        again = asked.start(user_id)

        assert (again.status, again.page.state) == (200, "started")
        assert "Press Continue once more" in again.text
        assert challenge_of(again.text)["maxnumber"] == captcha.HARD_NUMBER
        fields = {"user_id": user_id}
        if work:
            fields["altcha"] = solve(challenge_of(again.text))
        else:
            made = timezone.now() - HARD_WAIT
            fields["ticket"] = captcha.new_ticket(lab.acme.host, made, hard=True)
        assert asked.post("/reset/", fields).status == 303
        assert asked.state == "refused"
        walks.append(asked.walk)

    assert_uniform(walks[0], walks[1], typed=(lab.acme.eve.user_id, NOBODY))
    # A start that was asked for more was none.
    assert count_of(lab.acme, "starts_by_person") == 2 * 11


def test_a049_without_javascript_the_harder_captcha_waits_half_a_minute(lab: Lab) -> None:
    browser = lab.browser()
    browser.get("/reset/")
    ticket = captcha.new_ticket(lab.acme.host, timezone.now() - timedelta(seconds=25), hard=True)

    waiting = browser.post("/reset/", {"user_id": NOBODY, "ticket": ticket})

    assert waiting.page.state == "waiting"
    assert 'content="30;' in waiting.text
    assert lab.rows("resets_flow") == 0


def test_a049_thirty_starts_of_an_account_a_day_are_the_end_even_of_the_harder_captcha(
    lab: Lab,
) -> None:
    door = lab.browser()
    door.get("/reset/")
    answers = []
    for number in range(31):
        made = timezone.now() - HARD_WAIT
        ticket = captcha.new_ticket(lab.acme.host, made, hard=True)
        visitor = from_many_addresses(door, number)
        fields = {"user_id": NOBODY, "ticket": ticket}
        answers.append(visitor.post("/reset/", fields, follow=False))

    assert statuses(answers) == [303] * 30 + [429]
    assert int(answers[-1].header("Retry-After")) > 0
