"""Telling people that their password ends: once a mark, and their managers once a week.

Who is told when is the pure rule in `writeback.expiry`; here it is asked as SQL, so that a tenant
of any size costs what is due. A tenant's settings are locked meanwhile, and each reminder is a row:
whoever else works, nobody is told twice.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.utils import translation

from accounts.contacts import find_value, notice_addresses
from accounts.models import ContactPoint, User
from accounts.numbers import find_e164
from accounts.sending import problem_of
from accounts.telling import language_of
from notifications.kinds import EMAIL, SMS
from notifications.rendering import clock_time, supported_language
from notifications.services import Fact, Recipient, notify_each
from tenants.context import tenant_context
from tenants.lookup import tenants_with_connectors
from tenants.rules import TenantRules, rules_of

from ..expiry import Window, days_left, filled, is_daytime, week_of, windows
from ..models import ExpiryReminders, Reminder
from .reminded import (
    Ending,
    endings,
    one_a_person,
    watched,
    zone_of_installation,
)
from .summaries import summarise

KIND = "password_ends_soon"
BATCH = 500
"""People of a mark who are told in one transaction."""
LONGEST_NAME = 60
Told = tuple[UUID, Recipient, Mapping[str, Fact]]
"""Correlation id, who, what."""


def remind(now: datetime) -> int:
    """Writes the messages that are due in every tenant that wants them; how many."""
    zone = zone_of_installation()
    if not is_daytime(now, zone):
        return 0
    return sum(_remind_in(tenant, now, zone) for tenant in tenants_with_connectors())


def _remind_in(tenant: UUID, now: datetime, zone: ZoneInfo) -> int:
    with tenant_context(tenant):
        wanted = ExpiryReminders.objects.select_for_update(skip_locked=True).first()
        rules = rules_of() if wanted is not None else None
        if wanted is None or rules is None or not rules.tenant.active:
            return 0
        told = sum(
            _remind_window(wanted, window, rules, now) for window in windows(wanted.days, now, zone)
        )
        if wanted.week_done != week_of(now, zone):
            told += summarise(wanted, rules.tenant, now)
            wanted.week_done = week_of(now, zone)
            wanted.save(update_fields=["week_done"])
        return told


def _remind_window(
    wanted: ExpiryReminders, window: Window, rules: TenantRules, now: datetime
) -> int:
    done = Reminder.objects.filter(
        link=OuterRef("pk"), password_ends=OuterRef("password_ends"), day__lte=window.mark
    )
    due = watched(wanted, now).filter(
        ~Exists(done), password_ends__gte=window.begins, password_ends__lt=window.ends
    )
    found = endings(due, most=BATCH)
    told = {each.link.user_id: uuid4() for each in found}
    Reminder.objects.bulk_create(
        Reminder(
            link=each.link,
            day=window.mark,
            password_ends=each.ends,
            sent_at=now,
            told=told[each.link.user_id],
        )
        for each in found
    )
    return _Batch(wanted, rules, one_a_person(found), told, now).send()


@dataclass(frozen=True)
class _Batch:
    """People who are told together. told: person → correlation id of the messages."""

    wanted: ExpiryReminders
    rules: TenantRules
    endings: Sequence[Ending]
    told: Mapping[UUID, UUID]
    now: datetime

    def send(self) -> int:
        mails: list[Told] = []
        texts: list[Told] = []
        channel = self.wanted.channel
        for ending in self.endings:
            user = ending.link.user
            number = self._number(user) if channel != EMAIL else None
            if number is not None:
                facts = self._facts(user, ending.ends)
                texts.append((self.told[user.pk], self._recipient(user, number), facts))
            # Without a number that can be written to, a mail is better than nothing.
            if number is None or channel != SMS:
                mails += self._mails(user, ending.ends)
        return self._notify(mails, EMAIL) + self._notify(texts, SMS)

    def _notify(self, told: Sequence[Told], channel: str) -> int:
        if not told:
            return 0
        pairs = [(recipient, facts) for _, recipient, facts in told]
        ids = [correlation for correlation, _, _ in told]
        return notify_each(KIND, pairs, now=self.now, correlation_id=ids, channel=channel)

    def _mails(self, user: User, ends: datetime) -> Iterable[Told]:
        facts = self._facts(user, ends)
        for address in notice_addresses(user, self._contacts.get(user.pk, ())):
            yield self.told[user.pk], self._recipient(user, address), facts

    @cached_property
    def _contacts(self) -> Mapping[UUID, Sequence[ContactPoint]]:
        found: dict[UUID, list[ContactPoint]] = {}
        people = [ending.link.user_id for ending in self.endings]
        for row in ContactPoint.objects.filter(user_id__in=people):
            found.setdefault(row.user_id, []).append(row)
        return found

    def _number(self, user: User) -> str | None:
        """The mobile number a text message may go to."""
        rows = self._contacts.get(user.pk, ())
        mobile = next((row for row in rows if row.kind == ContactPoint.Kind.MOBILE_PHONE), None)
        value = find_value(mobile) if mobile is not None else None
        number = find_e164(value) if value is not None else None
        countries = self.rules.policy.phone_countries if self.rules.policy is not None else ()
        if number is None or problem_of(number, is_mail=False, countries=countries) is not None:
            return None
        return number

    def _recipient(self, user: User, address: str) -> Recipient:
        return Recipient(address, language_of(user, self.rules.tenant), user.display_name)

    def _facts(self, user: User, ends: datetime) -> Mapping[str, Fact]:
        days = days_left(ends, self.now, zone_of_installation())
        facts: dict[str, Fact] = {
            "name": user.display_name,
            "when": self.now.isoformat(),
            "until": ends.isoformat(),
            "days": days,
            "words": self._words(user, ends, days),
        }
        policy = self.rules.policy
        if policy is not None and policy.writeback:
            base = settings.SSPR_BASE_URL
            facts |= {"change_url": f"{base}/change-password/", "reset_url": f"{base}/reset/"}
        return facts

    def _words(self, user: User, ends: datetime, days: int) -> str:
        """The organisation's own words in the person's language; "" where it has none."""
        language = supported_language(language_of(user, self.rules.tenant))
        with translation.override(language):
            values = {
                "name": (user.display_name or user.user_id)[:LONGEST_NAME],
                "organisation": self.rules.tenant.name,
                "date": clock_time(ends),
                "days": str(days),
            }
        return filled(self.wanted.texts.get(language, ""), values)
