"""Whose passwords are watched at all: people who are here, in a directory that is looked at."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.groups import groups_inside
from accounts.models import (
    AuthenticatorDevice,
    ContactPoint,
    Credential,
    GroupMember,
    QuestionAnswer,
    User,
)

from ..models import DirectoryLink, ExpiryReminders

BELIEVED_FOR = timedelta(hours=48)
"""What was seen of an account longer ago may not be so any more."""
_PRIMARY = ContactPoint.Kind.PRIMARY_EMAIL


def zone_of_installation() -> ZoneInfo:
    return ZoneInfo(settings.TIME_ZONE)


def watched(wanted: ExpiryReminders, now: datetime) -> QuerySet[DirectoryLink]:
    """The accounts of people who may be reminded, with person and directory."""
    links = DirectoryLink.objects.filter(
        connector__enabled=True,
        described_at__gt=now - BELIEVED_FOR,
        described__person__enabled=True,
        user__is_active=True,
        user__frozen_at=None,
    ).exclude(user__source=User.Source.CLOUD)
    groups = groups_inside(map(UUID, wanted.groups_excluded))
    if groups:
        members = GroupMember.objects.filter(user=OuterRef("user"), group__in=groups)
        links = links.filter(~Exists(members))
    if wanted.exclude_unregistered:
        links = links.filter(_has_registered())
    return links.select_related("user", "connector")


def _has_registered() -> Q:
    """Anything that can prove who the person is."""
    own = {"user": OuterRef("user")}
    return (
        Q(Exists(ContactPoint.objects.filter(**own).exclude(kind=_PRIMARY)))
        | Q(Exists(AuthenticatorDevice.objects.filter(confirmed=True, **own)))
        | Q(Exists(QuestionAnswer.objects.filter(**own)))
        | Q(Exists(Credential.objects.filter(**own)))
    )


@dataclass(frozen=True)
class Ending:
    """An account whose password ends."""

    link: DirectoryLink
    ends: datetime


def endings(links: QuerySet[DirectoryLink], most: int | None = None) -> list[Ending]:
    """What is found, the first that ends first, at most so many."""
    rows = links.order_by("password_ends", "pk")[:most]
    return [Ending(row, row.password_ends) for row in rows if row.password_ends is not None]


def one_a_person(found: Iterable[Ending]) -> list[Ending]:
    """Of somebody's accounts the one that ends first."""
    first: dict[UUID, Ending] = {}
    for ending in found:
        first.setdefault(ending.link.user_id, ending)
    return list(first.values())
