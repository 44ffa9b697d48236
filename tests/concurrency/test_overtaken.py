"""A step that somebody else was faster than: taken once more, with what is there then."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from accounts.methods.base import Answer
from accounts.methods.totp import AppCode
from accounts.models import AuthenticatorDevice
from resets import services
from resets.models import Challenge, Flow, Gate
from resets.services import Handle, sending, stepping
from tenants.models import AuditEvent
from tenants.models import Counter as CounterRow
from tenants.secret import Secret
from tests.cast import Acme, app_code
from tests.concurrency.conftest import NOW, begin, elsewhere
from tests.resets.walks import BOB_EMAIL, not_it

pytestmark = pytest.mark.django_db(transaction=True)


def _verify(handle: Handle, code: str) -> Callable[[], services.Result]:
    return lambda: services.verify(handle, Answer(Secret(code)), now=NOW)


class Between:
    """Has something else happen once, between what is read and what is written of it."""

    def __init__(self, act: Callable[[], Any]) -> None:
        self.act: Callable[[], Any] | None = act
        self.result: Any = None

    def happen(self) -> None:
        act, self.act = self.act, None
        if act is not None:
            self.result = elsewhere(act)


PLACES = {
    "before it is counted": (stepping, "_look"),
    "before it is judged": (AppCode, "verify"),
    "before it is sent": (sending, "_address_typed"),
}


@pytest.fixture(params=["before it is counted", "before it is judged"])
def overtaken(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Has a step be overtaken by what is given, after it read the journey."""
    where, name = PLACES[request.param]

    def by(act: Callable[[], Any]) -> Between:
        between, real = Between(act), getattr(where, name)

        def first_the_other(*given: Any) -> Any:
            result = real(*given)
            between.happen()
            return result

        monkeypatch.setattr(where, name, first_the_other)
        return between

    return by


def _events(handle: Handle, kind: str) -> int:
    return AuditEvent.objects.filter(correlation_id=handle.flow, type=kind).count()


def test_two_wrong_codes_at_once_are_both_counted_and_judged(acme: Acme, overtaken: Any) -> None:
    handle = begin(acme, acme.bob)
    wrong = not_it(app_code(acme.bob, NOW))
    other = overtaken(_verify(handle, not_it(wrong)))

    result = _verify(handle, wrong)()

    assert {result.kind, other.result.kind} == {"wrong"}
    with acme.inside():
        challenge = Challenge.objects.get(flow=handle.flow)
        assert (challenge.tries, challenge.judged, challenge.dead) == (2, 2, False)
        assert Flow.objects.get(pk=handle.flow).tries == 2
        assert CounterRow.objects.get(limit="failed_proofs").count == 2
        assert _events(handle, "flow.verification_failed") == 2


def test_a_right_code_after_a_faster_wrong_one_opens_the_gate(acme: Acme, overtaken: Any) -> None:
    handle = begin(acme, acme.bob)
    right = app_code(acme.bob, NOW)
    other = overtaken(_verify(handle, not_it(right)))

    result = _verify(handle, right)()

    assert (result.kind, other.result.kind) == ("ok", "wrong")
    with acme.inside():
        assert Gate.objects.filter(flow=handle.flow).count() == 1
        assert AuthenticatorDevice.objects.get(user=acme.bob).last_step > 0


def test_one_code_opens_one_gate_and_is_spent_once(acme: Acme, overtaken: Any) -> None:
    first, second = begin(acme, acme.bob), begin(acme, acme.bob)
    right = app_code(acme.bob, NOW)
    other = overtaken(_verify(second, right))

    result = _verify(first, right)()

    assert (result.kind, other.result.kind) == ("wrong", "ok")
    with acme.inside():
        assert not Gate.objects.filter(flow=first.flow).exists()
        assert Gate.objects.filter(flow=second.flow).count() == 1


def test_a_journey_that_was_given_up_meanwhile_is_not_gone_on_with(
    acme: Acme, overtaken: Any
) -> None:
    handle = begin(acme, acme.bob)
    other = overtaken(lambda: services.cancel(handle, now=NOW))

    result = _verify(handle, app_code(acme.bob, NOW))()

    assert (result.kind, other.result.kind) == ("not_now", "ok")
    with acme.inside():
        assert Flow.objects.get(pk=handle.flow).state == "cancelled"
        assert not Gate.objects.exists()


@pytest.mark.parametrize("asks_outside", [False, True])
def test_what_changed_while_a_service_outside_was_asked_counts(
    acme: Acme, monkeypatch: pytest.MonkeyPatch, asks_outside: bool
) -> None:
    handle = begin(acme, acme.bob)

    def lose_the_device() -> None:
        with acme.inside():
            AuthenticatorDevice.objects.filter(user=acme.bob).delete()

    def consult(self: AppCode, tenant: object, answer: Answer) -> Answer:
        if not asks_outside:
            return answer
        elsewhere(lose_the_device)
        return replace(answer, told="something")

    monkeypatch.setattr(AppCode, "consult", consult)

    result = _verify(handle, app_code(acme.bob, NOW))()

    assert result.kind == ("wrong" if asks_outside else "ok")
    with acme.inside():
        assert Gate.objects.filter(flow=handle.flow).exists() is not asks_outside


@pytest.mark.parametrize("overtaken", ["before it is counted", "before it is sent"], indirect=True)
def test_of_two_choices_at_once_one_proof_is_waited_for(acme: Acme, overtaken: Any) -> None:
    handle = begin(acme, acme.bob)
    passed = _verify(handle, app_code(acme.bob, NOW))()
    assert passed.handle is not None
    following = passed.handle

    def choose() -> services.Result:
        return services.choose(following, "email", contact=BOB_EMAIL, channel="", now=NOW)

    other = overtaken(choose)

    assert (choose().kind, other.result.kind) == ("ok", "ok")
    with acme.inside():
        waiting = Challenge.objects.filter(flow=handle.flow, dead=False, used_at=None)
        assert [challenge.method for challenge in waiting] == ["email"]
        assert Flow.objects.get(pk=handle.flow).tries == 0
        sent = Challenge.objects.filter(flow=handle.flow, method="email", dead=True)
        assert sent.count() == 1
