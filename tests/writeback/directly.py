"""A directory that the product reaches itself: set up, and scripted where it is reached."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from django.utils import timezone

from tenants.secret import Secret
from tests.cast import Organisation
from tests.writeback.field import ADMIN
from tests.writeback.scripted import Scripted
from writeback.direct_settings import DirectSettings
from writeback.models import Agent, Connector
from writeback.services.direct import set_direct

HOST = "ldap.example.com"
TEXT = f'servers = ["{HOST}"]\nbase = "DC=example,DC=com"\naccount = "writeback@example.com"\n'
PLACE = "OU=Staff,DC=example,DC=com"
WANTED = DirectSettings(TEXT.strip(), (PLACE,))
SECRET = "Lantern-Of-The-Account 5"


class Reachable(Scripted):
    """A scripted directory that says where it is."""

    addresses: Sequence[tuple[str, int]] = ((HOST, 636),)


def set_up(
    organisation: Organisation,
    connector: Connector,
    wanted: DirectSettings = WANTED,
    secret: str = SECRET,
) -> tuple[str, ...]:
    """What was changed."""
    with organisation.inside():
        given = Secret(secret)
        return set_direct(connector, wanted, given, by=ADMIN, now=timezone.now())


def fresh(organisation: Organisation, connector: Connector) -> Connector:
    with organisation.inside():
        found: Connector = Connector.objects.get(pk=connector.pk)
        return found


def own_agent(organisation: Organisation, connector: Connector) -> Agent:
    with organisation.inside():
        rows = Agent.objects.select_related("connector")
        found: Agent = rows.get(connector=connector, own=True)
        return found


def scripted(monkeypatch: pytest.MonkeyPatch) -> Reachable:
    """In the place of every directory that is reached; whoever opens it opens the secret too."""
    directory = Reachable(timezone.now)

    def make(kind: str, given: Mapping[str, object], secret: Callable[[], str]) -> Any:
        directory.secret = secret  # type: ignore[attr-defined]
        return directory

    monkeypatch.setattr("writeback.direct_settings.make_directory", make)
    return directory
