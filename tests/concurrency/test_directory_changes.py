"""Two browsers of one person change the password that a directory keeps, at the same moment."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import Session, SignInLock
from resets.models import DirectoryChange
from tests.cast import NEW_PASSWORD, Acme
from tests.concurrency.conftest import all_at_once
from tests.resets.directory.person import DONE, OLD, PATH, WRONG
from tests.resets.visitor import Clock
from tests.services.ports import wait_until
from tests.services.signed_in import signed_in_client
from tests.writeback.conftest import agent, clock, connector, hybrid, signer
from tests.writeback.duty import at_work
from tests.writeback.field import FieldAgent, Held
from writeback.reports import Report

__all__ = ["agent", "clock", "connector", "hybrid", "signer"]
pytestmark = pytest.mark.django_db(transaction=True)


def send(client: Client, number: int) -> Callable[[], int]:
    fields = {"old_password": OLD, "new_password": f"{NEW_PASSWORD} {number}"}
    return lambda: client.post(PATH, fields).status_code


def test_of_several_changes_at_once_one_is_asked_for_and_the_others_are_told_so(
    hybrid: Acme, agent: FieldAgent, clock: Clock
) -> None:
    with clock.running():
        clients = [signed_in_client(hybrid, hybrid.bob) for _ in range(4)]

        statuses = all_at_once([send(client, number) for number, client in enumerate(clients)])

    assert sorted(statuses) == [303, 409, 409, 409]
    with hybrid.inside():
        assert DirectoryChange.objects.count() == 1
        assert sum(SignInLock.objects.values_list("failures", flat=True)) == 1


def test_changes_and_what_becomes_of_them_never_wait_for_each_other(
    hybrid: Acme, agent: FieldAgent, clock: Clock
) -> None:
    """The directory answers while others ask: each lock is taken in one order."""
    with clock.running():
        clients = [signed_in_client(hybrid, hybrid.bob) for _ in range(4)]
    seen: list[str] = []

    def answer(held: Held) -> Report:
        seen.append(held.passwords.new or "")
        return WRONG if len(seen) < 3 else DONE

    with at_work(agent, answer):
        statuses = all_at_once([send(client, number) for number, client in enumerate(clients * 3)])
        wait_until(lambda: _is_over(hybrid), "the last change")

    # A session that ended with somebody else's success is sent to sign in.
    assert set(statuses) <= {303, 302, 409}
    assert 1 <= len(seen) <= 12
    with hybrid.inside():
        states = list(DirectoryChange.objects.values_list("state", flat=True))
        assert states.count("done") == max(0, len(seen) - 2)
        assert Session.objects.filter(user=hybrid.bob).count() >= 1


def _is_over(acme: Acme) -> bool:
    with acme.inside():
        return not DirectoryChange.objects.filter(state="writing").exists()
