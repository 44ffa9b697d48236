"""How people are reminded is seen and changed on the site, and so is who was and what failed."""

from collections.abc import Mapping
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from accounts.models import ContactPoint
from notifications.models import Message
from tenants.invalid import Invalid
from tenants.models import Group
from tests.cast import Acme, Beta
from tests.resets.visitor import Clock
from tests.writeback.admin.desk import ClockDesk, colleague, events, page, refusal
from tests.writeback.ending import december, november, seen, switch_on, told
from tests.writeback.field import ADMIN, link, make_connector
from writeback.models import Connector, DirectoryLink, ExpiryReminders, Reminder
from writeback.services.reminders import remind
from writeback.services.reminding import ReminderSettings, change_reminders

pytestmark = pytest.mark.django_db
SETTINGS, SENT = "writeback/expiryreminders/", "writeback/reminder/"


def settings_of(acme: Acme) -> ExpiryReminders:
    with acme.inside():
        row: ExpiryReminders = ExpiryReminders.objects.get()
        return row


def own_page(acme: Acme) -> str:
    return f"{SETTINGS}{settings_of(acme).pk}/change/"


def last_changes(acme: Acme) -> Mapping[str, Any]:
    data: Mapping[str, Any] = events(acme, "reminders.changed")[-1].data
    return data


@pytest.fixture
def staff(acme: Acme) -> Group:
    with acme.inside():
        made: Group = Group.objects.create(name="Night staff")
        return made


class TestSettings:
    def test_are_made_by_saving_them_once(
        self, acme: Acme, desk: ClockDesk, connector: Connector
    ) -> None:
        assert desk.get(SETTINGS).headers["Location"].endswith(f"{SETTINGS}add/")
        assert "14, 7, 3, 1" in desk.read(f"{SETTINGS}add/")

        page(desk.send(f"{SETTINGS}add/", days="30, 7", channel="both"))

        row = settings_of(acme)
        assert (row.days, row.channel, row.texts) == ([30, 7], "both", {})
        assert desk.get(f"{SETTINGS}add/").status_code == 403
        assert last_changes(acme) == {
            "fields": ["days", "channel"],
            "changes": ["days: nothing → 30, 7", "channel: email → both"],
        }

    def test_are_changed_with_a_line_of_what_was_and_is(
        self, acme: Acme, desk: ClockDesk, connector: Connector, staff: Group
    ) -> None:
        switch_on(acme, texts={"de": "Alt."})

        page(
            desk.send(
                own_page(acme),
                days=" 1,14 ,",
                channel="sms",
                groups_excluded="Night staff\r\n\r\n",
                exclude_unregistered="on",
                managers_summary="on",
                text_en="Dear {name},\r\nask us.",
                text_de="",
            )
        )

        row = settings_of(acme)
        assert (row.days, row.channel) == ([14, 1], "sms")
        assert row.groups_excluded == [str(staff.pk)]
        assert (row.exclude_unregistered, row.managers_summary) == (True, True)
        assert row.texts == {"en": "Dear {name},\nask us."}
        assert row.week_done == november(16).date()
        assert last_changes(acme)["changes"] == [
            "days: 14, 7, 3, 1 → 14, 1",
            "channel: email → sms",
            "groups_excluded: nothing → Night staff",
            "exclude_unregistered: no → yes",
            "managers_summary: no → yes",
            "text_de: 4 characters → nothing",
            "text_en: nothing → 20 characters",
        ]
        assert "Dear" not in str(last_changes(acme))

    def test_saved_as_they_stand_leave_no_line(
        self, acme: Acme, desk: ClockDesk, connector: Connector, staff: Group
    ) -> None:
        switch_on(acme, groups_excluded=[str(staff.pk)], texts={"en": "Dear {name}"})

        page(desk.send(own_page(acme)))

        assert events(acme, "reminders.changed") == []
        assert settings_of(acme).groups_excluded == [str(staff.pk)]

    def test_of_a_group_that_is_gone_say_nothing_of_it(
        self, acme: Acme, desk: ClockDesk, connector: Connector, staff: Group
    ) -> None:
        switch_on(acme, groups_excluded=[str(staff.pk)])
        with acme.inside():
            Group.objects.all().delete()

        page(desk.send(own_page(acme), days="7"))

        assert settings_of(acme).groups_excluded == []
        assert last_changes(acme)["fields"] == ["days"]

    @pytest.mark.parametrize(
        ("fields", "told_words"),
        [
            ({"days": "seven"}, "Write whole numbers"),
            ({"days": "7, 7"}, "Write each day once."),
            ({"days": "0"}, "Write days from 1 to 90."),
            ({"days": "91"}, "Write days from 1 to 90."),
            ({"days": "1,2,3,4,5,6,7,8,9,10,11"}, "Write at most 10 days."),
            ({"days": "1" * 101}, "Write whole numbers"),
            ({"channel": "pigeon"}, "not one of the available choices"),
            ({"groups_excluded": "Nobody"}, "There is no group “Nobody”."),
            ({"groups_excluded": "a\x00b"}, "There is no group"),
            ({"text_en": "Dear {nobody}"}, "Use only {name}, {organisation}, {date}, {days}"),
            ({"text_en": "x" * 1001}, "Write at most 1000 characters."),
            ({"text_en": "a\u202eb"}, "Remove control characters"),
        ],
    )
    def test_that_can_not_be_are_told_at_their_field(
        self,
        acme: Acme,
        desk: ClockDesk,
        connector: Connector,
        fields: dict[str, str],
        told_words: str,
    ) -> None:
        switch_on(acme)

        answer = desk.send(own_page(acme), **fields)

        assert told_words in unescape(refusal(answer))
        assert settings_of(acme).days == [14, 7, 3, 1]
        assert events(acme, "reminders.changed") == []

    def test_are_judged_by_the_service_too(self, acme: Acme, clock: Clock) -> None:
        wanted = ReminderSettings([7], "pigeon", [], False, False, {})
        with acme.inside(), pytest.raises(Invalid) as refused:
            change_reminders(wanted, by=ADMIN, now=clock.now)
        assert [problem.field for problem in refused.value.problems] == ["channel"]

    def test_without_a_day_or_a_directory_are_saved_with_a_warning(
        self, acme: Acme, desk: ClockDesk
    ) -> None:
        switch_on(acme)
        path = own_page(acme)

        page(desk.send(path, days=""))

        text = unescape(desk.read(path))
        assert "There is no directory yet, so nobody is reminded." in text
        assert "No day is named, so nobody is reminded." in text
        assert settings_of(acme).days == []

    def test_are_looked_at_by_everybody_and_changed_by_who_sets_rules(
        self, acme: Acme, clock: Clock, connector: Connector, staff: Group
    ) -> None:
        reader = colleague(acme, clock, "hybrid_identity_administrator")
        assert "Nobody is reminded yet" in reader.read(SETTINGS)
        assert reader.get(f"{SETTINGS}add/").status_code == 403
        switch_on(acme, groups_excluded=[str(staff.pk)], texts={"de": "Hallo"})

        text = reader.read(own_page(acme))

        for words in ("14, 7, 3, 1", "By mail", "Night staff", "Deutsch"):
            assert words in text
        assert "Save reminders" not in text
        assert reader.post(own_page(acme), {"days": "1", "channel": "sms"}).status_code == 403
        writer = colleague(acme, clock, "authentication_policy_administrator")
        page(writer.send(own_page(acme), days="2"))
        assert settings_of(acme).days == [2]

    def test_without_days_are_told_as_such(
        self, acme: Acme, clock: Clock, connector: Connector
    ) -> None:
        switch_on(acme, days=[], managers_summary=True, week_done=None)
        reader = colleague(acme, clock, "global_reader")
        assert "none: nobody is reminded" in reader.read(own_page(acme))

    def test_say_when_managers_were_told_last(
        self, acme: Acme, desk: ClockDesk, connector: Connector
    ) -> None:
        switch_on(acme, managers_summary=True)
        assert "2026-11-16" in desk.read(own_page(acme))
        switch_on(acme, managers_summary=True, week_done=None)
        assert "none yet" in desk.read(own_page(acme))


