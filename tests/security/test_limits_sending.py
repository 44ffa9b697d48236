"""A-057…A-059: money and mailboxes. Who is refused a message sees the page of everybody else."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from tenants.counters import Count, count_up
from tenants.limits import LIMITS
from tests.cast import give_email, give_mobile, make_person
from tests.resets.walks import set_policy
from tests.security.lab.client import Answer, Browser
from tests.security.lab.compare import assert_uniform
from tests.security.lab.extra_limits import age_counters, statuses
from tests.security.lab.lab import Lab

SENDING = "tenant.sending_suspected"
GERMAN, PREMIUM, SATELLITE = "+49 15112345678", "+1 9005550101", "+883 510012345678"


def _person(lab: Lab, name: str, number: str, *, beta: bool = False) -> Browser:
    """A browser on the journey of a new person whose only proof is this number."""
    home = lab.beta if beta else lab.acme
    with home.inside():
        person = make_person(name, home.domain, licence=home.subscription)
        give_mobile(person, number)
    return lab.begun(person.user_id, host=home.host)


def _hints(*numbers: str) -> list[str]:
    """The end of each number, as far as its owner is shown it."""
    return [f"•{number[-2:]}" for number in numbers]


def _ask(browser: Browser, number: str) -> Browser:
    browser.walk.clear()
    browser.choose("mobile_phone", number, "sms")
    return browser


@pytest.mark.parametrize(
    ("number", "countries", "cause"),
    [
        (GERMAN, ["US"], "country"),
        (PREMIUM, [], "premium_rate"),
        (PREMIUM, ["US"], "premium_rate"),
        (SATELLITE, [], "no_country"),
    ],
)
def test_a057_numbers_that_cost_too_much_get_nothing_and_look_the_same(
    lab: Lab, number: str, countries: list[str], cause: str
) -> None:
    lab.policy(methods_required=1, phone_countries=countries)
    usual = _ask(_person(lab, "usual", "+1 4255550142"), "+1 4255550142")
    dear = _ask(_person(lab, "dearr", number), number)
    again = _ask(_person(lab, "other", number), number)

    assert_uniform(usual.walk, dear.walk, typed=_hints("+1 4255550142", number))
    assert [message["to"] for message in lab.messages()] == ["+14255550142"]
    [alert] = lab.trail(type=SENDING)
    assert alert.data == {"cause": cause, "channel": "sms"}
    assert again.state == "proving"
    age_counters(timedelta(hours=1))
    _ask(again, number)
    assert len(lab.trail(type=SENDING)) == 2


def test_a057_without_a_list_every_country_gets_its_code(lab: Lab) -> None:
    lab.policy(methods_required=1)

    _ask(_person(lab, "german", GERMAN), GERMAN)

    assert [message["to"] for message in lab.messages()] == ["+4915112345678"]
    assert lab.trail(type=SENDING) == []


def test_a057_the_eleventh_message_to_neighbouring_numbers_in_an_hour_is_dropped(lab: Lab) -> None:
    lab.policy(methods_required=1)
    walks = []
    with transaction.atomic():
        for _ in range(8):
            count_up([Count(LIMITS["sends_to_prefix"], "+1425555")], timezone.now())
    for place in range(4):
        number = f"+1 42555501{place:02d}"
        walks.append(_ask(_person(lab, f"p{place:02d}", number), number).walk)

    assert len(lab.messages()) == 2
    assert_uniform(walks[0], walks[3], typed=_hints("+1 4255550100", "+1 4255550103"))
    [alert] = lab.trail(type=SENDING)
    assert alert.data == {"cause": "prefix", "channel": "sms"}
    other = "+1 2065550123"
    _ask(_person(lab, "elsewhere", other), other)
    assert [message["to"] for message in lab.messages()] == ["+12065550123"]


def test_a058_one_number_gets_five_messages_a_day_over_all_tenants(lab: Lab) -> None:
    lab.leave_alone()
    number, walks = "+1 4255550142", []
    for organisation in (lab.acme, lab.beta):
        set_policy(organisation, methods_required=1)
    for place in range(6):
        person = _person(lab, f"p{place}", number, beta=place % 2 == 1)
        walks.append(_ask(person, number).walk)

    assert len(lab.messages()) == 5
    assert statuses([walk[0] for walk in walks]) == [303] * 6
    assert_uniform(walks[3], walks[5], typed=("beta",))
    assert lab.trail(type=SENDING) == lab.trail(lab.beta, type=SENDING) == []


def test_a059_ten_mails_in_ten_minutes_over_several_journeys_then_no_more(lab: Lab) -> None:
    lab.policy(methods_required=1)
    with lab.acme.inside():
        person = make_person("mailed", lab.acme.domain, licence=lab.acme.subscription)
        give_email(person, "mailed@example.net")
    answers: list[Answer] = []
    for _ in range(3):
        browser = lab.begun(person.user_id)
        for _ in range(4):
            if len(answers) < 11:
                answers.append(browser.choose("email", "mailed@example.net"))

    assert statuses(answers) == [303] * 10 + [429]
    assert int(answers[-1].header("Retry-After")) > 600
    assert len([m for m in lab.messages() if m["kind"] == "code"]) == 10
    [blocked] = lab.trail(type="flow.blocked")
    assert blocked.data["limit"] == "email_sends"
