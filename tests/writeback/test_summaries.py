"""Managers hear once a week whose passwords end soon: of their own people, and of nobody else."""

from datetime import timedelta
from typing import Any

import pytest

from accounts.models import User
from tests.cast import Acme, make_person
from tests.resets.visitor import Clock
from tests.writeback.ending import december, november, seen, switch_on, told, words
from writeback.models import Connector, Reminder
from writeback.services import summaries
from writeback.services.reminders import remind

KIND = "passwords_end_soon"
MONDAY = november(16).date()
LAST_MONDAY = november(9).date()


@pytest.fixture
def team(acme: Acme, connector: Connector) -> Acme:
    """Carol's people are Alice and Bob; Eve is Alice's. All their passwords end soon."""
    with acme.inside():
        User.objects.filter(pk__in=[acme.alice.pk, acme.bob.pk]).update(manager=acme.carol)
        User.objects.filter(pk=acme.eve.pk).update(manager=acme.alice)
        User.objects.filter(pk=acme.alice.pk).update(display_name="Alice\nAdams <b>")
    seen(acme, acme.bob, connector, november(27, 23))
    seen(acme, acme.alice, connector, november(24))
    seen(acme, acme.eve, connector, november(24))
    seen(acme, acme.oscar, connector, november(24))
    return acme


def weekly(acme: Acme, **values: object) -> None:
    switch_on(acme, days=[], managers_summary=True, week_done=LAST_MONDAY, **values)


def test_each_manager_is_told_of_their_own_people_only(team: Acme, clock: Clock) -> None:
    weekly(team)
    assert remind(clock.now) == 2
    assert told(team, KIND) == [("email", team.alice.user_id), ("email", team.carol.user_id)]


def test_the_mail_names_who_and_when_the_first_first(team: Acme, clock: Clock) -> None:
    with team.inside():
        User.objects.filter(pk=team.eve.pk).update(manager=None)
    weekly(team)
    remind(clock.now)

    mail = words(team, KIND)["email"]

    assert mail.subject.startswith("Acme: passwords of people who report to you expire")
    assert (
        "- Alice Adams <b>: 24 November 2026, 12:00 UTC\n- Bob Brown: 27 November 2026, 23:00 UTC\n"
    ) in mail.text
    assert "<b>" not in mail.html
    assert "Eve" not in mail.text + mail.html
    assert "More people" not in mail.text
    assert mail.data["count"] == 2


def test_a_week_has_one_summary_and_the_next_week_another(
    team: Acme, connector: Connector, clock: Clock
) -> None:
    weekly(team)
    assert [remind(clock.now), remind(clock.now + timedelta(days=1))] == [2, 0]
    monday = november(23)
    for person in (team.alice, team.bob, team.eve):
        seen(team, person, connector, november(25), at=monday)
    assert remind(monday) == 2


def test_what_ends_later_than_in_a_week_is_nobodys_news(
    team: Acme, connector: Connector, clock: Clock
) -> None:
    for person in (team.alice, team.bob, team.eve):
        seen(team, person, connector, november(28, 0))
    weekly(team)
    assert remind(clock.now) == 0


@pytest.mark.parametrize("change", ["not wanted", "gone", "frozen"])
def test_a_manager_who_is_not_here_is_not_told(team: Acme, clock: Clock, change: str) -> None:
    weekly(team)
    if change == "not wanted":
        switch_on(team, days=[], week_done=LAST_MONDAY)
    managers: dict[str, Any] = {"is_active": False}
    if change == "frozen":
        managers = {"frozen_at": clock.now}
    if change != "not wanted":
        with team.inside():
            User.objects.filter(pk__in=[team.carol.pk, team.alice.pk]).update(**managers)
    assert remind(clock.now) == 0


def test_a_great_many_people_are_counted_and_not_listed(
    team: Acme, connector: Connector, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(summaries, "MOST_LISTED", 1)
    weekly(team)
    remind(clock.now)

    text = words(team, KIND)["email"].text

    assert text.count("\n- ") == 1
    with team.inside():
        assert User.objects.filter(manager=team.carol).count() == 2


def test_the_longest_list_fits_into_a_message(
    acme: Acme, connector: Connector, clock: Clock
) -> None:
    with acme.inside():
        people = [
            make_person(f"p{number}", "acme.example", display_name="ü" * 200)
            for number in range(summaries.MOST_LISTED + 2)
        ]
        User.objects.filter(pk__in=[person.pk for person in people]).update(manager=acme.carol)
        User.objects.filter(pk=acme.carol.pk).update(language="ar")
    for person in people:
        seen(acme, person, connector, november(24))
    weekly(acme)
    assert remind(clock.now) == 1
    mail = words(acme, KIND)["email"]
    assert mail.data["more"] == 2
    assert "أشخاص آخرون: 2" in mail.text


def test_reminders_of_passwords_that_ended_long_ago_are_forgotten(
    acme: Acme, connector: Connector, clock: Clock
) -> None:
    link = seen(acme, acme.bob, connector, december(24))
    with acme.inside():
        for ends in (november(20) - timedelta(days=31), november(20) - timedelta(days=29)):
            Reminder.objects.create(link=link, day=1, password_ends=ends, sent_at=ends)
    weekly(acme)
    remind(clock.now)
    with acme.inside():
        assert Reminder.objects.count() == 1