class TestSent:
    def test_list_who_was_reminded_of_what_and_what_became_of_it(
        self, acme: Acme, desk: ClockDesk, connector: Connector, clock: Clock
    ) -> None:
        seen(acme, acme.bob, connector, december(4))
        seen(acme, acme.eve, connector, november(21))
        switch_on(acme, channel="both")
        remind(clock.now)
        with acme.inside():
            rows = Message.objects.filter(kind="password_ends_soon")
            mail = rows.filter(correlation_id=reminder_of(acme, "bob").told, channel="email")
            assert mail.update(state="failed", error="mailbox_unknown") == 1

        text = desk.read(SENT)

        for words in ("bob@acme.example", "Head office", "14 days before", "1 day before"):
            assert words in text
        assert "by mail: failed (mailbox_unknown)" in text
        failed = desk.read(f"{SENT}?delivery=failed")
        assert "bob@acme.example" in failed
        assert "eve@acme.example" not in failed
        assert "eve@acme.example" in desk.read(f"{SENT}?q=eve@acme.example&days=1")
        assert "Nothing found." in desk.read(f"{SENT}?q=nobody@acme.example")
        assert "Nothing found." in desk.read(f"{SENT}?delivery=other")
        newest = desk.read(own_page(acme))
        assert "mailbox_unknown" in newest.partition("Newest that were not delivered")[2]
        assert "14 days before" in newest

    def test_tell_each_reminder_with_its_messages(
        self, acme: Acme, desk: ClockDesk, connector: Connector, clock: Clock
    ) -> None:
        seen(acme, acme.bob, connector, december(4))
        switch_on(acme)
        remind(clock.now)
        [(_, address)] = told(acme)

        text = desk.read(f"{SENT}{reminder_of(acme, 'bob').pk}/change/")

        assert "What became of it: by mail: queued." in text
        assert "notifications/message/" in text
        assert address not in text

    def test_of_accounts_told_together_share_their_messages(
        self, acme: Acme, desk: ClockDesk, connector: Connector, clock: Clock
    ) -> None:
        branch = make_connector(acme, "Branch")
        for directory in (connector, branch):
            seen(acme, acme.bob, directory, december(4))
        switch_on(acme)
        assert remind(clock.now) == 1

        with acme.inside():
            assert len(set(Reminder.objects.values_list("told", flat=True))) == 1
        assert desk.read(SENT).count("by mail: queued") == 2

    def test_without_an_address_and_of_earlier_versions_say_so(
        self, acme: Acme, desk: ClockDesk, connector: Connector, clock: Clock
    ) -> None:
        row = seen(acme, acme.bob, connector, december(4))
        with acme.inside():
            for day, told_as in ((14, None), (7, row.pk)):
                Reminder.objects.create(
                    link=row, day=day, password_ends=december(4), sent_at=clock.now, told=told_as
                )

        text = desk.read(SENT)

        assert "not known: sent by an earlier version" in text
        assert "nobody was told: no address is on file" in text

    def test_are_read_page_by_page_with_as_many_statements_for_one_as_for_all(
        self, acme: Acme, desk: ClockDesk, connector: Connector, clock: Clock
    ) -> None:
        row = seen(acme, acme.bob, connector, december(4))

        def add(first: int, many: int) -> None:
            with acme.inside():
                Reminder.objects.bulk_create(
                    Reminder(
                        link=row,
                        day=1,
                        password_ends=december(4) + timedelta(days=number),
                        sent_at=clock.now - timedelta(minutes=number),
                        told=row.pk,
                    )
                    for number in range(first, first + many)
                )

        add(0, 2)
        desk.read(SENT)
        counts = []
        for more in (0, 120):
            add(2, more)
            with CaptureQueriesContext(database) as found:
                text = desk.read(SENT)
            counts.append(len(found))

        assert counts[0] == counts[1]
        assert "Older" in text
        older = desk.read(f"{SENT}?before=end")
        assert "Newer" in older

    def test_are_changed_by_nobody(
        self, acme: Acme, desk: ClockDesk, connector: Connector, clock: Clock
    ) -> None:
        seen(acme, acme.bob, connector, december(4))
        switch_on(acme)
        remind(clock.now)
        path = f"{SENT}{reminder_of(acme, 'bob').pk}/change/"

        assert desk.post(path, {"day": "1"}).status_code == 403
        assert desk.get(f"{SENT}add/").status_code == 403


