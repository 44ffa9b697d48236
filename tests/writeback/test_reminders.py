"""People are told before their password in a directory ends: in time, once, in their language."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from pytest_django import Settings

from accounts.models import ContactPoint, GroupMember, User
from notifications.models import Message
from tenants.models import Group, GroupNesting, Tenant
from tests.cast import ALICE_EMAIL, Acme, make_person
from tests.resets.visitor import Clock
from tests.writeback.ending import december, marks, november, seen, switch_on, told, words
from tests.writeback.field import make_connector
from writeback.models import Connector, ExpiryReminders, Reminder
from writeback.services import reminders
from writeback.services.reminders import remind


@pytest.fixture
def bob(acme: Acme) -> list[tuple[str, str]]:
    """Where Bob is told."""
    with acme.inside():
        row = ContactPoint.objects.get(user=acme.bob)
        return [("email", row.read().reveal())]


def test_somebody_is_told_once_a_mark_and_once_more_at_the_next(
    acme: Acme, connector: Connector, bob: Any, clock: Clock
) -> None:
    seen(acme, acme.bob, connector, december(4))
    switch_on(acme)

    assert remind(clock.now) == 1
    assert told(acme) == bob
    clock.shift(hours=6)
    assert remind(clock.now) == 0
    clock.at(november(27))
    seen(acme, acme.bob, connector, december(4), at=clock.now)
    assert remind(clock.now) == 1
    assert marks(acme) == [(acme.bob.user_id, 7), (acme.bob.user_id, 14)]


def test_a_new_password_has_reminders_of_its_own(
    acme: Acme, connector: Connector, clock: Clock
) -> None:
    seen(acme, acme.bob, connector, november(21))
    switch_on(acme)
    assert remind(clock.now) == 1
    seen(acme, acme.bob, connector, november(21, 13))
    assert remind(clock.now) == 1


def test_nothing_goes_out_before_eight_and_it_does_after(
    acme: Acme, connector: Connector, clock: Clock, settings: Settings
) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    seen(acme, acme.bob, connector, november(21))
    switch_on(acme)

    assert remind(november(20, 6) + timedelta(minutes=59)) == 0
    assert remind(november(20, 7)) == 1


def disable(acme: Acme, connector: Connector) -> None:
    User.objects.filter(pk=acme.bob.pk).update(is_active=False)


def freeze(acme: Acme, connector: Connector) -> None:
    User.objects.filter(pk=acme.bob.pk).update(frozen_at=november(1))


def to_cloud(acme: Acme, connector: Connector) -> None:
    User.objects.filter(pk=acme.bob.pk).update(source="cloud")


def switch_off(acme: Acme, connector: Connector) -> None:
    Connector.objects.update(enabled=False)


def exclude_outer(acme: Acme, connector: Connector) -> None:
    """A group around the one Bob is in."""
    outer, inner = (Group.objects.create(name=name) for name in ("outer", "inner"))
    GroupNesting.objects.create(parent=outer, child=inner)
    GroupMember.objects.create(group=inner, user=acme.bob)
    ExpiryReminders.objects.update(groups_excluded=[str(outer.pk)])


def suspend(acme: Acme, connector: Connector) -> None:
    Tenant.objects.update(active=False)


def no_marks(acme: Acme, connector: Connector) -> None:
    ExpiryReminders.objects.update(days=[])


def not_wanted(acme: Acme, connector: Connector) -> None:
    ExpiryReminders.objects.all().delete()


@pytest.mark.parametrize(
    "change",
    [disable, freeze, to_cloud, switch_off, exclude_outer, suspend, no_marks, not_wanted],
)
def test_some_are_not_told(
    acme: Acme, connector: Connector, clock: Clock, change: Callable[[Acme, Connector], None]
) -> None:
    seen(acme, acme.bob, connector, november(21))
    switch_on(acme)
    with acme.inside():
        change(acme, connector)
    assert remind(clock.now) == 0
    assert marks(acme) == []


@pytest.mark.parametrize(
    ("ends", "at", "enabled"),
    [
        (None, november(20, 9), True),
        (november(20, 9), november(20, 8), True),
        (december(6), november(20, 9), True),
        (november(21), november(18, 9), True),
        (november(21), november(20, 9), False),
    ],
    ids=["never ends", "has ended", "is far away", "was not seen for days", "disabled there"],
)
def test_an_account_without_a_password_to_change_is_passed_over(
    acme: Acme, connector: Connector, clock: Clock, ends: Any, at: Any, enabled: bool
) -> None:
    seen(acme, acme.alice, connector, november(21))
    seen(acme, acme.bob, connector, ends, at=at, enabled=enabled)
    switch_on(acme)
    remind(clock.now)
    assert marks(acme) == [(acme.alice.user_id, 1)]


def test_members_of_other_groups_and_groups_that_are_gone_change_nothing(
    acme: Acme, connector: Connector, clock: Clock
) -> None:
    seen(acme, acme.bob, connector, november(21))
    with acme.inside():
        inner, outer = (Group.objects.create(name=name) for name in ("inner", "outer"))
        GroupNesting.objects.create(parent=outer, child=inner)
        GroupMember.objects.create(group=outer, user=acme.bob)
        gone = Group.objects.create(name="gone")
        ids = [str(inner.pk), str(gone.pk)]
        gone.delete()
    switch_on(acme, groups_excluded=ids)
    assert remind(clock.now) == 1


def test_people_who_registered_nothing_can_be_left_out(
    acme: Acme, connector: Connector, clock: Clock
) -> None:
    seen(acme, acme.eve, connector, november(21))
    seen(acme, acme.bob, connector, november(21))
    with acme.inside():
        mailbox = ContactPoint(user=acme.eve, kind="primary_email")
        mailbox.write("eve@acme.example", "eve@acme.example")
        mailbox.save()

    switch_on(acme, exclude_unregistered=True)
    remind(clock.now)
    assert marks(acme) == [(acme.bob.user_id, 1)]
    switch_on(acme)
    remind(clock.now)
    assert marks(acme) == [(acme.bob.user_id, 1), (acme.eve.user_id, 1)]


@pytest.mark.parametrize(
    ("channel", "channels"),
    [("email", ["email"]), ("sms", ["sms"]), ("both", ["email", "sms"])],
)
def test_the_organisation_chooses_the_channel(
    acme: Acme, connector: Connector, clock: Clock, channel: str, channels: list[str]
) -> None:
    seen(acme, acme.alice, connector, november(21))
    switch_on(acme, channel=channel)
    remind(clock.now)

    found = dict(told(acme))

    assert sorted(found) == channels
    assert found.get("sms", "+14255550101") == "+14255550101"
    assert found.get("email", ALICE_EMAIL) == ALICE_EMAIL


@pytest.mark.parametrize("number", ["none", "not among the countries"])
def test_without_a_number_that_may_be_written_to_a_mail_goes_instead(
    acme: Acme, connector: Connector, bob: Any, clock: Clock, number: str
) -> None:
    person = acme.bob
    if number != "none":
        person = acme.alice
        with acme.inside():
            acme.policy.phone_countries = ["DE"]
            acme.policy.save()
        bob = [("email", ALICE_EMAIL)]
    seen(acme, person, connector, november(21))
    switch_on(acme, channel="sms")
    remind(clock.now)
    assert told(acme) == bob


def test_somebody_with_two_directories_is_told_once_of_what_is_due_together(
    acme: Acme, connector: Connector, bob: Any, clock: Clock
) -> None:
    seen(acme, acme.bob, connector, november(26))
    seen(acme, acme.bob, make_connector(acme, "Branch"), november(25))
    switch_on(acme)

    assert remind(clock.now) == 1
    assert told(acme) == bob
    assert "25 November 2026, 12:00 UTC" in words(acme)["email"].subject
    assert marks(acme) == [(acme.bob.user_id, 7)] * 2


def test_the_mail_says_when_and_leads_to_changing_and_resetting(
    acme: Acme, connector: Connector, clock: Clock
) -> None:
    with acme.inside():
        acme.policy.writeback = True
        acme.policy.save()
    seen(acme, acme.alice, connector, november(21))
    switch_on(acme, channel="both")
    remind(clock.now)

    sent = words(acme)
    mail, text = sent["email"], sent["sms"].text

    assert mail.subject == "Your Acme password expires on 21 November 2026, 12:00 UTC"
    for part in (mail.text, mail.html):
        assert "Alice Adams" in part
        assert "/change-password/" in part
        assert "/reset/" in part
        assert "+1 4255550199" in part
    assert text.startswith("Acme: your password expires on 21 November 2026, 12:00 UTC. Change it:")
    assert text.endswith("/change-password/")
    assert mail.data["days"] == 1


def test_where_passwords_are_not_written_the_mail_leads_nowhere(
    acme: Acme, connector: Connector, clock: Clock
) -> None:
    seen(acme, acme.alice, connector, november(21))
    switch_on(acme, channel="both")
    remind(clock.now)

    sent = words(acme)

    for part in (sent["email"].text, sent["email"].html, sent["sms"].text):
        assert "/change-password/" not in part
        assert "/reset/" not in part
    assert "at a computer of your organisation" in sent["email"].text


@pytest.mark.parametrize(
    ("language", "subject"),
    [
        ("en", "Your Acme password expires on 21 November 2026, 12:00 UTC"),
        ("de", "Ihr Passwort bei Acme läuft am 21. November 2026, 12:00 UTC ab"),
        ("es", "Su contraseña de Acme caduca el 21 de noviembre de 2026, 12:00 UTC"),
        ("fr", "Votre mot de passe Acme expire le 21 novembre 2026, 12:00 UTC"),
        ("ar", "تنتهي صلاحية كلمة مرورك لدى Acme في 21 نوفمبر، 2026, 12:00 UTC"),
    ],
)
def test_everybody_is_told_in_their_language(
    acme: Acme, connector: Connector, clock: Clock, language: str, subject: str
) -> None:
    with acme.inside():
        User.objects.filter(pk=acme.bob.pk).update(language=language)
    seen(acme, acme.bob, connector, november(21))
    switch_on(acme)
    remind(clock.now)
    assert words(acme)["email"].subject == subject


def test_the_organisations_own_words_come_first_and_are_nothing_but_words(
    acme: Acme, connector: Connector, clock: Clock
) -> None:
    hostile = "Dear {name}, {days} left at {organisation}.\n{{ 7|add:7 }} <b>{date}</b>"
    with acme.inside():
        User.objects.filter(pk=acme.bob.pk).update(display_name="{date} <i>Bob</i>")
    seen(acme, acme.bob, connector, november(21))
    switch_on(acme, texts={"en": hostile, "de": "Hallo"})
    remind(clock.now)

    mail = words(acme)["email"]

    assert "Dear {date} <i>Bob</i>, 1 left at Acme.\n" in mail.text
    assert "{{ 7|add:7 }} <b>21 November 2026, 12:00 UTC</b>\n" in mail.text
    assert "<b>" not in mail.html
    assert "<i>" not in mail.html
    assert mail.text.index("Dear") < mail.text.index("Your Acme password expires")


def test_another_language_without_words_of_its_own_has_the_products(
    acme: Acme, connector: Connector, clock: Clock
) -> None:
    with acme.inside():
        User.objects.filter(pk=acme.bob.pk).update(language="fr")
    seen(acme, acme.bob, connector, november(21))
    switch_on(acme, texts={"en": "Own words"})
    remind(clock.now)
    assert "Own words" not in words(acme)["email"].text


def test_a_great_many_are_told_in_several_runs(
    acme: Acme, connector: Connector, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reminders, "BATCH", 2)
    with acme.inside():
        people = [make_person(f"p{number}", "acme.example") for number in range(5)]
    for person in people:
        seen(acme, person, connector, november(21))
    switch_on(acme)

    assert [remind(clock.now) for _ in range(4)] == [2, 2, 1, 0]
    assert len(told(acme)) == 5


def test_somebody_nobody_can_write_to_is_not_looked_at_again(
    acme: Acme, connector: Connector, clock: Clock
) -> None:
    with acme.inside():
        ContactPoint.objects.filter(user=acme.iris).delete()
    seen(acme, acme.iris, connector, november(21))
    switch_on(acme)
    assert remind(clock.now) == 0
    assert marks(acme) == [(acme.iris.user_id, 1)]


def test_the_database_itself_refuses_a_reminder_that_was_sent(
    acme: Acme, connector: Connector, clock: Clock
) -> None:
    link = seen(acme, acme.bob, connector, november(21))
    switch_on(acme)
    remind(clock.now)
    again = {"link": link, "day": 1, "password_ends": november(21), "sent_at": clock.now}
    with acme.inside(), pytest.raises(IntegrityError), transaction.atomic():
        Reminder.objects.create(**again)
    with acme.inside():
        assert Message.objects.filter(kind="password_ends_soon").count() == 1
