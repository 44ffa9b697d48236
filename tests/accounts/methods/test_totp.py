"""Codes of an authenticator app: three steps of time, each once (RFC 6238; R-10)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from accounts.methods.base import MethodContext
from accounts.methods.registry import get_method
from accounts.models import AuthenticatorDevice
from tests.accounts.methods.conftest import ASKED, CONTEXT, NOW, belongings, code
from tests.cast import Acme, app_code, give_app, make_person

APP = get_method("app_code")
STEP = timedelta(seconds=30)


def _later(steps: int) -> MethodContext:
    return replace(CONTEXT, now=NOW + steps * STEP)


@pytest.mark.parametrize(
    ("steps", "right"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)]
)
def test_the_step_before_and_after_are_accepted(acme: Acme, steps: int, right: bool) -> None:
    typed = code(app_code(acme.bob, NOW + steps * STEP))
    with acme.inside():
        assert APP.verify(belongings(acme.bob), ASKED, typed, CONTEXT).right is right


@pytest.mark.parametrize("reread", [True, False])
def test_a_code_works_once_even_for_somebody_who_read_the_device_before(
    acme: Acme, reread: bool
) -> None:
    typed = code(app_code(acme.bob, NOW))
    with acme.inside():
        before = belongings(acme.bob)
        assert APP.verify(before, ASKED, typed, CONTEXT).right

        own = belongings(acme.bob) if reread else before
        assert not APP.verify(own, ASKED, typed, CONTEXT).right
        assert not APP.verify(own, ASKED, typed, _later(1)).right


def test_after_a_later_step_an_earlier_one_is_over(acme: Acme) -> None:
    with acme.inside():
        ahead, behind = (code(app_code(acme.bob, NOW + n * STEP)) for n in (1, 0))

        assert APP.verify(belongings(acme.bob), ASKED, ahead, CONTEXT).right
        assert not APP.verify(belongings(acme.bob), ASKED, behind, CONTEXT).right
        fresh = code(app_code(acme.bob, NOW + 2 * STEP))
        assert APP.verify(belongings(acme.bob), ASKED, fresh, _later(2)).right


def test_a_wrong_code_spends_nothing(acme: Acme) -> None:
    with acme.inside():
        for wrong in ("000000", "999999"):
            if wrong != app_code(acme.bob, NOW):
                APP.verify(belongings(acme.bob), ASKED, code(wrong), CONTEXT)

        assert AuthenticatorDevice.objects.get(user=acme.bob).last_step == -1


def test_the_app_of_another_person_is_wrong(acme: Acme) -> None:
    with acme.inside():
        typed = code(app_code(acme.alice, NOW))

        assert not APP.verify(belongings(acme.bob), ASKED, typed, CONTEXT).right
        assert AuthenticatorDevice.objects.get(user=acme.alice).last_step == -1


def test_any_of_several_apps_is_right_and_all_are_one_anchor(acme: Acme) -> None:
    with acme.inside():
        who = make_person("two.apps", acme.domain)
        seeds = [give_app(who, bytes([number]) * 20) for number in (1, 2)]
        [row] = APP.registrations(belongings(who), CONTEXT)
        verdicts = [
            APP.verify(belongings(who), ASKED, code(app_code(who, NOW, seed=seed)), CONTEXT)
            for seed in seeds
        ]

    assert [verdict.right for verdict in verdicts] == [True, True]
    assert {verdict.evidence for verdict in verdicts} == set(row.evidence)
    assert len(row.evidence) == 2


def test_an_unconfirmed_app_is_none(acme: Acme) -> None:
    with acme.inside():
        AuthenticatorDevice.objects.filter(user=acme.bob).update(confirmed=False)

        assert APP.registrations(belongings(acme.bob), CONTEXT) == ()


def test_one_broken_app_does_not_take_the_other_with_it(acme: Acme) -> None:
    with acme.inside():
        give_app(acme.bob, b"second" * 4)
        first = AuthenticatorDevice.objects.filter(user=acme.bob).earliest("created_at")
        AuthenticatorDevice.objects.filter(pk=first.pk).update(sealed_seed=b"broken")
        typed = code(app_code(acme.bob, NOW, seed=b"second" * 4))

        assert APP.verify(belongings(acme.bob), ASKED, typed, CONTEXT).right