def reminder_of(acme: Acme, name: str) -> Reminder:
    with acme.inside():
        found: Reminder = Reminder.objects.get(link__user__user_id=f"{name}@acme.example")
        return found


def test_the_page_of_a_directory_leads_to_its_reminders(
    acme: Acme, desk: ClockDesk, connector: Connector, clock: Clock
) -> None:
    path = f"writeback/connector/{connector.pk}/change/"
    text = desk.read(path)
    assert "nobody is reminded" in text
    assert "none yet" in text
    seen(acme, acme.bob, connector, december(4))
    switch_on(acme)
    remind(clock.now)

    text = desk.read(path)

    for target in (SETTINGS, SENT):
        assert f'href="/admin/{target}"' in text
    assert "14, 7, 3, 1 days before the end, by mail" in text
    assert "last one 2026-11-20" in text


def test_nothing_of_another_tenants_reminders_is_seen_or_changed(
    acme: Acme, beta: Beta, desk: ClockDesk, connector: Connector, clock: Clock
) -> None:
    theirs = make_connector(beta, "Their office")
    link(beta, beta.alice, theirs, "0c5e0e5c-8f0d-4c39-8e8f-3f1d1f1c9b13")
    with beta.inside():
        strange = Group.objects.create(name="Their group")
        made = ExpiryReminders.objects.create(days=[5], texts={"en": "Theirs"})
        account = DirectoryLink.objects.get()
        reminder = Reminder.objects.create(
            link=account, day=5, password_ends=december(4), sent_at=clock.now, told=account.pk
        )
        assert ContactPoint.objects.exists()
    switch_on(acme)

    for path in (f"{SETTINGS}{made.pk}/change/", f"{SENT}{reminder.pk}/change/"):
        assert desk.get(path).status_code == 404
        assert desk.post(path, {"days": "1", "channel": "sms"}).status_code == 404
    assert "Their office" not in desk.read(SENT)
    assert "no group" in refusal(desk.send(own_page(acme), groups_excluded=strange.name))
    with beta.inside():
        assert ExpiryReminders.objects.get().days == [5]
